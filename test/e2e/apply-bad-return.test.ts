// Ways back from what was applied: who is asked to confirm, what is left of a change that was taken back, how far one can go back.
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { emulated } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { running, standing } from './apply-bad-ground.js';
import { attachedTo, functionOf, type ManifestGround, statusOf } from './manifest-ground.js';
import { compileBeforeAll } from './objects.js';

describeAsRoot('the way back from what was applied', () => {
  const objects = { object: '', heavier: '' };

  expectUnchangedAfterAll();
  compileBeforeAll(async (compiler) => {
    objects.object = await compiler.compile('test/fixtures/fields.bpf.c', []);
    objects.heavier = await compiler.compile('test/fixtures/fields.bpf.c', ['STEP=2']);
  });

  function declares(g: ManifestGround, spec: object): void {
    g.declares([...standing(g), functionOf({ attach: [attachedTo(g, 'two')], ...spec }, 'g')]);
  }

  it('is kept by the name that is told, where another function comes first and stays as it is', async () => {
    await running(objects, (g) => {
      declares(g, { program: { object: g.object, only: ['two'] } });
      g.applies();
      declares(g, { program: { object: g.heavier, only: ['two'] } });
      const applied = g.ground.does('apply', '-f', g.file('m.yaml'), '--confirm', '60s');
      const [, name = ''] = /unless 'netkit confirm ?(\S*)' keeps it/.exec(applied.stdout) ?? [];
      expect(name, applied.stdout).toBe('g');
      expect(g.ground.does('confirm', name).stdout).toMatch(/^kept /);
      const deleted = g.ground.does('delete', 'f', 'g', '--yes', '--confirm', '60s').stdout;
      const [, gone = ''] = /unless 'netkit confirm ?(\S*)' keeps it/.exec(deleted) ?? [];
      expect(g.ground.does('confirm', gone).stdout).toMatch(/^kept /);
    });
  });

  it('leaves no note of what was taken back when the function goes, or changes', async () => {
    await running(objects, async (g) => {
      const pending = `${g.ground.bpffs.stateDir}/g.pending`;
      declares(g, { program: { object: g.object, only: ['two'] } });
      g.applies();
      const returned = async (): Promise<void> => {
        declares(g, { program: { object: g.heavier, only: ['two'] } });
        g.applies('--confirm', '1s');
        for (let tries = 0; tries < 100; tries++) {
          await sleep(emulated ? 1000 : 100);
          if (g.plans().pending) break;
        }
        expect(existsSync(pending)).toBe(true);
      };
      await returned();
      g.applies();
      expect(existsSync(pending), 'after another change').toBe(false);
      declares(g, { program: { object: g.object, only: ['two'] } });
      g.applies();
      await returned();
      g.ground.does('delete', 'g', '--yes');
      expect(existsSync(pending), 'after it is gone').toBe(false);
    });
  });

  it('goes as far as before after a rollback', async () => {
    await running(objects, (g) => {
      const [document] = standing(g);
      for (const step of [2, 3]) {
        g.declares([functionOf({ ...document?.spec, globals: { step } })]);
        g.applies('--keep', '3');
      }
      const numbers = () => statusOf(g).functions[0]?.former.map(({ number }) => number);
      const before = numbers();
      g.ground.does('rollback', 'f');
      expect([before, numbers()]).toEqual([
        [1, 2],
        [1, 3],
      ]);
      g.ground.does('rollback', 'f', '1', '--keep', '2');
      expect(numbers()).toEqual([4]);
    });
  });
});
