import { describe, expect, it } from 'vitest';
import { reasonAgainstEntries } from '../../../../src/cnf/entries/declarable.js';
import { type InlineEntries, readInline } from '../../../../src/cnf/entries/inline.js';
import { reasonAgainstKeeping } from '../../../../src/cnf/entries/map-snapshot.js';
import { possibleCpus } from '../../../../src/ebpf/possible-cpus.js';
import { declaredSpec, refusal, told } from './support.js';

const spec = declaredSpec();
const read = (map: string, entries: InlineEntries) => readInline(spec, map, entries);
const said = (map: string, entries: InlineEntries) => told(spec, map, read(map, entries));

/** The places and sentences of all that is wrong. */
function problems(map: string, entries: InlineEntries, path?: (string | number)[]): unknown {
  const { code, details } = refusal(() => readInline(spec, map, entries, path === undefined ? {} : { path }));
  expect(code).toBe('bad-value');
  expect(details.path).toEqual(Array.isArray(details.problems) ? details.problems[0].path : undefined);
  return details.problems;
}

describe('entries in a manifest', () => {
  it('declare the members that they name, and no others', () => {
    const entries = {
      '10.0.0.0/8': { action: 'DROP' },
      '10.1.0.0/16': 'PASS',
      '1.2.3.4': { action: 'DROP', tag: '7' },
      '2.0.0.0/8': 'action=DROP,bytes=0x10',
      '3.0.0.0/8': {},
    };
    expect(said('blocklist', entries)).toEqual([
      '10.0.0.0/8: action=DROP',
      '10.1.0.0/16: action=PASS',
      '1.2.3.4/32: action=DROP,tag=7',
      '2.0.0.0/8: action=DROP,bytes=16',
      '3.0.0.0/8: ',
    ]);
    const { masks, maskOf } = read('blocklist', entries);
    expect(masks.map((mask) => Buffer.from(mask).toString('hex'))).toEqual([
      'ffffffff0000000000000000000000000000000000000000',
      'ffffffffff00000000000000000000000000000000000000',
      'ffffffff000000000000000000000000ffffffffffffffff',
      '000000000000000000000000000000000000000000000000',
    ]);
    expect([...(maskOf ?? [])]).toEqual([0, 0, 1, 2, 3]);
  });

  it('give arrays and unions as a whole, bit fields and nested members one by one', () => {
    expect(
      said('wides', {
        1: { low: '3', limits: { rate: '5' }, ports: ['1'], v4: '10.0.0.1' },
        2: { high: '1' },
        3: `hex:${'00'.repeat(56)}`,
      }),
    ).toEqual([
      '1: low=3,limits.rate=5,ports="[1,0,0,0]",v6=a00:1::',
      '2: high=1',
      '3: action=PASS,low=0,high=0,limits.rate=0,limits.burst=0,ports="[0,0,0,0]",v6=::,hits=0',
    ]);
  });

  it('are a list where keys are structs, and one set when there are several ways to write a key', () => {
    expect(
      said('flows', [
        { key: { saddr: '10.0.0.1', port: '80', proto: '6' }, value: '18446744073709551615' },
        { key: { saddr: '10.0.0.1', port: '0x50', proto: '17' }, value: '10' },
      ]),
    ).toEqual([
      '{"saddr":"10.0.0.1","port":80,"proto":6}: 18446744073709551615',
      '{"saddr":"10.0.0.1","port":80,"proto":17}: 10',
    ]);
    expect(problems('numbers', { 16: '1', '0x10': '2' })).toEqual([
      {
        path: ['spec', 'maps', 'numbers', 'entries', '0x10'],
        message: '0x10: this key stands there already, as 16',
      },
    ]);
  });

  it('of a per-CPU map give a single value to every CPU, and a list one each', () => {
    const cpus = possibleCpus();
    const single = read('cpu_settings', { 1: '5' });
    const each = read('cpu_settings', { 1: Array.from({ length: cpus }, () => '5') });
    expect(single).toEqual(each);
    expect(single.values.filter((byte) => byte === 5)).toHaveLength(cpus);
    expect(
      problems('cpu_rules', { 1: Array.from({ length: cpus + 1 }, () => ({ action: 'DROP' })) }),
    ).toEqual([
      {
        path: ['spec', 'maps', 'cpu_rules', 'entries', '1'],
        message: `1: a list of ${cpus + 1}, and there are ${cpus} possible CPUs, each with a value of its own`,
        hint: 'a single value is given to every CPU',
      },
    ]);
  });

  it('that are wrong are all told, each with its place', () => {
    const at = (...rest: (string | number)[]) => ['spec', 'maps', 'blocklist', 'entries', ...rest];
    expect(
      problems('blocklist', {
        '10.0.0.0/8': { action: 'NO' },
        '10.1.0.1/16': 'PASS',
        x: { acton: 'DROP', tag: '7' },
        '1.0.0.0/8': { action: 'DROP', tag: '256' },
        'hex:2100000001000000': 'PASS',
        '2.0.0.0/8': 'PASS',
        'hex:0800000002000000': 'PASS',
      }),
    ).toEqual([
      {
        path: at('10.0.0.0/8', 'action'),
        message: "10.0.0.0/8: value.action: 'NO' is not in enum action (PASS, DROP)",
      },
      {
        path: at('10.1.0.1/16'),
        message: '10.1.0.1/16: key: 10.1.0.1/16 has host bits set: did you mean 10.1.0.0/16?',
      },
      { path: at('x'), message: "x: key: 'x' is not an IPv4 address: a part is not a decimal number" },
      {
        path: at('x', 'acton'),
        message: "x: value: struct rule has no member 'acton'",
        hint: "did you mean 'action'?",
      },
      { path: at('1.0.0.0/8', 'tag'), message: expect.stringMatching(/^1\.0\.0\.0\/8: value\.tag: /) },
      {
        path: at('hex:2100000001000000'),
        message: 'hex:2100000001000000: a prefix of 33 bits is longer than the addresses of the map, 32',
      },
      {
        path: at('hex:0800000002000000'),
        message: 'hex:0800000002000000: this key stands there already, as 2.0.0.0/8',
      },
    ]);
    expect(
      problems(
        'flows',
        [
          { key: { saddr: '10.0.0.1' }, value: 'x' },
          { key: { saddr: '10.0.0.1' }, value: '1' },
          { key: { saddr: '10.0.0.1', nope: '1' }, value: ['1'] },
          { key: { saddr: '10.0.0.1' }, value: '1' },
        ],
        ['here'],
      ),
    ).toMatchObject([
      { path: ['here', 0, 'value'] },
      { path: ['here', 2, 'key', 'nope'] },
      { path: ['here', 2, 'value'] },
      { path: ['here', 3, 'key'], message: 'entry 3: this key stands there already, as entry 1' },
    ]);
    expect(problems('wides', { 1: { limits: { rate: '-1' }, ports: ['1', 'x'] } })).toMatchObject([
      { path: ['spec', 'maps', 'wides', 'entries', '1', 'limits', 'rate'] },
    ]);
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [index, 'x']));
    const error = refusal(() => read('numbers', many));
    expect(error.message).toMatch(
      /^map 'numbers': 0: value: 'x' is not an integer \(u64\) \(and 499 more\)$/,
    );
    expect(error.details.problems).toHaveLength(100);
    expect(problems('numbers', JSON.parse('{"1":{"__proto__":"x"}}'))).toHaveLength(1);
    expect(problems('rules', JSON.parse('{"1":{"__proto__":"x"}}'))).toHaveLength(1);
  });

  it('are refused by maps that take none, with the reason', () => {
    const reasons: Readonly<Record<string, RegExp>> = {
      events: /stream of records/,
      waiting: /no keys/,
      calls: /programs/,
      sockets: /sockets/,
      tables: /maps, which are told by ids/,
      sealed: /read-only for user space/,
      '.data': /global variables/,
    };
    for (const [map, reason] of Object.entries(reasons)) {
      const error = refusal(() => read(map, { 1: '1' }));
      expect(error.code, map).toBe('unsupported');
      expect(error.message, map).toMatch(reason);
      expect(error.details.path, map).toEqual(['spec', 'maps', map, 'entries']);
    }
    for (const map of spec.maps)
      expect(reasonAgainstEntries(map) === undefined, map.name).toBe(!(map.name in reasons));
    expect(refusal(() => read('blocklst', {}))).toMatchObject({ code: 'not-found' });
  });

  it('cannot be kept over a reboot where they are numbers of interfaces', () => {
    expect(reasonAgainstKeeping(spec.map('devices'))).toMatch(/numbers of interfaces/);
    expect(reasonAgainstKeeping(spec.map('events'))).toMatch(/stream/);
    expect(reasonAgainstKeeping(spec.map('blocklist'))).toBeUndefined();
  });

  it('are as many as the map will hold, and no more', () => {
    const small = declaredSpec();
    small.setMapSize('rules', 2);
    expect(readInline(small, 'rules', { 1: 'DROP', 2: 'DROP' }).count).toBe(2);
    const error = refusal(() => readInline(small, 'rules', { 1: 'DROP', 2: 'DROP', 3: 'DROP' }));
    expect(error).toMatchObject({
      code: 'conflict',
      message: "map 'rules' holds 2 entries, and 3 are given",
    });
    expect(readInline(small, 'rules', { 1: 'DROP', 2: 'DROP', 3: 'DROP' }, { maxEntries: 3 }).count).toBe(3);
    expect(problems('settings', { 7: 'DROP', 8: 'DROP' })).toMatchObject([
      { message: "8: the map's indices go from 0 to 7" },
    ]);
    expect(problems('devices', { 1: { ifindex: '1', prog: '7' } })).toMatchObject([
      { message: /id of this boot/ },
    ]);
  });
});
