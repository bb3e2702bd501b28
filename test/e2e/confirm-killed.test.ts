// SIGKILL at every step of a change with --confirm, of its confirmation, and of its return.
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { dropping, ingress, killWatchers, noWatchers, passTime } from './confirm-ground.js';
import { documentOf, fixture, type Ground, makeGround } from './ground.js';
import { prepareAnew, runToStep, type Scenario, withoutIds } from './kill-ground.js';

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
      const listed = documentOf(documents.list, await ground.manages('list', '--json'));
      expect(listed.pending).toEqual([]);
      const unstable = ['id', 'btfId', 'loadedAt'];
      const stable = (key: string, value: unknown) =>
        unstable.includes(key) ? undefined : key === 'mapIds' ? [] : value;
      return {
        exact: JSON.stringify(listed.functions),
        functions: JSON.stringify(listed.functions, stable, 1),
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
    const waits = async (ground: Ground): Promise<boolean> =>
      documentOf(documents.list, await ground.manages('list', '--json')).pending.length === 1;

    async function end(ground: Ground, bare: readonly string[]): Promise<void> {
      await ground.manages('unload', 'f', '--if-exists');
      await noWatchers(ground);
      expect(ground.hooks()).toEqual(bare);
      ground.expectOnlyLock();
    }

    /** The state that the command leaves when it is confirmed. */
    async function afterwards(ground: Ground, scenario: Scenario): Promise<object> {
      await reset(ground, scenario);
      await ground.manages(...confirming(ground, scenario));
      await ground.manages('confirm');
      return comparable(await picture(ground));
    }

    it.concurrent.each(scenarios.filter(([name]) => name !== otherObject))(
      '%s is not made, or waits',
      async (_name, scenario) => {
        using ground = makeGround();
        const bare = ground.hooks();
        const after = await afterwards(ground, scenario);
        await reset(ground, scenario);
        let start = await picture(ground);
        const outcomes: string[] = [];
        for (let step = 0; ; step++) {
          expect(step, 'steps of one command').toBeLessThan(30);
          const ended = await runToStep(ground, confirming(ground, scenario), step);
          // Who watches the change clears up too, or has done so.
          await ground.manages('recover');
          const isWaiting = await waits(ground);
          outcomes.push(isWaiting ? 'waiting' : 'undone');
          if (isWaiting) {
            await ground.manages('confirm');
            expect({ step, ...comparable(await picture(ground)) }).toEqual({ step, ...after });
            await reset(ground, scenario);
            start = await picture(ground);
          } else {
            expect(ended, 'a command that ends makes its change').toBeUndefined();
            expect({ step, ...(await picture(ground)) }).toEqual({ step, ...start });
          }
          if (ended !== undefined) {
            expect(ended.status, ended.stderr).toBe(0);
            break;
          }
        }
        expect(outcomes.join(' ')).toMatch(/^(undone )+(waiting ?)+$/);
        await end(ground, bare);
      },
      180_000,
    );

    it.concurrent.each(scenarios.filter(([name]) => finishes.has(name)))(
      '%s is confirmed, or waits still',
      async (_name, scenario) => {
        using ground = makeGround();
        const bare = ground.hooks();
        const after = await afterwards(ground, scenario);
        const outcomes: string[] = [];
        for (let step = 0; ; step++) {
          expect(step, 'steps of a confirmation').toBeLessThan(20);
          await reset(ground, scenario);
          await ground.manages(...confirming(ground, scenario));
          const ended = await runToStep(ground, ['confirm'], step);
          await ground.manages('recover');
          const isWaiting = await waits(ground);
          outcomes.push(isWaiting ? 'waiting' : 'kept');
          if (isWaiting) await ground.manages('confirm');
          expect({ step, ...comparable(await picture(ground)) }).toEqual({ step, ...after });
          if (ended !== undefined) break;
        }
        expect(outcomes.join(' ')).toMatch(/^(waiting )+(kept ?)+$/);
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
        let kills = 0;
        for (let step = 0; ; step++) {
          expect(step, 'steps of a return').toBeLessThan(30);
          await ground.manages(...confirming(ground, scenario));
          killWatchers(ground);
          passTime(ground);
          const ended = await runToStep(ground, ['recover'], step);
          await ground.manages('recover');
          const now = await picture(ground);
          if (reattaches.has(name))
            expect({ step, ...comparable(now) }).toEqual({ step, ...comparable(start) });
          else expect({ step, ...now }).toEqual({ step, ...start });
          if (ended !== undefined) break;
          kills++;
        }
        expect(kills).toBeGreaterThan(2);
        await end(ground, bare);
      },
      180_000,
    );
  },
  { tools: ['ping'] },
);
