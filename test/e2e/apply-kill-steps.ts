/** Commands about manifests that are killed at each of their steps: the next command leaves what was before, or what was to be. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { z } from 'zod';
import { isThorough, sampled } from '../support/sampling.js';
import {
  clear,
  declare,
  leaveOutWhatStands,
  plantEntries,
  type WholePicture,
  wholePicture,
} from './apply-kill-ground.js';
import { noWatchers } from './confirm-ground.js';
import { runToStep, stepsOf } from './kill-ground.js';
import { ManifestGround } from './manifest-ground.js';
import { compileBeforeAll } from './objects.js';

export interface KilledChange {
  readonly ground: ManifestGround;
  readonly command: readonly string[];
  /** Brings everything to where it was before the command, from where nothing is. */
  prepare(): Promise<void>;
  /** To do it twice is something else: what comes next is always `recover`. */
  readonly isOnce?: true;
  /** With which it ends when nobody kills it: 0 when left out, and with any other it takes everything back by itself. */
  readonly status?: number;
}

/** What is killed, on ground of its own. */
export interface ManifestScenario {
  readonly what: string;
  prepare(g: ManifestGround): Promise<void>;
  command(g: ManifestGround): readonly string[];
  /** As in {@link KilledChange}. */
  readonly isOnce?: true;
  readonly status?: number;
}

export interface ManifestObjects {
  readonly object: string;
  readonly heavier: string;
}

/** Has the objects of the manifests compiled before the tests of this block. */
export function compileManifestObjects(): ManifestObjects {
  const objects = { object: '', heavier: '' };
  compileBeforeAll(async (made) => {
    const source = 'test/fixtures/fields.bpf.c';
    objects.object = await made.compile(source);
    objects.heavier = await made.compile(source, ['STEP=2']);
  });
  return objects;
}

/** Kills it at each step, and leaves nothing. @returns the kinds of action that its journals had */
export async function proveKilled(
  objects: ManifestObjects,
  { prepare, command, status, isOnce }: ManifestScenario,
): Promise<ReadonlySet<string>> {
  using g = new ManifestGround(objects);
  const bare = g.ground.hooks();
  const killed = await killedAtEveryStep({
    ground: g,
    command: command(g),
    prepare: () => prepare(g),
    ...(status === undefined ? {} : { status }),
    ...(isOnce === undefined ? {} : { isOnce }),
  });
  if (status === undefined) {
    expect(killed.after.comparable).not.toEqual(killed.before.comparable);
    expect(killed.outcomes.join(' ')).toMatch(
      isThorough ? /^(before )+after( after)*$/ : /^(before ?)*(after ?)*$/,
    );
  } else {
    expect(killed.after.exact).toEqual(killed.before.exact);
    expect(killed.outcomes.join(' ')).toMatch(/^before( before)*$/);
  }
  await clear(g);
  // Whoever comes to confirm it is told that it was taken back; then nothing knows of it any more.
  const told = await g.ground.runs(['confirm']);
  expect([0, 3, 5], told?.stderr).toContain(told?.status);
  g.ground.expectOnlyLock();
  expect(g.ground.hooks()).toEqual(bare);
  return killed.kinds;
}

/** Applies the first release, and has others put entries beside those that are declared. */
export async function applyFirst(g: ManifestGround): Promise<void> {
  declare(g, 'first');
  await g.ground.manages(...applying(g));
  plantEntries(g);
}

/** The first release runs, and the next one is declared. */
export async function nextDeclared(
  g: ManifestGround,
  watched?: Readonly<Record<string, unknown>>,
): Promise<void> {
  await applyFirst(g);
  declare(g, 'upgraded', watched);
}

/** Healthy when a word that nobody writes has grown by so much since the programs changed places. */
export function watchedHealth(value: '0' | '1'): Readonly<Record<string, unknown>> {
  const probe = { map: 'words', key: '1', op: '==', value };
  return { probe, settle: '200ms', interval: '50ms' };
}

export function applying(g: ManifestGround): string[] {
  return ['apply', '-f', g.file('m.yaml')];
}

export interface KilledSteps {
  /** What the next command left, by the step. */
  readonly outcomes: readonly ('before' | 'after')[];
  readonly before: WholePicture;
  /** When nobody killed it. */
  readonly after: WholePicture;
  /** The kinds of action that its journals had. */
  readonly kinds: ReadonlySet<string>;
}

/** How often it is the same command that comes next, and not `recover`. */
const againEvery = 4;
/** The kernel lets go of programs and maps a little after their last user. */
const patienceMs = 3000;
/** At so many steps a command is killed, unless at all of them. */
const most = 7;

/** Kills the command at each of its steps, or at a sample of them. */
export async function killedAtEveryStep(killed: KilledChange): Promise<KilledSteps> {
  const { ground, command, status = 0 } = killed;
  const g = ground.ground;
  const kinds = new Set<string>();
  const { before, after, count } = await bothPictures(killed);
  expect(count, 'steps of one command').toBeLessThan(200);
  const outcomes: ('before' | 'after')[] = [];
  let start = status === 0 ? await prepared(killed) : after;
  for (const [index, step] of sampled(count, most).entries()) {
    expect(await runToStep(g, command, step), `killed at step ${step} of ${count}`).toBeUndefined();
    noteKinds(ground, kinds);
    const isAgain = killed.isOnce !== true && index % againEvery === againEvery - 1;
    if (isAgain) await runsWhole(killed);
    else await g.manages('recover');
    const outcome = await outcomeOf(ground, start, after, isAgain && status === 0, `step ${step}`);
    if (isAgain) expect(waitingFiles(ground), 'nobody is to be told of what was taken back').toEqual([]);
    if (!isAgain) outcomes.push(outcome);
    if (outcome === 'after') start = await prepared(killed);
  }
  return { outcomes, before, after, kinds };
}

/** As it is before the command, and when nobody kills it; and how many steps it has. */
export async function bothPictures(
  killed: KilledChange,
): Promise<{ readonly before: WholePicture; readonly after: WholePicture; readonly count: number }> {
  const { ground, command, status } = killed;
  leaveOutWhatStands();
  // Makes the state directory.
  await ground.ground.manages('recover');
  const before = await prepared(killed);
  const count = await stepsOf(ground.ground, command, status);
  return { before, after: await settled(ground), count };
}

/** Brings everything to where it is before the command. */
export async function prepared({ ground, prepare }: KilledChange): Promise<WholePicture> {
  await clear(ground);
  await prepare();
  return settled(ground);
}

/** Nobody kills it. */
export async function runsWhole({ ground, command, status = 0 }: KilledChange): Promise<void> {
  const result = await ground.ground.runs(command);
  expect(result?.status, result?.stderr).toBe(status);
}

function waitingFiles({ ground }: ManifestGround): string[] {
  return readdirSync(ground.bpffs.stateDir).filter((name) => name.endsWith('.pending'));
}

/** Compares with both, for as long as it takes the kernel to let go of what is not used any more. */
export async function outcomeOf(
  ground: ManifestGround,
  before: WholePicture,
  after: WholePicture,
  isDone: boolean,
  at: string,
): Promise<'before' | 'after'> {
  await noWatchers(ground.ground);
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const now = await wholePicture(ground);
    if (!isDone && isAs(now, before)) return 'before';
    if (isDeepStrictEqual(now.comparable, after.comparable)) return 'after';
    if (performance.now() < deadline) {
      await sleep(25);
      continue;
    }
    const isNearBefore = !isDone && differing(now, before) <= differing(now, after);
    if (isNearBefore) expect(exactly(now, before), `as before, ${at}`).toEqual(before.exact);
    expect(now.comparable, `as it was to be, ${at}`).toEqual(after.comparable);
  }
}

/** Where all was made anew, there is nothing exact to compare with. */
function exactly(now: WholePicture, { exact, comparable }: WholePicture): unknown {
  return exact === comparable ? now.comparable : now.exact;
}

function isAs(now: WholePicture, wanted: WholePicture): boolean {
  return isDeepStrictEqual(exactly(now, wanted), wanted.exact);
}

/** How many lines of the one are not in the other. */
function differing({ comparable: one }: WholePicture, { comparable: other }: WholePicture): number {
  const lines = new Set(JSON.stringify(other, null, 1).split('\n'));
  return JSON.stringify(one, null, 1)
    .split('\n')
    .filter((each) => !lines.has(each)).length;
}

/** The picture when it does not change any more. */
export async function settled(ground: ManifestGround): Promise<WholePicture> {
  await noWatchers(ground.ground);
  const deadline = performance.now() + patienceMs;
  for (let last = await wholePicture(ground); ; ) {
    await sleep(50);
    const now = await wholePicture(ground);
    if (isDeepStrictEqual(now.exact, last.exact)) return now;
    if (performance.now() > deadline) expect(now.exact).toEqual(last.exact);
    last = now;
  }
}

const line = z.looseObject({
  plan: z.optional(z.looseObject({ actions: z.array(z.looseObject({ kind: z.string() })) })),
  actions: z.optional(z.array(z.looseObject({ kind: z.string() }))),
});

function noteKinds({ ground }: ManifestGround, kinds: Set<string>): void {
  const path = join(ground.bpffs.stateDir, 'batch.journal');
  if (!existsSync(path)) return;
  for (const text of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
    const { plan, actions } = line.parse(JSON.parse(text));
    for (const { kind } of [...(plan?.actions ?? []), ...(actions ?? [])]) kinds.add(kind);
  }
}
