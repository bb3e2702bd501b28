import { describe, expect, it } from 'vitest';
import { functionWith, problemsOf, read } from './reading.js';

/** What is said of the sixth line of a function, which the fields stand in. */
async function saidOf(spec: string): Promise<string[]> {
  const lines = await problemsOf(functionWith(`  ${spec}`));
  return lines.map((line) => line.replace(/^fw\.yaml:6:/, ''));
}

function chainWith(spec: string): string {
  return `apiVersion: netkit/v1\nkind: Chain\nmetadata: {name: edge}\nspec: {interface: eth0, hook: xdp, ${spec}}\n`;
}

const nameExpected =
  'expected a name of lower-case letters, digits, - and _ (63 at most, a letter or digit first)';

describe('a function', () => {
  it.each([
    ['attach: [{interfaces: [eth0]}]', "12: spec.attach[0]: needs one of 'program', 'hook'"],
    [
      'attach: [{hook: xdp, interfaces: [eth0], target: x}]',
      "44: spec.attach[0].target: 'interfaces' and 'target' exclude each other",
    ],
    [
      'attach: [{hook: xdp, interfaces: []}]',
      '36: spec.attach[0].interfaces: expected a list with at least one interface, not an empty list',
    ],
    [
      'attach: [{hook: xdp, interfaces: [sixteen-letters-]}]',
      "37: spec.attach[0].interfaces[0]: expected the name of an interface (15 characters at most) or a pattern such as 'veth*', not 'sixteen-letters-'",
    ],
    [
      'attach: [{hook: xdp, missing: retry}]',
      "33: spec.attach[0].missing: expected one of: wait, fail, not 'retry'",
    ],
    [
      'attach: [{hook: tcx/egress, priority: 0}]',
      '41: spec.attach[0].priority: expected a whole number from 1 to 65535, not 0',
    ],
    [
      'attach: [{hook: xdp, priority: 1.5}]',
      '34: spec.attach[0].priority: expected a whole number (on most hooks from 1 to 65535), not 1.5',
    ],
    [
      'attach: [{hook: netfilter, priority: -2147483649}]',
      '40: spec.attach[0].priority: expected a whole number from -2147483648 to 2147483647, on most hooks from 1 to 65535, not -2147483649',
    ],
    [
      'attach: [{hook: xdp, priority: -1}]',
      '34: spec.attach[0].priority: expected a whole number from 0 to 2147483647, not -1',
    ],
    [
      'attach: [{hook: xdp, place: {before: a, after: b}}]',
      "31: spec.attach[0].place: expected 'first', 'last', {before: REF} or {after: REF}",
    ],
    [
      'attach: [{hook: xdp, place: {befor: a}}]',
      "32: spec.attach[0].place.befor: unknown field: did you mean 'before'?",
    ],
    [
      'attach: [{hook: xdp, place: next}]',
      "31: spec.attach[0].place: expected 'first', 'last', {before: REF} or {after: REF}, not 'next'",
    ],
    [
      'attach: [{hook: kprobe, cookie: 18446744073709551616}]',
      "35: spec.attach[0].cookie: expected a number from 0 to 2^64-1, in decimal or with 0x, not '18446744073709551616'",
    ],
    [
      'maps: {m: {entries: {a: 1}, from: x.csv}}',
      "31: spec.maps.m.from: 'entries' and 'from' exclude each other",
    ],
    ['maps: {m: {exact: true}}', "14: spec.maps.m.exact: 'exact' needs 'entries' or 'from' beside it"],
    ['maps: {m: {entries: [{key: 1}]}}', '24: spec.maps.m.entries[0].value: is missing: expected a value'],
    [
      'maps: {m: {entries: 5}}',
      '23: spec.maps.m.entries: expected entries: a mapping by key, or a list of {key, value}, not 5',
    ],
    ['maps: {m: {entries: {a: {b: [~]}}}}', '32: spec.maps.m.entries.a.b[0]: expected a value, not nothing'],
    ['config: {a: 1}', "3: spec.config: 'config' is for built-in functions ('program: {builtin: NAME}')"],
    [
      'metrics: [{map: m, name: a-b, type: counter}]',
      "28: spec.metrics[0].name: expected the name of a Prometheus metric, not 'a-b'",
    ],
    [
      'metrics: [{map: m, name: a, type: counter, labels: [__a]}]',
      "55: spec.metrics[0].labels[0]: expected the name of a Prometheus label, not '__a'",
    ],
    [
      'health: {probe: {map: m, key: 1, op: "=", value: 1}}',
      "40: spec.health.probe.op: expected a comparison: ==, !=, <, <=, >, >=, not '=': did you mean '=='?",
    ],
    [
      'health: {probe: {map: m, command: [x]}}',
      "20: spec.health.probe.map: 'map' does not go with 'command'",
    ],
    [
      'health: {probe: {command: [x], op: "=="}}',
      "34: spec.health.probe.op: 'op' does not go with 'command'",
    ],
    [
      'health: {interval: 0s}',
      "22: spec.health.interval: expected a duration above zero, such as '5s', '500ms' or '2m', not '0s'",
    ],
    [
      'health: {settle: 5 s}',
      "20: spec.health.settle: expected a duration such as '5s', '500ms' or '2m', not '5 s'",
    ],
    ['globals: {"": 1}', '13: spec.globals[""]: expected the name of a variable, not an empty text'],
  ])('with %s is told: %s', async (spec, said) => {
    expect(await saidOf(spec)).toEqual([said]);
  });

  it.each([
    ['{}', "expected exactly one of 'source', 'object' and 'builtin'"],
    ['{sorce: x.c}', "unknown field: did you mean 'source'?"],
    ['{object: x.o, defines: {A: 1}}', "'defines' does not go with 'object'"],
    ['{builtin: firewall, includes: [x]}', "'includes' does not go with 'builtin'"],
    ['x.o', "expected exactly one of 'source', 'object' and 'builtin', not 'x.o'"],
  ])('with the program %s is told: %s', async (program, said) => {
    const lines = await problemsOf(functionWith('').replace('{object: fw.o}', program));
    expect(lines).toEqual([expect.stringMatching(/^fw\.yaml:5:\d+: spec\.program(\.\w+)?: /)]);
    expect(lines[0]?.replace(/^.*?: .*?: /, '')).toBe(said);
  });

  it('with two origins of the program and a slip is told of both mistakes', async () => {
    const program = '{source: x.c, object: x.o, define: {}}';
    expect(await problemsOf(functionWith('').replace('{object: fw.o}', program))).toEqual([
      "fw.yaml:5:12: spec.program: expected exactly one of 'source', 'object' and 'builtin'",
      "fw.yaml:5:39: spec.program.define: unknown field: did you mean 'defines'?",
    ]);
  });

  it('may say everything that makes sense, in each of its forms', async () => {
    const right = [
      'attach: [{hook: netfilter, priority: -300, family: ipv4, stage: input, defrag: true}]',
      'attach: [{program: nf, priority: -300, family: ipv6}]',
      'attach: [{program: nf, priority: -300}]',
      'attach: [{hook: xdp, priority: 0}, {hook: xdp, priority: 2147483647}]',
      'attach: [{hook: xdp, interfaces: [eth0, "veth[0-9]?*"], missing: wait, place: {after: other/prog}, direct: true}]',
      'attach: [{hook: kprobe, target: vfs_read, cookie: 0xFFFFFFFFFFFFFFFF}]',
      'attach: [{hook: uprobe, target: "libc.so.6:malloc", cookie: 18446744073709551615, pid: 1}]',
      'attach: [{hook: tcx/ingress, interfaces: [eth0], netns: /run/netns/a, place: first, priority: 65535}]',
      'maps: {m: {from: x.csv, exact: true, keep: true, maxEntries: 4294967295}, n: {reuse: other/map}, o: {exact: false}}',
      'maps: {m: {entries: [{key: {a: 1}, value: [1, 2]}]}}',
      'metrics: [{map: m, name: "a:b_total", type: gauge, labels: [x], field: a.b, help: How many.}]',
      'health: {probe: {command: [curl, ""], timeout: 1s}, settle: 500ms, interval: 1h}',
    ];
    for (const spec of right) expect(await saidOf(spec), spec).toEqual([]);
    const builtin = functionWith('  config: {a: [1, {b: null}], c: true}').replace(
      'object: fw.o',
      'builtin: firewall',
    );
    expect((await read(builtin))[0]?.spec).toMatchObject({ config: { a: [1, { b: null }], c: true } });
  });
});

describe('a chain', () => {
  it.each([
    ['functions: []', '47: spec.functions: expected a list with at least one function, not an empty list'],
    ['functions: [a, {name: a}]', '51: spec.functions[1]: this function is in the chain already'],
    [
      'functions: [a,b,c,d,e,f,g,h,i,j,k]',
      '47: spec.functions: expected a list of at most 10 functions, not 11',
    ],
    ['functions: [A]', `48: spec.functions[0]: ${nameExpected}, not 'A'`],
    [
      'functions: [{nam: a}]',
      `48: spec.functions[0].name: is missing: ${nameExpected}`,
      "49: spec.functions[0].nam: unknown field: did you mean 'name'?",
    ],
    [
      'functions: [[a]]',
      '48: spec.functions[0]: expected the name of a function, or {name, program, proceedOn}, not a list',
    ],
    [
      'functions: [a], attach: []',
      '52: spec.attach: unknown field: there is: interface, hook, netns, mode, functions',
    ],
  ])('with %s is told: %s', async (spec, ...said) => {
    const lines = await problemsOf(chainWith(spec));
    expect(lines).toEqual(said.map((line) => `fw.yaml:4:${line}`));
  });

  it('is on one interface, which is no pattern', async () => {
    const lines = await problemsOf(chainWith('functions: [a]').replace('eth0', '"veth*"'));
    expect(lines).toEqual([
      "fw.yaml:4:19: spec.interface: expected the name of an interface (15 characters at most), not 'veth*'",
    ]);
  });
});

describe('a document', () => {
  it.each([
    ['- a', '1:1: expected a mapping with apiVersion, kind, metadata and spec, not a list'],
    [
      '{}',
      "1:1: apiVersion: is missing: expected 'netkit/v1'",
      "1:1: kind: is missing: expected 'NetworkFunction' or 'Chain'",
    ],
    ['kind: [Chain]\napiVersion: netkit/v1', "1:7: kind: expected 'NetworkFunction' or 'Chain', not a list"],
  ])('that is %j is told: %s', async (text, ...said) => {
    expect(await problemsOf(text)).toEqual(said.map((line) => `fw.yaml:${line}`));
  });

  it('has labels whose texts are as they are written, and nothing but text', async () => {
    const labelled = (labels: string) =>
      functionWith('').replace('{name: fw}', `{name: fw, labels: ${labels}}`);
    expect((await read(labelled('{a: 1.10, b: yes, c: "", 1: 0x0A}')))[0]?.metadata.labels).toEqual({
      1: '0x0A',
      a: '1.10',
      b: 'yes',
      c: '',
    });
    expect(await problemsOf(labelled('{a: [b]}'))).toEqual([
      'fw.yaml:3:34: metadata.labels.a: expected text, not a list',
    ]);
  });
});
