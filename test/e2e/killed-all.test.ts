/** Commands on all functions, killed at each of their steps: one function is whole or gone, whatever becomes of the next. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { TestCgroup } from '../support/cgroup.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { fixture, makeGround, Objects } from './ground.js';
import { compileOperate } from './hook-ground.js';
import { expectNothingLeft } from './kill-ground.js';
import { prepare } from './plan-ground.js';

describeAsRoot(
  'a netkit command on all functions that is killed',
  () => {
    const owned = new Scope();
    let object: string;
    let before: KernelState;

    beforeAll(async () => {
      object = await compileOperate(owned.use(new Objects()));
      before = snapshotKernelState();
    });
    afterAll(async () => {
      owned[Symbol.dispose]();
      await expectUnchanged(before);
    });

    it.concurrent('unload --all, at each of its steps, leaves each function whole or gone', async () => {
      using ground = makeGround();
      const bare = ground.hooks();
      const functions = ['f', 'g'];
      const prepareBoth = async () => {
        await ground.manages('unload', '--all', '--yes');
        for (const name of functions) await ground.manages('load', fixture('tc'), '--name', name);
        const where = [ground.ifname, '--netns', ground.netns.name];
        await ground.manages('attach', 'g', ...where, '--hook', 'tc/egress');
        await ground.manages('attach', 'g', ...where, '--hook', 'tc/ingress');
      };
      await prepareBoth();
      const pinsOf = (name: string) => ground.bpffs.pins().filter((pin) => pin.startsWith(`netkit/${name}/`));
      const whole = functions.map((name) => [name, pinsOf(name), ground.listed(name).links.length]);
      const left = new Set<string>();
      for (let step = 0; ; step++) {
        if (
          (await ground.runs(['unload', '--all', '--yes'], { NETKIT_TEST_KILL_STEP: String(step) })) !==
          undefined
        )
          break;
        await ground.manages('recover');
        const names = ground.list().map(({ name }) => name);
        for (const name of names)
          expect([name, pinsOf(name), ground.listed(name).links.length]).toEqual(
            whole[functions.indexOf(name)],
          );
        for (const name of functions) if (!names.includes(name)) expect(pinsOf(name)).toEqual([]);
        left.add(names.join(' '));
        if (names.length < functions.length) await prepareBoth();
      }
      expect([...left].sort()).toEqual(['', 'f g', 'g']);
      await expectNothingLeft(ground);
      expect(ground.hooks()).toEqual(bare);
    }, 180_000);

    it.concurrent('off, at each of its steps, leaves what a second off takes off', async () => {
      using ground = makeGround();
      using cgroup = new TestCgroup();
      const bare = ground.hooks();
      const stage = { ground, cgroup, object };
      let kills = 0;
      for (let step = 0; ; step++) {
        await prepare(stage, [
          'LOAD --only connecting --only judged',
          'attach f/connecting CGROUP',
          'attach f/judged @ --direct',
          `load ${fixture('tc')} --name h`,
          'attach h @ --hook tc/egress',
        ]);
        const ended = await ground.runs(['off', '--all', '--yes'], { NETKIT_TEST_KILL_STEP: String(step) });
        if (ended === undefined) kills++;
        await ground.manages('off', '--all', '--yes');
        for (const { links } of ground.list())
          for (const link of links) expect(link).toMatchObject({ dead: true });
        // It leaves clsact, which may have become somebody else's.
        await ground.manages('recover');
        await expectNothingLeft(ground);
        expect(ground.hooks()).toEqual(bare);
        if (ended !== undefined) break;
      }
      expect(kills).toBeGreaterThan(1);
    }, 180_000);
  },
  { tools: ['clang', 'ping'] },
);
