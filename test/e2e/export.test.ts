// A manifest of what runs: applied where everything was unloaded, it makes the same again.
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { LoadedFunctionInfo } from '../../src/cli/schema/index.js';
import { TestCgroup } from '../support/cgroup.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { run } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { chain, firewall, ingress, pair, ViewGround } from './declared-view-ground.js';
import { bpftoolDump, fixture } from './ground.js';
import { compileOperate, loadOperate } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { pinTheirs } from './other-tools.js';
import { expectRefused, notFound, unsupported, usage } from './refusal.js';

const hasNetfilter = kernelLacks('netfilter-links') === undefined;
const hasClocks = kernelLacks('perf-links') === undefined;

/** What `list` says but for what is another after each load. */
function essence(functions: readonly LoadedFunctionInfo[]): unknown {
  return functions.map(({ name, programs, maps, links }) => ({
    name,
    programs: programs.map((each) => [each.name, each.type, each.section]),
    maps: maps.map((each) => [each.name, each.type, each.maxEntries, each.keySize, each.valueSize]),
    links: links
      .map((each) =>
        [each.program.name, each.hook, each.detail, each.target, each.netns?.name, each.dead].join(' '),
      )
      .sort(),
  }));
}

/** Exports, unloads everything, applies what was exported: it must be the same, and be exported as the same. @returns the manifest */
function roundTrip(view: ViewGround, ...words: string[]): string {
  const { ground } = view;
  const { stdout: text } = ground.does('export', ...words);
  const before = essence(ground.list());
  const path = view.writes('exported.yaml', text);
  ground.does('unload', '--all', '--yes');
  for (const file of readdirSync(ground.bpffs.stateDir))
    if (file.endsWith('.chain')) rmSync(join(ground.bpffs.stateDir, file));
  ground.does('apply', '-f', path);
  expect(essence(ground.list())).toEqual(before);
  expect(ground.netkit('plan', '-f', path).status).toBe(0);
  expect(view.differences()).toEqual([]);
  // Remarks are about what was done by hand: now it is declared.
  const again = ground.does('export', ...words).stdout;
  expect(again.replaceAll(/^#.*\n/gm, '')).toBe(text.replaceAll(/^#.*\n/gm, ''));
  return text;
}

describeAsRoot('netkit export', () => {
  expectUnchangedAfterAll();
  let operate: string;
  compileBeforeAll(async (objects) => {
    operate = await compileOperate(objects);
  });

  it('gives the document of a declared function as it was applied, and its chain', () => {
    using view = new ViewGround();
    view.applies('fw.yaml', firewall);
    view.applies('c.yaml', pair(fixture('tcx')) + chain('two, one'));
    const text = roundTrip(view);
    const [fw, one, two, both] = parseAllDocuments(text).map((document) => document.toJS());
    expect(fw).toEqual(parseAllDocuments(view.filled(firewall))[0]?.toJS());
    expect([one.metadata.name, two.metadata.name]).toEqual(['one', 'two']);
    expect(both).toMatchObject({ kind: 'Chain', spec: { functions: ['two', 'one'] } });
    const { documents, notes, files, left } = view.export();
    expect(documents).toEqual([fw, one, two, both]);
    expect([notes, files, left]).toEqual([[], [], []]);
    expect(view.export('both').documents).toEqual([both]);
  });

  it('says the same of programs that were made for tcx, and are in a chain on tc', () => {
    using view = new ViewGround();
    const members = pair(fixture('tcx')) + chain('two, one');
    view.applies('c.yaml', members.replaceAll(/\bIN\b/g, 'tc/ingress'));
    const { ground } = view;
    expect(ground.listed('one').links.map(({ program: { name } }) => name)).toEqual(['on_ingress']);
    const [both] = view.export('both').documents;
    expect(both).toMatchObject({ spec: { hook: 'tc/ingress', functions: ['two', 'one'] } });
  });

  it('makes a manifest of functions that were loaded by hand', () => {
    using view = new ViewGround();
    const { ground } = view;
    const { ifname, netns } = ground;
    ground.netns.run('ip', ['link', 'add', 'more0', 'type', 'veth', 'peer', 'name', 'more1']);
    ground.does(
      'load',
      fixture('declared'),
      '--name',
      'maps',
      '--set',
      'threshold=9',
      '--map-size',
      'rules=77',
    );
    ground.does('load', fixture('tcx'), '--name', 't');
    ground.attach('t/on_ingress', '--priority', '30');
    ground.does('attach', 't/on_ingress', 'more0', '--netns', netns.name, '--priority', '30');
    ground.attach('t/on_egress');
    ground.does('load', 'builtin:firewall', '--name', 'wall', '--set', 'default_action=pass');
    ground.attach('wall', '--priority', '12');
    ground.does('load', fixture('pass'), '--name', 'only');
    ground.does('attach', 'only', 'more1', '--netns', netns.name, '--direct', '--mode', 'generic');
    const text = roundTrip(view);
    const documents = Object.fromEntries(
      parseAllDocuments(text).map((each) => [each.toJS().metadata.name, each.toJS().spec]),
    );
    expect(documents.maps).toEqual({
      program: { object: fixture('declared') },
      globals: { threshold: 9 },
      maps: { rules: { maxEntries: 77 } },
    });
    expect(documents.t.attach).toMatchObject([
      {
        program: 'on_ingress',
        hook: ingress,
        interfaces: [ifname, 'more0'],
        netns: netns.name,
        priority: 30,
      },
      { program: 'on_egress', interfaces: [ifname] },
    ]);
    expect(documents.wall).toMatchObject({
      program: { builtin: 'firewall' },
      globals: { default_action: 'pass' },
      attach: [{ hook: 'xdp', priority: 12, proceedOn: ['pass'] }],
    });
    expect(documents.only.attach).toMatchObject([{ mode: 'generic', direct: true }]);
  });

  it('names what each hook needs to be attached to again', () => {
    using view = new ViewGround();
    using cgroup = new TestCgroup();
    const { ground } = view;
    const here = ['--netns', ground.netns.name];
    loadOperate(ground, operate, [
      'connecting',
      'steer',
      'dissect',
      ...(hasClocks ? ['tick'] : []),
      ...(hasNetfilter ? ['filter'] : []),
    ]);
    ground.does('attach', 'o/connecting', cgroup.path);
    ground.does('attach', 'o/steer', ...here);
    ground.does('attach', 'o/dissect', ...here);
    if (hasClocks) ground.does('attach', 'o/tick', 'cpu-clock@49:cpu0');
    if (hasNetfilter) ground.does('attach', 'o/filter', ...here, '--stage', 'input', '--priority', '-7');
    const [document] = parseAllDocuments(roundTrip(view)).map((each) => each.toJS());
    const { name } = ground.netns;
    expect(document.spec.attach).toEqual([
      { program: 'connecting', hook: 'cgroup/connect4', target: expect.stringMatching(/^\//) },
      { program: 'steer', hook: 'sk_lookup', netns: name },
      { program: 'dissect', hook: 'flow_dissector', netns: name },
      ...(hasClocks ? [{ program: 'tick', hook: 'perf_event', target: 'cpu-clock@49:cpu0' }] : []),
      ...(hasNetfilter
        ? [
            {
              program: 'filter',
              hook: 'netfilter',
              netns: name,
              family: 'ipv4',
              stage: 'input',
              priority: -7,
            },
          ]
        : []),
    ]);
  });

  it('adds to a declared function what was changed by hand', () => {
    using view = new ViewGround();
    const { ground } = view;
    ground.netns.run('ip', ['link', 'add', 'later1', 'type', 'veth', 'peer', 'name', 'later2']);
    view.applies('fw.yaml', firewall);
    ground.does('link', 'update', 'fw', ground.ifname, '--netns', ground.netns.name, '--priority', '77');
    const [changed] = view.export('fw').documents;
    expect(Object(changed?.spec).attach).toMatchObject([
      { interfaces: [ground.ifname], priority: 77, proceedOn: ['pass'] },
      { interfaces: ['later*'], priority: 20 },
    ]);
    ground.does('detach', 'fw', 'later1', '--netns', ground.netns.name);
    const { documents, notes } = view.export('fw');
    expect(Object(documents[0]?.spec).attach).toMatchObject([{ priority: 77 }, { interfaces: ['later2'] }]);
    expect(notes).toEqual([
      { name: 'fw', text: "the pattern 'later*' is left out: one of its interfaces was detached by hand" },
    ]);
    ground.does('replace', 'fw', 'builtin:firewall', '--set', 'default_action=drop');
    const text = roundTrip(view);
    expect(text).toContain('  globals:\n    default_action: drop\n');
    expect(text).toMatch(/^# its programs were replaced by hand/m);
  });

  it('keeps a configuration while its programs run, and has the contents of maps where others do', () => {
    using view = new ViewGround();
    const { ground } = view;
    const head = (name: string) =>
      `{apiVersion: netkit/v1, kind: NetworkFunction, metadata: {name: ${name}}, spec: {program: {builtin: firewall}`;
    view.applies(
      'wall.yaml',
      `${head('wall')}, config: {defaultAction: drop, block: [10.9.0.0/16], maxEntries: 500}}}
---
${head('also')}, maps: {blocklist_v4: {maxEntries: 500, reuse: wall/blocklist_v4}}}}`,
    );
    ground.does('map', 'update', 'wall/blocklist_v4', '192.0.2.0/24', 'action=drop');
    const text = roundTrip(view, '--entries');
    expect(text).toMatch(/^# the entries of 'blocklist_v4' follow from the configuration/m);
    // It shares a map of the other one, which therefore comes first, and has its entries.
    expect(parseAllDocuments(text).map((each) => each.toJS().metadata.name)).toEqual(['wall', 'also']);
    expect(text.match(/192\.0\.2\.0/g)).toBeNull();
    ground.does('replace', 'wall', 'builtin:firewall', '--set', 'default_action=pass');
    const { documents, notes } = view.export('wall', '--entries');
    expect(notes.map((note) => note.text)).toContain(
      'its configuration is left out, since other programs run: --entries declares what is in its maps',
    );
    const spec = Object(documents[0]?.spec);
    expect(spec.config).toBeUndefined();
    expect(spec.globals).toEqual({ default_action: 'pass' });
    expect(Object.keys(spec.maps.blocklist_v4.entries)).toEqual(['10.9.0.0/16']);
  });

  it('declares the contents of maps with --entries, also what others wrote', () => {
    using view = new ViewGround();
    const { ground } = view;
    ground.does('load', fixture('declared'), '--name', 'f');
    const writes: readonly (readonly [string, string, string])[] = [
      ['blocklist', '10.0.0.0/8', '{"action":"DROP","tag":3,"packets":18446744073709551615}'],
      ['rules', '7', '{"action":"PASS","bytes":1}'],
      ['flows', '{"saddr":"10.0.0.1","port":53,"proto":17}', '9'],
      ['settings', '3', '{"tag":5}'],
      [
        'wides',
        '1',
        '{"action":"DROP","low":5,"high":17,"limits":{"rate":1,"burst":2},"ports":[1,2,3,4],"v4":"10.0.0.7","hits":8}',
      ],
      ['cpu_settings', '2', '6'],
      ['cpu_rules', '1', '{"packets":5}'],
      ['guarded', '4', '{"limit":10,"hits":11}'],
    ];
    for (const [map, key, value] of writes) ground.does('map', 'update', `f/${map}`, key, value);
    const contents = () =>
      writes.map(([map]) => {
        if (map.startsWith('cpu_')) return ground.does('map', 'dump', `f/${map}`, '--per-cpu').stdout;
        const dumped = bpftoolDump(view.pin('f', 'maps', map));
        return dumped.sort((one, other) => one.key.localeCompare(other.key));
      });
    const before = contents();
    const text = roundTrip(view, '--entries');
    expect(contents()).toEqual(before);
    const [document] = parseAllDocuments(text, { intAsBigInt: true }).map((each) => each.toJS());
    const { maps } = document.spec;
    expect(maps.blocklist.entries['10.0.0.0/8']).toMatchObject({
      action: 'DROP',
      packets: 18446744073709551615n,
    });
    expect(maps.settings.entries).toMatchObject({ 3: { tag: 5n } });
    expect(Object.keys(maps.settings.entries)).toEqual(['3']);
    expect(maps.flows.entries).toEqual([{ key: { saddr: '10.0.0.1', port: 53n, proto: 17n }, value: 9n }]);
    // One value on every CPU is one value.
    expect(maps.cpu_settings.entries).toEqual({ 2: 6n });
  });

  it('writes large maps and objects that are gone beside the manifest', async () => {
    using view = new ViewGround();
    const { ground } = view;
    const object = join(view.folder, 'gone.bpf.o');
    copyFileSync(fixture('declared'), object);
    ground.does('load', object, '--name', 'f');
    const lines = Array.from({ length: 12_000 }, (_, key) => `${key},${key * 2}`);
    const csv = view.writes('numbers.csv', `key,value\n${lines.join('\n')}\n`);
    ground.does('map', 'import', 'f/numbers', csv);
    rmSync(object);
    await expectRefused(ground, ['export', 'f', '--entries'], {
      ...usage,
      says: /'f\/numbers' has more entries than a manifest takes/,
      hints: /--output-dir/,
    });
    const stored = view.export('f');
    expect(stored.notes).toMatchObject([
      { name: 'f', text: expect.stringMatching(/is not there any more: this is the copy that netkit keeps/) },
    ]);
    const folder = join(view.folder, 'saved');
    const before = bpftoolDump(view.pin('f', 'maps', 'numbers')).length;
    const { files, documents } = view.export('f', '--entries', '--output-dir', folder);
    expect(files.map((path) => path.slice(folder.length + 1)).sort()).toEqual([
      'f-numbers.csv',
      'f.bpf.o',
      'manifest.yaml',
    ]);
    expect(Object(documents[0]?.spec).program).toEqual({ object: join(folder, 'f.bpf.o') });
    expect(readFileSync(join(folder, 'f.bpf.o')).equals(readFileSync(fixture('declared')))).toBe(true);
    // The folder can be moved.
    const moved = join(view.folder, 'moved');
    run('mv', [folder, moved]);
    ground.does('unload', 'f');
    ground.does('apply', '-f', join(moved, 'manifest.yaml'));
    expect(bpftoolDump(view.pin('f', 'maps', 'numbers'))).toHaveLength(before);
    expect(view.differences()).toEqual([]);
  });

  it('says of an object whose file has other contents by now that it is a copy', () => {
    using view = new ViewGround();
    const { ground } = view;
    const object = join(view.folder, 'f.bpf.o');
    copyFileSync(fixture('tcx'), object);
    ground.does('load', object, '--name', 'f');
    copyFileSync(fixture('tc'), object);
    const text = ground.does('export', '--output-dir', join(view.folder, 'out')).stdout;
    expect(text).toMatch(/^# .*f\.bpf\.o has other contents by now: this is a copy$/m);
    roundTrip(view, '--output-dir', join(view.folder, 'out'));
  });

  it('refuses a function that was adopted, and leaves it out where everything is exported', async () => {
    using view = new ViewGround();
    const { ground } = view;
    const pin = pinTheirs(ground, fixture('tc'));
    ground.does('adopt', pin, '--name', 'theirs');
    ground.does('load', fixture('pass'), '--name', 'own');
    await expectRefused(ground, ['export', 'theirs'], {
      ...unsupported,
      says: /'theirs' was adopted from another tool/,
    });
    const result = ground.does('export');
    expect(result.stderr).toMatch(/^netkit: warning: 'theirs' was adopted .*: left out$/m);
    expect(parseAllDocuments(result.stdout).map((each) => each.toJS().metadata.name)).toEqual(['own']);
    await expectRefused(ground, ['export', 'nobody'], {
      ...notFound,
      says: /no function 'nobody' is loaded/,
    });
  });

  it('says what is damaged, and exports the rest', async () => {
    using view = new ViewGround();
    const { ground } = view;
    view.applies('f.yaml', pair(fixture('tcx')));
    writeFileSync(join(ground.bpffs.stateDir, 'one.json'), '{');
    const { documents, left } = view.export();
    expect(documents).toMatchObject([{ metadata: { name: 'two' } }]);
    expect(left).toMatchObject([expect.stringMatching(/one\.json is damaged.*: left out$/)]);
    await expectRefused(ground, ['export', 'one'], {
      status: 1,
      code: 'bad-state',
      says: /one\.json is damaged/,
    });
    ground.does('unload', 'one');
  });
});
