// After a reboot: what `netkit reconcile` brings back, by what the kernel has and by packets.
import { copyFileSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { describeAsRoot } from '../support/requirements.js';
import { fixture } from './ground.js';
import { attachedTo, functionOf, ingress, plant } from './manifest-ground.js';
import { manifestGround, testsOnClear } from './manifest-setup.js';
import { rewrite } from './reboot.js';
import {
  chained,
  expectReconciled,
  forgetsSources,
  order,
  reboots,
  reconciles,
  stateOf,
  verbs,
} from './reconcile-ground.js';

describeAsRoot('netkit reconcile, after a reboot,', () => {
  const ground = manifestGround();
  const onClear = testsOnClear(ground);

  onClear('brings back functions, maps, kept contents, order and generations', async (g) => {
    g.declares(chained(g));
    g.applies();
    g.declares(chained(g, { globals: { step: 5 } }));
    g.applies();
    g.ground.does('load', fixture('pass'), '--name', 'hand', '--persist');
    plant(g, 'words', '09000000', '5a00000000000000', 'base');
    plant(g, 'others', '63000000', '0100000000000000', 'base');
    expect(g.ground.does('snapshot').stdout).toBe('saved base/words: 3 entries, 296 bytes\n');
    const ran = { xdp_one: 5, two: 1, one: 5, three: 1 };
    expect(await g.arriving('base')).toEqual(ran);
    forgetsSources(g);

    reboots(g);
    const found = reconciles(g);
    expect(verbs(found)).toEqual({ aside: 'restore', base: 'restore', beside: 'restore' });
    expect(found).toMatchObject({ restored: ['hand'], problems: [] });
    expect(await g.arriving('base')).toEqual(ran);
    expect(await order(g)).toEqual(['xdp_one', 'two', 'one', 'three']);
    expect(g.onCgroup('c')).toEqual(['connecting']);
    expect(g.map('words', 'base').max_entries).toBe(500);
    expect(g.entries('words', 'base')).toEqual({
      '01000000': '0a00000000000000',
      '02000000': '1400000000000000',
      '09000000': '5a00000000000000',
    });
    // What was not to be kept is as it was applied.
    expect(g.entries('others', 'base')).toEqual({
      '07000000': '4600000000000000',
      '08000000': '5000000000000000',
    });
    expect(g.map('tallies', 'aside').id).toBe(g.map('tallies', 'base').id);
    expectReconciled(g);

    g.ground.does('rollback', 'base');
    expect(await g.arriving('base')).toEqual({ xdp_one: 3, two: 1, one: 3, three: 1 });
    expectReconciled(g);
  });

  onClear('goes by what was applied, not by what files say now', async (g) => {
    g.declares(chained(g));
    g.applies();
    g.writes('others.csv', 'key,value\n1,1\n');
    g.writes('base.bpf.c', 'this does not compile');
    g.declares(chained(g, { globals: { step: 9 }, attach: [] }));
    reboots(g);
    reconciles(g);
    expect(await g.arriving('base')).toEqual({ xdp_one: 3, two: 1, one: 3, three: 1 });
    expect(g.entries('others', 'base')).toEqual({
      '07000000': '4600000000000000',
      '08000000': '5000000000000000',
    });
    const { functions } = g.plans('base');
    expect(functions.flatMap(({ changes }) => changes.map(({ path }) => path))).toContain(
      'spec.globals.step',
    );
  });

  onClear('attaches what is there, says what is not, and does the rest when it appears', async (g) => {
    const { netns, ifname } = g.ground;
    const attach = [attachedTo(g, 'one', { interfaces: [ifname, 'late0', 'wild*'] })];
    netns.run('ip', ['link', 'add', 'late0', 'type', 'veth', 'peer', 'name', 'peer0']);
    g.declares([functionOf({ program: { object: g.object, only: ['one'] }, attach })]);
    g.applies();
    netns.run('ip', ['link', 'del', 'late0']);
    reboots(g);
    const found = reconciles(g, 3);
    expect(found.functions).toMatchObject([{ waiting: [{ target: 'late0' }, { target: 'wild*' }] }]);
    expect(await g.arriving()).toEqual({ one: 1 });
    // It has been said once more, and nothing done.
    expect(reconciles(g, 3).functions.flatMap(({ steps }) => steps)).toEqual([]);
    netns.run('ip', ['link', 'add', 'late0', 'type', 'veth', 'peer', 'name', 'peer0']);
    expect(reconciles(g).functions.flatMap(({ steps }) => steps.map(({ kind }) => kind))).toEqual([
      'attach',
      'record',
    ]);
    expect(g.ground.listed('f').links.map(({ target }) => target)).toHaveLength(2);
    netns.run('ip', ['link', 'del', 'late0']);
  });

  onClear('brings back the rest where a cgroup is not there, and takes it in later', async (g) => {
    const gone = `${g.cgroup('there')}/gone`;
    const connecting = { program: 'connecting', hook: 'cgroup/connect4' };
    g.declares([
      functionOf({
        program: { object: g.object, only: ['one', 'connecting'] },
        attach: [{ ...connecting, target: g.cgroup('there') }, attachedTo(g, 'one')],
      }),
    ]);
    g.applies();
    rewrite(stateOf(g, 'f.json'), new RegExp(g.cgroup('there'), 'g'), gone);
    reboots(g);
    const found = reconciles(g, 3);
    expect(found.problems).toMatchObject([{ function: 'f', code: 'not-found' }]);
    expect(await g.arriving()).toEqual({ one: 1 });
    rewrite(stateOf(g, 'f.json'), new RegExp(gone, 'g'), g.cgroup('there'));
    reconciles(g);
    expect(g.onCgroup('there')).toEqual(['connecting']);
    expectReconciled(g);
  });

  onClear('takes back what nobody confirmed, and what was killed before', async (g) => {
    g.declares([
      functionOf({ program: { object: g.object, only: ['one'] }, attach: [attachedTo(g, 'one')] }),
    ]);
    g.applies();
    g.declares([
      functionOf({
        program: { object: g.object, only: ['one'] },
        globals: { step: 4 },
        attach: [attachedTo(g, 'one')],
        maps: { words: { entries: { 1: 1 } } },
      }),
    ]);
    g.applies('--confirm', '1h');
    expect(await g.arriving()).toEqual({ one: 4 });
    writeFileSync(stateOf(g, '.f.json.999999-0badcafe.tmp'), '{');
    reboots(g);
    reconciles(g);
    expect(await g.arriving()).toEqual({ one: 1 });
    expect(g.ground.does('status', 'f').stdout).toMatch(/^ {2}generation: {2}1, /m);
    expect(readdirSync(g.ground.bpffs.stateDir).filter((file) => /tmp$|entries$/.test(file))).toEqual([]);
  });

  onClear('finishes or undoes what was under way, with its files and chains', async (g) => {
    const [base, ...others] = chained(g);
    if (base === undefined) throw new Error('nothing is declared');
    g.declares([base]);
    g.applies();
    const before = readdirSync(g.ground.bpffs.stateDir).sort();
    g.declares([base, ...others]);
    for (const step of ['5', '10', '15', '20']) {
      expect(
        await g.ground.runs(['apply', '-f', g.file('m.yaml')], { NETKIT_TEST_KILL_STEP: step }),
      ).toBeUndefined();
      expect(existsSync(stateOf(g, 'batch.journal'))).toBe(true);
      reboots(g);
      reconciles(g);
      expect(readdirSync(g.ground.bpffs.stateDir).sort()).toEqual(before);
      expect(await g.arriving('base')).toEqual({ xdp_one: 3 });
    }
    g.applies();
    expect(await order(g)).toEqual(['xdp_one', 'two', 'one', 'three']);
  });

  onClear('reads state of older formats', async (g) => {
    g.ground.does('load', g.object, '--name', 'f', '--only', 'one', '--persist');
    g.ground.attach('f/one', '--hook', ingress);
    rewrite(stateOf(g, 'f.json'), /"formatVersion": \d/, '"formatVersion": 2');
    reboots(g);
    expect(reconciles(g).restored).toEqual(['f']);
    expect(await g.arriving()).toEqual({ one: 1 });
    expect(reconciles(g).restored).toEqual([]);
  });

  onClear('undoes nothing that is applied while it waits for the lock', async (g) => {
    const declare = (step: number) =>
      g.declares([
        functionOf({
          program: { object: g.object, only: ['one'] },
          globals: { step },
          attach: [attachedTo(g, 'one')],
        }),
      ]);
    declare(1);
    g.applies();
    reboots(g);
    copyFileSync(stateOf(g, 'f.json'), g.file('copy'));
    declare(2);
    // Both see a function that is to be brought back, and the second one gets the lock after the first.
    const both = await Promise.all([
      g.ground.runs(['apply', '-f', g.file('m.yaml')]),
      g.ground.runs(['reconcile']),
      g.ground.runs(['reconcile']),
    ]);
    expect(both.map((each) => each?.status)).toEqual([0, 0, 0]);
    expect(await g.arriving()).toEqual({ one: 2 });
    rmSync(g.file('copy'));
    expectReconciled(g);
  });
});
