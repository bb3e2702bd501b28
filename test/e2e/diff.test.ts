// What `netkit diff` shows when others, or netkit's own commands, have changed what was declared.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tcx as tcxOf } from '../../src/ebpf/attach/index.js';
import { Program } from '../../src/ebpf/program.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { run } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { chain, type DriftRow, firewall, ingress, pair, ViewGround } from './declared-view-ground.js';
import { errorOf, fixture } from './ground.js';
import { pinTheirs } from './other-tools.js';
import { expectRefused, notFound } from './refusal.js';

const hasTcx = kernelLacks('tcx') === undefined;

const tcx = `
apiVersion: netkit/v1
kind: NetworkFunction
metadata: { name: f, labels: { tier: edge } }
spec:
  program: { object: ${fixture('tcx')} }
  attach: [{ program: on_ingress, hook: IN, interfaces: [ETH], netns: NS, priority: 30 }]
`;

const rules = (entries: string): string => `
apiVersion: netkit/v1
kind: NetworkFunction
metadata: { name: f }
spec:
  program: { object: ${fixture('declared')} }
  maps: { rules: { entries: ${entries} } }
`;

describeAsRoot('netkit diff', () => {
  expectUnchangedAfterAll();

  it('finds nothing after an apply, and shows every field with --all', () => {
    using view = new ViewGround();
    const { ground } = view;
    view.applies('fw.yaml', firewall);
    view.applies('c.yaml', pair(fixture('tcx')) + chain('one, two'));
    expect(view.differences()).toEqual([]);
    expect(ground.does('diff').stdout).toBe('no differences\n');
    const rows = new Map(view.diff('fw', '--all').map((row) => [row.field, row]));
    const sides = (field: string): unknown[] => {
      const { declared, recorded, kernel } = rows.get(field) ?? {};
      return [declared, recorded, kernel];
    };
    expect(sides('spec.globals.default_action')).toEqual(['pass', 'pass', 'pass']);
    expect(sides('spec.maps.blocklist_v4.maxEntries')).toEqual(['1000', '1000', '1000']);
    expect(sides('spec.maps.blocklist_v4.entries')).toEqual(['2 entries', '2 entries', 'all there']);
    const place = `attach firewall xdp of ${ground.ifname} in netns ${ground.netns.name}`;
    expect(sides(place)).toEqual(['attached', 'attached', 'attached']);
    // Without chains of any kind there would be no priority.
    expect(sides(`${place} priority`)).toEqual(['20', '20', '20']);
    expect(sides(`${place} proceedOn`)).toEqual([null, 'pass', 'pass']);
    expect(sides(`${place} mode`)[1]).toBe(sides(`${place} mode`)[2]);
    expect(view.diff('both', '--all')).toMatchObject([
      { declared: 'one, two', recorded: 'one, two', kernel: 'one, two' },
    ]);
    expect(view.diff('both', '--all')).toHaveLength(1);
    const shown = ground.does('diff', 'fw', '--all').stdout;
    expect(shown).toMatch(/^FIELD +DECLARED +RECORDED +KERNEL$/m);
  });

  it('names what nothing declares', async () => {
    using view = new ViewGround();
    await expectRefused(view.ground, ['diff', 'nobody'], {
      ...notFound,
      says: /nothing called 'nobody' is declared/,
    });
    expect(view.ground.does('diff').stdout).toBe('nothing is declared\n');
  });

  it('counts entries that others took away, changed and, in an exact map, added', () => {
    using view = new ViewGround();
    view.applies('f.yaml', rules('{1: {tag: 1}, 2: {tag: 2}, 3: {tag: 3}}'));
    const pin = view.pin('f', 'maps', 'rules');
    const key = (number: number) => ['key', 'hex', `0${number}`, '00', '00', '00'];
    run('bpftool', ['map', 'delete', 'pinned', pin, ...key(1)]);
    const bytes = Array.from({ length: 24 }, (_, at) => (at === 4 ? '09' : '00'));
    run('bpftool', ['map', 'update', 'pinned', pin, ...key(2), 'value', 'hex', ...bytes]);
    run('bpftool', ['map', 'update', 'pinned', pin, ...key(7), 'value', 'hex', ...bytes]);
    // What others add stays, and what is not declared of a value is theirs.
    expect(view.differences()).toEqual([
      'spec.maps.rules.entries: 3 entries | 3 entries | 1 missing, 1 different',
    ]);
    const [row] = view.diff();
    expect(row?.samples).toEqual([
      { kind: 'added', key: '1', from: null, to: 'tag=1' },
      { kind: 'changed', key: '2', from: 'tag=9', to: 'tag=2' },
    ]);
    const shown = view.ground.netkit('diff').stdout;
    expect(shown).toContain('1 is missing (tag=1)');
    expect(shown).toContain('2 is tag=9, not tag=2');
    view.ground.does('apply', '-f', join(view.folder, 'f.yaml'));
    expect(view.differences()).toEqual([]);
    view.applies('f.yaml', rules('{1: {tag: 1}, 2: {tag: 2}}, exact: true'));
    run('bpftool', ['map', 'update', 'pinned', pin, ...key(8), 'value', 'hex', ...bytes]);
    expect(view.differences()).toEqual([
      'spec.maps.rules.entries: 2 entries, no others | 2 entries, no others | 1 too many',
    ]);
  });

  it('gives five samples of each kind, however many there are', () => {
    using view = new ViewGround();
    const entries = Array.from({ length: 40 }, (_, key) => `${key}: {tag: 1}`);
    view.applies('f.yaml', rules(`{${entries.join(', ')}}`));
    for (let key = 0; key < 20; key++) view.ground.does('map', 'delete', 'f/rules', String(key));
    const [row] = view.diff();
    expect(row?.kernel).toBe('20 missing');
    expect(row?.samples).toHaveLength(5);
  });

  it('sees what was done with netkit by hand: detached, attached, moved, replaced', () => {
    using view = new ViewGround();
    const { ground } = view;
    view.applies('f.yaml', tcx);
    const where = `${ingress} of ${ground.ifname} in netns ${ground.netns.name}`;
    ground.attach('f/on_egress');
    const egress = view.differences();
    expect(egress).toHaveLength(1);
    expect(egress[0]).toMatch(/^attach on_egress t\S+ of .*: - \| not declared \| attached by hand$/);
    ground.does('detach', 'f/on_egress', ...ground.place);
    expect(view.differences()).toEqual([]);
    ground.does('detach', 'f', ...ground.place);
    expect(view.differences()).toEqual([`attach on_ingress ${where}: attached | attached | detached`]);
    ground.does('apply', '-f', join(view.folder, 'f.yaml'));
    expect(view.differences()).toEqual([]);
    // Another object in its place.
    const other = join(view.folder, 'other.bpf.o');
    // What stands behind the end of an object means nothing.
    writeFileSync(other, Buffer.concat([readFileSync(fixture('tcx')), Buffer.alloc(1)]));
    ground.does('replace', 'f', other);
    expect(view.differences().filter((text) => text.startsWith('spec.program:'))).toMatchObject([
      expect.stringMatching(
        /^spec\.program: tcx\.bpf\.o \w{12} \| tcx\.bpf\.o \w{12} \| other\.bpf\.o \w{12}$/,
      ),
    ]);
  });

  it('sees that others detached a program, or took its pins', () => {
    using view = new ViewGround();
    const { ground } = view;
    view.applies('f.yaml', tcx);
    const where = `${ingress} of ${ground.ifname} in netns ${ground.netns.name}`;
    if (hasTcx)
      run('bpftool', [
        'link',
        'detach',
        'pinned',
        view.pin('f', 'links', `on_ingress-tcx-ingress-${ground.ifname}`),
      ]);
    else ground.netns.run('tc', ['qdisc', 'del', 'dev', ground.ifname, 'clsact']);
    expect(view.differences()).toEqual([`attach on_ingress ${where}: attached | attached | lost`]);
    ground.does('apply', '-f', join(view.folder, 'f.yaml'));
    run('rm', [view.pin('f', 'progs', 'on_egress')]);
    expect(view.differences()).toEqual(['program on_egress: - | sched_cls | not there']);
    run('rm', [view.pin('f', 'maps', 'packets')]);
    expect(view.differences()).toContain('map packets: - | array | not there');
    run('rm', ['-r', view.pin('f')]);
    expect(view.differences()).toEqual(['function: - | loaded | not there']);
  });

  it('says of an interface that went that its attachment is declared, and lost', () => {
    using view = new ViewGround();
    const { netns } = view.ground;
    netns.run('ip', ['link', 'add', 'later0', 'type', 'veth', 'peer', 'name', 'later1']);
    const places = [`"${view.ground.ifname}", later0`, '"later*"'].map((interfaces) =>
      tcx.replace('[ETH]', `[${interfaces}]`).replace('priority: 30', 'priority: 30, missing: wait'),
    );
    for (const document of places) {
      const path = view.applies('f.yaml', document);
      netns.run('ip', ['link', 'del', 'later0']);
      const [row] = view.diff('-f', path).filter(({ field }) => field.includes('later0'));
      expect(row).toMatchObject({ declared: 'attached', recorded: 'attached', kernel: 'lost' });
      netns.run('ip', ['link', 'add', 'later0', 'type', 'veth', 'peer', 'name', 'later1']);
    }
  });

  it('sees a program that somebody pinned in the place of the function', () => {
    using view = new ViewGround();
    view.applies('f.yaml', tcx);
    const pin = view.pin('f', 'progs', 'on_ingress');
    run('rm', [pin]);
    run('bpftool', ['prog', 'load', fixture('tc'), pin]);
    const [row] = view.diff();
    expect(row).toMatchObject({ field: 'program on_ingress', recorded: 'sched_cls', differs: true });
    expect(row?.kernel).toMatch(/^sched_cls [0-9a-f]{16}, but program \d+ is attached$/);
  });

  it('sees variables that were set otherwise, and shows those that programs write', () => {
    using view = new ViewGround();
    const { ground } = view;
    view.applies('fw.yaml', firewall);
    ground.does('replace', 'fw', 'builtin:firewall', '--set', 'default_action=drop');
    expect(view.differences()).toContain('spec.globals.default_action: pass | pass | drop');
    view.applies('f.yaml', rules('{}'));
    const data = view.pin('f', 'maps', 'f_data');
    const nine = ['09', '00', '00', '00'];
    run('bpftool', [
      'map',
      'update',
      'pinned',
      data,
      'key',
      'hex',
      '00',
      '00',
      '00',
      '00',
      'value',
      'hex',
      ...nine,
    ]);
    expect(view.differences('f')).toEqual([]);
    const row = view.diff('f', '--all').find(({ field }) => field === 'spec.globals.threshold');
    expect(row).toMatchObject({ declared: '7', recorded: '7', kernel: '9', differs: false });
  });

  it.runIf(hasTcx)('sees that somebody came before a program that was to be first', () => {
    using view = new ViewGround();
    const { ground } = view;
    view.applies('f.yaml', tcx.replace('priority: 30', 'place: first'));
    ground.does('load', fixture('tcx'), '--name', 'hand');
    ground.attach('hand/on_ingress', '--before', 'f/on_ingress');
    // One of netkit's own may be asked to be there.
    expect(view.differences()).toEqual([]);
    const where = `${ingress} of ${ground.ifname} in netns ${ground.netns.name}`;
    const row = view.diff('--all').find(({ field }) => field === `attach on_ingress ${where} order`);
    expect(row).toMatchObject({ recorded: 'first', kernel: 'number 2 of 2', differs: false });
    ground.does('detach', 'hand', ...ground.place);
    using theirs = Program.fromPin(pinTheirs(ground, fixture('tc')));
    const { ifname, netns } = ground;
    using _link = theirs.attach(
      tcxOf({ ifname, netns: netns.handle, direction: 'ingress', position: 'first' }),
    );
    expect(view.differences()).toEqual([`attach on_ingress ${where} order: - | first | number 2 of 2`]);
  });

  it('sees another priority and other verdicts in a chain of XDP programs', () => {
    using view = new ViewGround();
    const { ground } = view;
    view.applies('fw.yaml', firewall);
    ground.does('link', 'update', 'fw', ...ground.place, '--priority', '77', '--proceed-on', 'pass,tx');
    const place = `attach firewall xdp of ${ground.ifname} in netns ${ground.netns.name}`;
    expect(view.differences()).toEqual([
      `${place} priority: 20 | 20 | 77`,
      `${place} proceedOn: - | pass | pass, tx`,
    ]);
    ground.does('apply', '-f', join(view.folder, 'fw.yaml'));
    expect(view.differences()).toEqual([]);
  });

  it('sees a chain in another order, and one that lacks a member', () => {
    using view = new ViewGround();
    const { ground } = view;
    const text = ['one', 'two'].map(
      (name) =>
        `{apiVersion: netkit/v1, kind: NetworkFunction, metadata: {name: ${name}}, spec: {program: {builtin: firewall}}}`,
    );
    view.applies('c.yaml', `${text.join('\n---\n')}\n${chain('one, two').replace('IN', 'xdp')}`);
    ground.does('link', 'update', 'one', ...ground.place, '--priority', '90');
    const found = view.differences();
    expect(found).toContain('order: one, two | one, two | two, one');
    expect(found.filter((each) => each.startsWith('chain both: '))).toMatchObject([
      expect.stringMatching(/priority: - \| 10 \| 90$/),
    ]);
    ground.does('detach', 'one', ...ground.place);
    expect(view.differences('both')).toEqual(['order: one, two | one, two | two']);
  });

  it('shows what has changed in the manifest, and what is in it no more', () => {
    using view = new ViewGround();
    const { ground } = view;
    const path = view.applies('f.yaml', tcx);
    const where = `${ingress} of ${ground.ifname} in netns ${ground.netns.name}`;
    view.declares(
      'f.yaml',
      tcx
        .replace('tier: edge', 'tier: core')
        .replace('priority: 30', 'priority: 31')
        .concat('  maps: { packets: { maxEntries: 3 } }\n  health: { settle: 1s }\n'),
    );
    expect(view.differences()).toEqual([
      'spec.maps.packets.maxEntries: 3 | 2 | 2',
      `attach on_ingress ${where} priority: 31 | 30 | 30`,
      'metadata.labels.tier: core | edge | -',
      'spec.health: {"settle":"1s"} | nothing | -',
    ]);
    view.declares('f.yaml', tcx.replace('name: f,', 'name: g,'));
    expect(view.differences('f')).toEqual(['document: not in the manifest | applied | -']);
    expect(view.differences('-f', path)).toEqual(['document: in the manifest | not applied | -']);
    // One that is gone or wrong says nothing of what is declared.
    writeFileSync(path, 'apiVersion: [');
    const wrong = ground.does('diff');
    expect(wrong.stderr).toMatch(/^netkit: warning: .*f\.yaml cannot be compared with: /);
    expect(errorOf(ground.refuses(1, 'diff', '-f', path, '--json')).code).toBe('bad-manifest');
    renameSync(path, `${path}.away`);
    ground.does('detach', 'f', ...ground.place);
    expect(view.differences()).toEqual([`attach on_ingress ${where}: - | attached | detached`]);
  });

  it('ends with 8, and shows the rest, when a state cannot be read', () => {
    using view = new ViewGround();
    view.applies('f.yaml', pair(fixture('tcx')));
    writeFileSync(join(view.ground.bpffs.stateDir, 'one.json'), '{');
    const result = view.ground.netkit('diff');
    expect(result.status).toBe(8);
    expect(result.stdout).toMatch(/^one\n.*one\.json is damaged/m);
    expect(view.diff('two')).toEqual<DriftRow[]>([]);
    view.ground.does('unload', 'one');
  });
});
