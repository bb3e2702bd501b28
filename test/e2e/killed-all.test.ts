/** Commands on all functions, killed at each of their steps: one function is whole or gone, whatever becomes of the next. */
import { expect, it } from 'vitest';
import { TestCgroup } from '../support/cgroup.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { fixture, makeGround } from './ground.js';
import { compileOperate } from './hook-ground.js';
import { expectNothingLeft, runToStep } from './kill-ground.js';
import { compileBeforeAll } from './objects.js';
import { prepare } from './plan-ground.js';

describeAsRoot(
  'a netkit command on all functions that is killed',
  () => {
    let object: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      object = await compileOperate(objects);
    });

    it.concurrent('unload --all, at each of its steps, leaves each function whole or gone', async () => {
      using ground = makeGround();
      const bare = ground.hooks();
      const functions = ['f', 'g'];
      const prepareBoth = async () => {
        await ground.manages('unload', '--all', '--yes');
        for (const name of functions) await ground.manages('load', fixture('tc'), '--name', name);
        await ground.manages('attach', 'g', ...ground.place, '--hook', 'tc/egress');
        await ground.manages('attach', 'g', ...ground.place, '--hook', 'tc/ingress');
      };
      await prepareBoth();
      const pinsOf = (name: string) => ground.bpffs.pins().filter((pin) => pin.startsWith(`netkit/${name}/`));
      const whole = functions.map((name) => [name, pinsOf(name), ground.listed(name).links.length]);
      const left = new Set<string>();
      for (let step = 0; ; step++) {
        const ended = await runToStep(ground, ['unload', '--all', '--yes'], step);
        if (ended !== undefined) break;
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
        const ended = await runToStep(ground, ['off', '--all', '--yes'], step);
        if (ended === undefined) kills++;
        await ground.manages('off', '--all', '--yes');
        const links = ground.list().flatMap((each) => each.links);
        expect(links.map(({ dead }) => dead)).toEqual([true, true, true]);
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
