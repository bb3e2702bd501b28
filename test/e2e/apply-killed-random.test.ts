// SIGKILL at random moments of commands about manifests: the next command leaves what was before, or what was to be.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startNetkit } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { emulated } from '../support/known-kernels.js';
import { randomFrom, seedOfRun } from '../support/random.js';
import { describeAsRoot } from '../support/requirements.js';
import { isThorough } from '../support/sampling.js';
import { clear, declare } from './apply-kill-ground.js';
import {
  applyFirst,
  applying,
  bothPictures,
  compileManifestObjects,
  type KilledChange,
  type ManifestScenario,
  nextDeclared,
  outcomeOf,
  prepared,
  runsWhole,
  watchedHealth,
} from './apply-kill-steps.js';
import { ManifestGround } from './manifest-ground.js';

/** On the kernel that the machine itself runs. */
const nativeKills = 25;
/** Of each command. */
const kills = !isThorough ? 4 : emulated ? 10 : nativeKills;
/** One of so many is meant for the time before the first action, all others for that between the first and the last one. */
const earlyEvery = 13;

const scenarios: readonly ManifestScenario[] = [
  { what: 'apply', prepare: async (g) => declare(g, 'first'), command: applying },
  {
    what: 'upgrade',
    prepare: (g) => nextDeclared(g, watchedHealth('0')),
    command: (g) => ['upgrade', '-f', g.file('m.yaml')],
  },
  {
    what: 'rollback',
    async prepare(g) {
      await nextDeclared(g);
      await g.ground.manages(...applying(g));
    },
    command: () => ['rollback', 'f'],
    isOnce: true,
  },
  { what: 'delete', prepare: applyFirst, command: (g) => ['delete', '-f', g.file('m.yaml'), '--yes'] },
];

/** When a command was killed: before its first action, in one of the tenths of the time up to its last one, or after that. */
interface Histogram {
  before: number;
  readonly tenths: number[];
  after: number;
}

/** Milliseconds from the start of a command to its first action, and from there to the last one. */
interface Timing {
  startMs: number;
  actingMs: number;
}

describeAsRoot(
  'a command about a manifest, killed at random moments',
  () => {
    const all: Histogram = { before: 0, tenths: new Array<number>(10).fill(0), after: 0 };
    const random = randomFrom(seedOfRun);

    expectUnchangedAfterAll();
    const objects = compileManifestObjects();

    describe('one after another', () => {
      it.for(scenarios)(
        '$what: the next command leaves what was before, or what was to be',
        { timeout: emulated ? 1_800_000 : 400_000 },
        async (scenario) => {
          using g = new ManifestGround(objects);
          const bare = g.ground.hooks();
          const killed: KilledChange = {
            ground: g,
            command: scenario.command(g),
            prepare: () => scenario.prepare(g),
          };
          const { after } = await bothPictures(killed);
          const timing = await measured(killed);
          let start = await prepared(killed);
          for (let run = 0; run < kills; run++) {
            const where = await killOnce(killed, timing, run % earlyEvery !== 0);
            // Kills that come too late teach how long it takes on this machine.
            if (where === 'after') timing.actingMs *= 0.8;
            count(where);
            const isAgain = scenario.isOnce !== true && random(2) === 1;
            if (isAgain && where !== 'after') await runsWhole(killed);
            else await g.ground.manages('recover');
            const isDone = isAgain || where === 'after';
            const at = `kill ${run} of ${scenario.what}, seed ${seedOfRun}`;
            if ((await outcomeOf(g, start, after, isDone, at)) === 'after') start = await prepared(killed);
          }
          await clear(g);
          g.ground.expectOnlyLock();
          expect(g.ground.hooks()).toEqual(bare);
        },
      );
    });

    it('most of them between the first and the last action', () => {
      const between = all.tenths.reduce((sum, each) => sum + each, 0);
      const total = all.before + between + all.after;
      console.log(
        `seed ${seedOfRun}: of ${total} kills ${all.before} before the first action, ${between} between (by tenths of the time: ${all.tenths.join(' ')}), ${all.after} after the last one`,
      );
      expect(total).toBe(kills * scenarios.length);
      // Of a few now and then some more fall outside, and emulation takes now this long and now that.
      expect(between).toBeGreaterThanOrEqual((kills === nativeKills ? 0.8 : 0.5) * total);
    });

    function count(where: 'before' | 'after' | number): void {
      if (typeof where === 'number') all.tenths[where] = (all.tenths[where] ?? 0) + 1;
      else all[where]++;
    }

    /** @returns when it was killed; a number is the tenth of the time between the first and the last action */
    async function killOnce(
      { ground, command }: KilledChange,
      { startMs, actingMs }: Timing,
      isMeantBetween: boolean,
    ): Promise<'before' | 'after' | number> {
      const running = startNetkit(command, { env: ground.ground.env });
      const share = random(1000) / 1000;
      let first = performance.now() + startMs;
      if (isMeantBetween) {
        await untilActing(ground, true, running.ended);
        first = performance.now();
      }
      await sleep(share * (isMeantBetween ? actingMs : startMs));
      const isBetween = running.process.exitCode === null && isActing(ground);
      const tenth = Math.floor((10 * (performance.now() - first)) / actingMs);
      running.process.kill('SIGKILL');
      const result = await running.ended.catch(() => undefined);
      if (result !== undefined) expect(result.status, result.stderr).toBe(0);
      if (isBetween) return Math.min(9, Math.max(0, tenth));
      return isMeantBetween || result !== undefined ? 'after' : 'before';
    }
  },
  { tools: ['clang', 'ping'] },
);

/** How long it takes when nobody kills it: the middle one of three, or of a sample the only one, from which the kills learn. */
async function measured(killed: KilledChange): Promise<Timing> {
  const timings: Timing[] = [];
  for (let run = 0; run < (isThorough ? 3 : 1); run++) {
    await prepared(killed);
    const started = performance.now();
    const running = startNetkit(killed.command, { env: killed.ground.ground.env });
    await untilActing(killed.ground, true, running.ended);
    const first = performance.now();
    await untilActing(killed.ground, false, running.ended);
    const last = performance.now();
    await running.ended;
    timings.push({ startMs: first - started, actingMs: last - first });
  }
  const middle = (of: (timing: Timing) => number): number =>
    timings.map(of).sort((a, b) => a - b)[timings.length >> 1] ?? 0;
  return { startMs: middle(({ startMs }) => startMs), actingMs: middle(({ actingMs }) => actingMs) };
}

/** Whether a change is being made, or waits to be confirmed or taken back. */
function isActing({ ground }: ManifestGround): boolean {
  const { stateDir } = ground.bpffs;
  return (
    existsSync(join(stateDir, 'batch.journal')) ||
    readdirSync(stateDir).some((name) => name.endsWith('.pending'))
  );
}

/** Until the change begins or is over; no longer than the command lives. */
async function untilActing(ground: ManifestGround, wanted: boolean, ended: Promise<unknown>): Promise<void> {
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  void ended.then(end, end);
  while (!isOver && isActing(ground) !== wanted) await new Promise((resolve) => setImmediate(resolve));
}
