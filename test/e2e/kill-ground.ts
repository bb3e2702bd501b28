/** Commands that are killed at each of their steps: what is left has to be taken back or finished. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { functionDocument } from '../../src/cli/describe.js';
import type { Action } from '../../src/cnf/action.js';
import { listFunctions } from '../../src/cnf/inventory.js';
import { StateStore } from '../../src/cnf/store.js';
import type { CliResult } from '../support/cli.js';
import { isThorough, sampled, strides } from '../support/sampling.js';
import type { Ground } from './ground.js';

/** What is compared: `exact` where everything is to be as it was, `comparable` where it was all made anew. */
export interface Picture {
  readonly exact: unknown;
  readonly comparable: unknown;
}

/** A command to be killed, and what comes before it, as {@link Ground.wordsOf} takes them. */
export interface Scenario {
  readonly prepare: readonly string[];
  readonly command: string;
}

export interface KilledCommand {
  readonly ground: Ground;
  /** Its words; asked for each time. */
  readonly command: () => readonly string[];
  /** Brings everything to where it was before the command, from whatever it is. */
  reset(): Promise<void>;
  picture(): Picture | Promise<Picture>;
  /** With which it ends when nobody kills it: 0 when left out, and with any other it takes everything back by itself. */
  readonly status?: number;
  /** The words that take it back or finish it; `recover` when left out. */
  readonly recovery?: readonly string[];
  /** At how many of its steps it is killed unless at all of them; eight, or every third, when left out. */
  readonly most?: number;
  /** Looks at what a killed one left, before anybody takes it back or finishes it. */
  readonly left?: (step: number) => void;
}

export type Ending = 'undone' | 'finished' | 'nothing';

export interface Killed {
  /** The steps at which it was killed. */
  readonly steps: readonly number[];
  /** What became of it, for each of them. */
  readonly endings: readonly Ending[];
  readonly beforehand: Picture;
  /** When nobody killed it. */
  readonly survived: Picture;
  /** The kinds of action that its journals had. */
  readonly kinds: ReadonlySet<string>;
  /** The families of the links in them. */
  readonly families: ReadonlySet<string>;
}

/** Kills the command at each step, or at a sample of them, and looks each time whether all is as before, or as it is when nobody kills it. */
export async function killedAtEachStep(killed: KilledCommand): Promise<Killed> {
  const { ground, status } = killed;
  const seen = { kinds: new Set<string>(), families: new Set<string>() };
  await killed.reset();
  let beforehand = await killed.picture();
  const count = await stepsOf(ground, killed.command(), status);
  expect(count, 'steps of one command').toBeLessThan(80);
  const survived = await killed.picture();
  if (status === undefined) {
    await killed.reset();
    beforehand = await killed.picture();
  }
  const endings: Ending[] = [];
  const steps = sampled(count, killed.most);
  for (const step of steps) {
    expect(await isKilled(ground, killed.command(), step), `killed at step ${step} of ${count}`).toBe(true);
    noteJournal(ground, seen);
    killed.left?.(step);
    const said = await ground.manages(...(killed.recovery ?? ['recover', '--json']));
    const ending = endingOf(said.stdout + said.stderr);
    endings.push(ending);
    const now = await killed.picture();
    if (ending === 'undone') expect({ step, ...now }).toEqual({ step, ...beforehand });
    else {
      expect({ step, now: now.comparable }).toEqual({ step, now: survived.comparable });
      await killed.reset();
    }
  }
  // Before the commit taken back, then finished, and once the journal is gone there is nothing to do.
  const whole = status === undefined ? /^(undone )+(finished )+nothing$/ : /^undone( undone)*$/;
  const part = status === undefined ? /^(undone ?)*(finished ?)*(nothing)?$/ : /^undone( undone)*$/;
  expect(endings.join(' ')).toMatch(isThorough ? whole : part);
  expect(endings).not.toEqual([]);
  return { steps, endings, beforehand, survived, ...seen };
}

/**
 * Kills the command once with most to take back and once with most to finish, and then each `recover` a step later than the
 * one before it, or some steps, until one comes to its end.
 * @returns how many were killed
 */
export async function recoveryKilledAtEachStep(killed: KilledCommand, before: Killed): Promise<number> {
  const { ground } = killed;
  const committed = before.endings.indexOf('finished');
  const middle = before.endings.length >> 1;
  let kills = 0;
  for (const index of committed < 0 ? [middle] : [committed - 1, committed]) {
    const step = before.steps[index];
    if (step === undefined) continue;
    await killed.reset();
    const beforehand = await killed.picture();
    expect(await isKilled(ground, killed.command(), step)).toBe(true);
    const { first, stride } = strides(step, killed.most);
    for (let at = first; await isKilled(ground, ['recover'], at); at += stride) {
      expect(at, 'steps of one recovery').toBeLessThan(80);
      kills++;
    }
    const now = await killed.picture();
    if (before.endings[index] === 'undone') expect(now).toEqual({ ...beforehand });
    else expect(now.comparable).toEqual(before.survived.comparable);
    const again = await ground.manages('recover');
    expect(again.stdout).toContain('nothing to recover');
  }
  return kills;
}

/** Unloads the function `f`, and runs what comes before a command. */
export async function prepareAnew(
  ground: Ground,
  prepare: readonly string[],
  meanings: Readonly<Record<string, readonly string[]>> = {},
): Promise<void> {
  await ground.manages('unload', 'f', '--if-exists');
  for (const command of prepare) await ground.manages(...ground.wordsOf(command, meanings));
}

/** Runs a command that is killed at that step. @returns undefined then, or how it ended with fewer steps than that */
export function runToStep(
  ground: Ground,
  command: readonly string[],
  step: number,
): Promise<CliResult | undefined> {
  return ground.runs(command, { NETKIT_TEST_KILL_STEP: String(step) });
}

/** Runs a command that nobody kills, and that ends with this status. @returns how many steps it has */
export async function stepsOf(ground: Ground, command: readonly string[], status = 0): Promise<number> {
  const ended = await ground.runs(command, { NETKIT_TEST_KILL_STEP: 'count' });
  expect(ended?.status, ended?.stderr).toBe(status);
  const count = /^steps: (\d+)$/m.exec(ended?.stderr ?? '')?.[1];
  if (count === undefined) throw new Error(`no steps were counted: ${ended?.stderr}`);
  return Number(count);
}

/** @returns whether it was killed: with fewer steps than that it succeeds */
async function isKilled(
  ground: Ground,
  command: readonly string[],
  step: number,
  status = 0,
): Promise<boolean> {
  const ended = await runToStep(ground, command, step);
  if (ended === undefined) return true;
  expect(ended.status, ended.stderr).toBe(status);
  return false;
}

/** What `recover` says that it did. */
export function endingOf(said: string): Ending {
  if (/"outcome": ?"undone"|had been killed.*undone/.test(said)) return 'undone';
  return /"outcome": ?"finished"|had been killed.*finished/.test(said) ? 'finished' : 'nothing';
}

const journal = z.looseObject({
  actions: z.array(
    z.looseObject({ kind: z.string(), link: z.optional(z.looseObject({ family: z.string() })) }),
  ),
});

function noteJournal({ bpffs }: Ground, seen: { kinds: Set<string>; families: Set<string> }): void {
  if (!readdirSync(bpffs.stateDir).includes('change.journal')) return;
  const text = readFileSync(join(bpffs.stateDir, 'change.journal'), 'utf8');
  for (const { kind, link } of journal.parse(JSON.parse(text)).actions) {
    seen.kinds.add(kind);
    if (link !== undefined) seen.families.add(`${link.family} ${kind}`);
  }
}

/**
 * What `list --json` says, with all ids, and without what differs from one load to the next. Asked in this process, by the
 * code of the command: it is asked more often than anything else.
 */
export function listedBothWays({ bpffs }: Ground): Picture {
  const functions = listFunctions(bpffs.root.path, new StateStore(bpffs.stateDir)).map(functionDocument);
  const unstable = ['id', 'btfId', 'loadedAt', 'tag'];
  const comparable = JSON.stringify(
    functions,
    (key, value: unknown) => (unstable.includes(key) ? undefined : key === 'mapIds' ? [] : value),
    1,
  );
  return { exact: JSON.stringify(functions, null, 1), comparable };
}

/**
 * Where a plan with each kind of action is killed at each of its steps. A kind that is not here has no such test. Files that
 * use {@link killedKinds} look whether their journals had them.
 */
const killedIn: { readonly [K in Action['kind']]: string } = {
  'store-object': 'killed-replace',
  load: 'killed-replace',
  attach: 'killed-plans',
  detach: 'killed-plans',
  swap: 'killed-replace',
  migrate: 'killed-replace',
  test: 'killed-replace',
  'catch-up': 'killed-replace',
  'carry-over': 'killed-replace',
  rearrange: 'xdp-chain-killed',
  move: 'killed-replace',
  record: 'killed-replace',
  unpin: 'killed-replace',
  'set-aside': 'batch-atomic',
  'drop-object': 'killed-replace',
  'await-confirmation': 'confirm-killed',
  'store-entries': 'apply-killed',
  'drop-entries': 'apply-killed',
  'write-entries': 'apply-killed',
  'record-chain': 'apply-killed',
  adopt: 'adopt',
  'drop-pins': 'adopt',
};

/** The kinds of action that a test file kills. @param url of the file */
export function killedKinds(url: string): readonly string[] {
  const file = basename(url, '.test.ts');
  return Object.entries(killedIn).flatMap(([kind, killer]) => (killer === file ? [kind] : []));
}

/** All kinds that {@link killedKinds} knows. */
export const kindsWithKilledPlan: readonly string[] = Object.keys(killedIn);

/** The pins and the files of the state, which are compared always. */
export function remains({ bpffs }: Ground): object {
  return { pins: bpffs.pins(), files: readdirSync(bpffs.stateDir).sort() };
}

/** Nothing of netkit's is left but its lock. */
export async function expectNothingLeft(ground: Ground): Promise<void> {
  await ground.manages('unload', '--all', '--yes');
  ground.expectOnlyLock();
}

/** A line of `ip` or `tc` without what differs from one load to the next, such as the id behind a filter's name. */
export function withoutIds(text: string): string {
  return text.replace(
    /"id":\d+|\bid \d+|handle 0x[0-9a-f]+|"tag":"\w+"|tag \w+|"(?:load_time|btf_id)":\d+|:\[\d+\]/g,
    '…',
  );
}
