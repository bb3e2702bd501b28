// What somebody changed by hand: `netkit reconcile` says it and mends it, and leaves the rest as it is.
import { readdirSync, rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { kernelLacks } from '../support/known-kernels.js';
import { run } from '../support/netns.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { attachedTo, functionOf, type ManifestGround, plant } from './manifest-ground.js';
import { cleared, manifestGround } from './manifest-setup.js';
import { chained, expectReconciled, order, type Reconciled, reconciles } from './reconcile-ground.js';

const hasTcx = kernelLacks('tcx') === undefined;

describeAsRoot('netkit reconcile, of what was changed by hand,', () => {
  const ground = manifestGround();

  const applies = (g: ManifestGround, more: object = {}): void => {
    const connecting = { program: 'connecting', hook: 'cgroup/connect4', target: g.cgroup('c') };
    g.declares([
      functionOf({
        program: { object: g.object, only: ['one', 'connecting'] },
        maps: { words: { entries: { 1: 10, 2: 20 } } },
        attach: [attachedTo(g, 'one'), connecting],
        ...more,
      }),
    ]);
    g.applies();
  };
  const driftOf = ({ functions }: Reconciled): string[] => functions.flatMap(({ drift }) => [...drift]);
  const kinds = ({ functions }: Reconciled): string[] =>
    functions.flatMap(({ steps }) => steps.map(({ kind }) => kind));

  it(
    'attaches again what was taken off, by netkit or by others',
    cleared(ground, async (g) => {
      const { ifname, netns } = g.ground;
      const ways: readonly (() => void)[] = [
        () => void g.ground.does('off', ifname, '--netns', netns.name),
        () => void g.ground.does('detach', 'f', ifname, '--netns', netns.name),
        () =>
          hasTcx ? void run('bpftool', ['link', 'detach', 'pinned', linkOf(g, 'one')]) : clearsFilters(g),
        () => (hasTcx ? rmSync(linkOf(g, 'one')) : clearsFilters(g)),
      ];
      applies(g);
      for (const [at, way] of ways.entries()) {
        const ids = g.identity().filter((each) => !each.startsWith('links/one'));
        way();
        expect(await g.arriving(), `way ${at}`).toEqual({});
        expect(driftOf(reconciles(g, 0, '--dry-run'))).toHaveLength(1);
        const found = reconciles(g);
        expect(driftOf(found)[0]).toMatch(
          new RegExp(`^one is not attached to tcx?/ingress of ${ifname} in netns`),
        );
        expect(kinds(found)).toEqual(['attach', 'record']);
        expect(await g.arriving()).toEqual({ one: 1 });
        // Nothing else was touched.
        expect(g.identity()).toEqual(expect.arrayContaining(ids));
        expectReconciled(g);
      }
      run('bpftool', ['link', 'detach', 'pinned', linkOf(g, 'connecting')]);
      expect(g.onCgroup('c')).toEqual([]);
      reconciles(g);
      expect(g.onCgroup('c')).toEqual(['connecting']);
    }),
  );

  it(
    'writes declared entries again, and leaves those of others',
    cleared(ground, (g) => {
      applies(g);
      plant(g, 'words', '01000000', 'ff00000000000000');
      plant(g, 'words', '63000000', '0100000000000000');
      run('bpftool', [
        'map',
        'delete',
        'pinned',
        g.pin('f', 'maps', 'words'),
        'key',
        'hex',
        '02',
        '00',
        '00',
        '00',
      ]);
      expect(driftOf(reconciles(g))).toEqual([
        'entries of words are not as declared: 1 missing, 1 different, 0 too many',
      ]);
      expect(g.entries('words')).toEqual({
        '01000000': '0a00000000000000',
        '02000000': '1400000000000000',
        '63000000': '0100000000000000',
      });
      expectReconciled(g);
    }),
  );

  it(
    'makes pins again that were removed, of what runs still',
    cleared(ground, async (g) => {
      applies(g);
      plant(g, 'words', '63000000', '0100000000000000');
      const ids = g.identity();
      const maps = pinsOf(g, 'maps').filter((each) => /\/(tallies|f_rodata)$/.test(each));
      const pins = [...pinsOf(g, 'progs'), ...maps];
      expect(pins).toHaveLength(4);
      for (const pin of [...pins.map((each) => [each]), pinsOf(g, 'progs'), maps, pins]) {
        for (const path of pin) rmSync(path);
        const { stderr } = g.ground.does('reconcile');
        expect(stderr.match(/had been removed: the (map|program) is pinned again/g)).toHaveLength(pin.length);
        expect(g.identity()).toEqual(ids);
        expectReconciled(g);
      }
      expect(await g.arriving()).toEqual({ one: 1 });
      // Of these nobody else holds anything.
      rmSync(g.pin('f', 'maps', 'lists'));
      const { problems } = reconciles(g, 1);
      expect(problems).toMatchObject([
        { code: 'conflict', message: expect.stringContaining("the map 'lists' of 'f' is gone") },
      ]);
    }),
  );

  it(
    'brings everything back when the bpf file system was emptied',
    cleared(ground, async (g) => {
      g.declares(chained(g));
      g.applies();
      rmSync(g.pin(), { recursive: true });
      expect(await order(g).catch(() => 'nothing counts')).toBe('nothing counts');
      const found = reconciles(g);
      expect(new Set(driftOf(found))).toEqual(new Set(['its pins are gone']));
      expect(await order(g)).toEqual(['xdp_one', 'two', 'one', 'three']);
      expectReconciled(g);
      // The pins of a chain that is shared with libxdp were still there, and its members ran.
      g.clears();
      expect(g.xdp()).toBeUndefined();
    }),
  );

  it(
    'puts the declared program in the place of another',
    cleared(ground, async (g) => {
      applies(g);
      g.ground.does('replace', 'f', g.heavier);
      expect(await g.arriving()).toEqual({ one: 2 });
      expect(driftOf(reconciles(g)).join()).toMatch(/^it was replaced by hand with .*fields\.bpfSTEP=2\.o/);
      expect(await g.arriving()).toEqual({ one: 1 });
      expectReconciled(g);
    }),
  );

  itWith(
    { kernelHas: ['tcx'] },
    'moves what was attached again with another priority',
    cleared(ground, async (g) => {
      const one = attachedTo(g, 'one', { priority: 30 });
      const program = { object: g.object, only: ['one', 'two'] };
      applies(g, { attach: [one, attachedTo(g, 'two', { priority: 40 })], program });
      g.ground.does('detach', 'f/one');
      g.ground.attach('f/one', '--hook', 'tcx/ingress', '--priority', '45');
      expect(Object.keys(await g.arriving())).toEqual(['two', 'one']);
      expect(kinds(reconciles(g))).toEqual(['rearrange', 'record']);
      expect(Object.keys(await g.arriving())).toEqual(['one', 'two']);
      expectReconciled(g);
    }),
  );

  it(
    'attaches anew, when asked, what stands in another mode',
    cleared(ground, (g) => {
      const program = { object: g.object, only: ['xdp_one'] };
      const place = { hook: 'xdp', mode: 'generic', direct: true };
      applies(g, { attach: [attachedTo(g, 'xdp_one', place)], program });
      g.ground.does('detach', 'f/xdp_one');
      g.ground.attach('f/xdp_one', '--mode', 'native', '--direct');
      expect(g.xdp()).toEqual({ mode: 1, name: 'xdp_one' });
      const refused = g.ground.netkit('reconcile');
      expect(refused.status).toBe(1);
      expect(refused.stderr).toMatch(/f\/xdp_one on .* cannot be changed in place/);
      expect(refused.stderr).toContain('--allow-gap');
      reconciles(g, 0, '--allow-gap');
      expect(g.xdp()).toEqual({ mode: 2, name: 'xdp_one' });
      expectReconciled(g);
    }),
  );

  it(
    'moves members of an XDP chain back to their places',
    cleared(ground, async (g) => {
      const { ifname, netns } = g.ground;
      const on = (program: string, priority: number) =>
        attachedTo(g, program, { hook: 'xdp', mode: 'generic', priority });
      g.declares([
        functionOf({
          program: { object: g.object, only: ['xdp_one', 'xdp_two'] },
          attach: [on('xdp_one', 10), on('xdp_two', 20)],
        }),
      ]);
      g.applies();
      g.ground.does('link', 'update', 'f/xdp_one', ifname, '--netns', netns.name, '--priority', '25');
      expect(Object.keys(await g.arriving())).toEqual(['xdp_two', 'xdp_one']);
      const found = reconciles(g);
      expect(kinds(found)).toEqual(['rearrange', 'record']);
      expect(Object.keys(await g.arriving())).toEqual(['xdp_one', 'xdp_two']);
      expectReconciled(g);
    }),
  );

  it(
    'leaves what nobody declared',
    cleared(ground, async (g) => {
      applies(g, { program: { object: g.object, only: ['one', 'two', 'connecting'] } });
      g.ground.attach('f/two', '--hook', 'tc/ingress');
      g.ground.does('detach', 'f/one');
      reconciles(g);
      expect(Object.keys(await g.arriving()).sort()).toEqual(['one', 'two']);
    }),
  );
});

function linkOf(g: ManifestGround, program: string): string {
  const pin = pinsOf(g, 'links').find((each) => each.includes(`/${program}-`));
  if (pin === undefined) throw new Error(`no link of ${program}`);
  return pin;
}

function pinsOf(g: ManifestGround, kind: string): string[] {
  return readdirSync(g.pin('f', kind)).map((name) => g.pin('f', kind, name));
}

function clearsFilters({ ground }: ManifestGround): void {
  run('tc', ['filter', 'del', 'dev', ground.ifname, 'ingress'], '', ground.netns);
}
