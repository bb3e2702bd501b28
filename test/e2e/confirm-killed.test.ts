// SIGKILL at every step of a change with --confirm, of its confirmation, and of its return.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { isThorough, sampled } from '../support/sampling.js';
import { dropping, ingress, killWatchers, noWatchers, passTime } from './confirm-ground.js';
import { fixture, type Ground, makeGround } from './ground.js';
import { listedBothWays, prepareAnew, runToStep, type Scenario, stepsOf, withoutIds } from './kill-ground.js';

const load = dropping.join(' ');
const both = [load, `attach f @ --hook tc/egress`, `attach f @ --hook ${ingress}`];

/** Only its confirmation has an object to drop. */
const otherObject = 'load --replace with another object';

/** Commands that are given --confirm. */
const scenarios: readonly (readonly [string, Scenario])[] = [
  ['attach to XDP', { prepare: [`load ${fixture('pass')} --name f`], command: 'attach f @' }],
  ['detach', { prepare: both, command: 'detach f' }],
  ['unload', { prepare: both, command: 'unload f' }],
  ['load --replace', { prepare: both, command: `load ${fixture('tc')} --name f --replace` }],
  [
    otherObject,
    { prepare: [`load ${fixture('pass')} --name f`], command: `load ${fixture('tc')} --name f --replace` },
  ],
  [
    'replace',
    { prepare: both, command: `replace f ${fixture('tc')} --set drop_all=false --new-map packets` },
  ],
];

/** At so many steps each is killed, unless at all of them. */
const most = 3;

/** Whose confirmation has something left to do. */
const finishes = new Set(['attach to XDP', 'unload', otherObject]);
/** What comes back is attached anew. */
const reattaches = new Set(['detach', 'unload']);

/** What is compared. Ids and times differ from one load to the next; `exact` has them. */
interface Picture {
  readonly exact: string;
  readonly functions: string;
  readonly pins: readonly string[];
  readonly hooks: readonly string[];
  readonly files: readonly string[];
  readonly answered: number;
}

describeAsRoot(
  'with --confirm, killed at each of its steps,',
  () => {
    expectUnchangedAfterAll();

    const reset = (ground: Ground, { prepare }: Scenario): Promise<void> => prepareAnew(ground, prepare);

    async function picture(ground: Ground): Promise<Picture> {
      expect(waits(ground)).toBe(false);
      const listed = listedBothWays(ground);
      return {
        exact: String(listed.exact),
        functions: String(listed.comparable),
        pins: ground.bpffs.pins(),
        hooks: ground.hooks().map(withoutIds),
        // That it was taken back is kept for who comes to confirm it.
        files: readdirSync(ground.bpffs.stateDir)
          .filter((file) => file !== 'f.pending')
          .sort(),
        answered: await ground.pings(),
      };
    }

    const comparable = ({ exact: _, ...rest }: Picture) => rest;
    const confirming = (ground: Ground, { command }: Scenario, time = '1h'): string[] => [
      ...ground.wordsOf(command),
      '--confirm',
      time,
    ];
    /** By the files, as `list` does: it is asked more often than anything else. */
    const waits = ({ bpffs: { stateDir } }: Ground): boolean =>
      readdirSync(stateDir).some(
        (name) =>
          name.endsWith('.pending') &&
          JSON.parse(readFileSync(join(stateDir, name), 'utf8')).stage !== 'returned',
      );

    async function end(ground: Ground, bare: readonly string[]): Promise<void> {
      await ground.manages('unload', 'f', '--if-exists');
      await noWatchers(ground);
      expect(ground.hooks()).toEqual(bare);
      ground.expectOnlyLock();
    }

    /** The state that the command leaves when it is confirmed; how many steps it has, and how many its confirmation. */
    async function afterwards(ground: Ground, scenario: Scenario) {
      await reset(ground, scenario);
      const steps = await stepsOf(ground, confirming(ground, scenario));
      const confirmation = await stepsOf(ground, ['confirm']);
      expect(Math.max(steps, confirmation)).toBeLessThan(30);
      return { after: comparable(await picture(ground)), steps, confirmation };
    }

    it.concurrent.each(scenarios.filter(([name]) => name !== otherObject))(
      '%s is not made, or waits',
      async (_name, scenario) => {
        using ground = makeGround();
        const bare = ground.hooks();
        const { after, steps } = await afterwards(ground, scenario);
        await reset(ground, scenario);
        let start = await picture(ground);
        const outcomes: string[] = [];
        for (const step of sampled(steps, most)) {
          expect(await runToStep(ground, confirming(ground, scenario), step)).toBeUndefined();
          // Who watches the change clears up too, or has done so.
          await ground.manages('recover');
          const isWaiting = waits(ground);
          outcomes.push(isWaiting ? 'waiting' : 'undone');
          if (isWaiting) {
            await ground.manages('confirm');
            expect({ step, ...comparable(await picture(ground)) }).toEqual({ step, ...after });
            await reset(ground, scenario);
            start = await picture(ground);
          } else expect({ step, ...(await picture(ground)) }).toEqual({ step, ...start });
        }
        expect(outcomes.join(' ')).toMatch(
          isThorough ? /^(undone )+(waiting ?)+$/ : /^(undone ?)*(waiting ?)*$/,
        );
        await end(ground, bare);
      },
      180_000,
    );

    it.concurrent.each(scenarios.filter(([name]) => finishes.has(name)))(
      '%s is confirmed, or waits still',
      async (_name, scenario) => {
        using ground = makeGround();
        const bare = ground.hooks();
        const { after, confirmation } = await afterwards(ground, scenario);
        const outcomes: string[] = [];
        for (const step of sampled(confirmation, most)) {
          await reset(ground, scenario);
          await ground.manages(...confirming(ground, scenario));
          expect(await runToStep(ground, ['confirm'], step)).toBeUndefined();
          await ground.manages('recover');
          const isWaiting = waits(ground);
          outcomes.push(isWaiting ? 'waiting' : 'kept');
          if (isWaiting) await ground.manages('confirm');
          expect({ step, ...comparable(await picture(ground)) }).toEqual({ step, ...after });
        }
        expect(outcomes.join(' ')).toMatch(isThorough ? /^(waiting )+(kept ?)+$/ : /^(waiting ?)*(kept ?)*$/);
        await end(ground, bare);
      },
      180_000,
    );

    it.concurrent.each(scenarios.filter(([name]) => name !== otherObject))(
      '%s returns all the same',
      async (name, scenario) => {
        using ground = makeGround();
        const bare = ground.hooks();
        await reset(ground, scenario);
        const start = await picture(ground);
        const waitsInVain = async (): Promise<void> => {
          await ground.manages(...confirming(ground, scenario));
          killWatchers(ground);
          passTime(ground);
        };
        const hasReturned = async (step: number): Promise<void> => {
          const now = await picture(ground);
          if (reattaches.has(name))
            expect({ step, ...comparable(now) }).toEqual({ step, ...comparable(start) });
          else expect({ step, ...now }).toEqual({ step, ...start });
        };
        await waitsInVain();
        const steps = await stepsOf(ground, ['recover']);
        await hasReturned(steps);
        expect(steps).toBeGreaterThan(2);
        expect(steps).toBeLessThan(30);
        for (const step of sampled(steps, most)) {
          await waitsInVain();
          expect(await runToStep(ground, ['recover'], step)).toBeUndefined();
          await ground.manages('recover');
          await hasReturned(step);
        }
        await end(ground, bare);
      },
      180_000,
    );
  },
  { tools: ['ping'] },
);
