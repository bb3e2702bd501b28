// SIGKILL at steps of commands about manifests, and then a reboot: the next `reconcile` leaves what was before, or what was to be.
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { isThorough, sampled } from '../support/sampling.js';
import { clear, declare, leaveOutWhatStands, type WholePicture } from './apply-kill-ground.js';
import {
  applyFirst,
  applying,
  compileManifestObjects,
  type ManifestScenario,
  nextDeclared,
  outcomeOf,
  settled,
  watchedHealth,
} from './apply-kill-steps.js';
import { killWatchers, until, watchers } from './confirm-ground.js';
import { runToStep, stepsOf } from './kill-ground.js';
import { ManifestGround } from './manifest-ground.js';
import { expectReconciled, reboots } from './reconcile-ground.js';

const scenarios: readonly ManifestScenario[] = [
  {
    what: '`apply` that makes two functions and a chain',
    prepare: async (g) => declare(g, 'first'),
    command: applying,
  },
  {
    what: '`apply` of another generation, with maps that are kept and migrated',
    prepare: (g) => nextDeclared(g),
    command: applying,
  },
  {
    what: '`upgrade` that is watched',
    prepare: (g) => nextDeclared(g, watchedHealth('0')),
    command: (g) => ['upgrade', '-f', g.file('m.yaml')],
  },
  {
    what: '`delete` of two functions and a chain',
    prepare: applyFirst,
    command: (g) => ['delete', '-f', g.file('m.yaml'), '--yes'],
  },
];

describeAsRoot(
  'a command about a manifest that is killed before a reboot',
  () => {
    expectUnchangedAfterAll();
    const objects = compileManifestObjects();

    it.for(scenarios)(
      '$what: `reconcile` brings back what was before, or what was to be',
      { timeout: 400_000 },
      async ({ prepare, command }) => {
        using g = new ManifestGround(objects);
        const bare = g.ground.hooks();
        leaveOutWhatStands();
        await g.ground.manages('recover');
        const start = async (): Promise<void> => {
          await clear(g);
          await prepare(g);
        };
        await start();
        const without = await comesBack(g);
        await start();
        const count = await stepsOf(g.ground, command(g));
        const withIt = await comesBack(g);
        expect(withIt.comparable).not.toEqual(without.comparable);
        let happened = '';
        const steps = sampled(count, 5);
        for (const step of steps) {
          await start();
          expect(await runToStep(g.ground, command(g), step), `step ${step} of ${count}`).toBeUndefined();
          await comesBack(g);
          happened += (await outcomeOf(g, without, withIt, false, `step ${step} of ${count}`))[0];
          expectReconciled(g);
        }
        process.stderr.write(`killed at steps ${steps.join(' ')} of ${count}: ${happened}\n`);
        expect(happened).toMatch(isThorough ? /^b+a+$/ : /^b*a*$/);
        await clear(g);
        await g.ground.runs(['confirm']);
        g.ground.expectOnlyLock();
        expect(g.ground.hooks()).toEqual(bare);
      },
    );
  },
  { tools: ['clang', 'ping'] },
);

/** The machine reboots, and `reconcile` runs. Nothing of what comes back is what it was: both pictures are without ids. */
async function comesBack(g: ManifestGround): Promise<WholePicture> {
  const pids = watchers(g.ground).map(({ pid }) => pid);
  killWatchers(g.ground);
  // Whoever was writing a file is nobody after a reboot.
  await until('they have ended', () => pids.every((pid) => !existsSync(`/proc/${pid}`)));
  reboots(g);
  await g.ground.manages('reconcile');
  const { comparable } = await settled(g);
  return { exact: comparable, comparable };
}
