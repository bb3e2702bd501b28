/** A change that is taken back unless it is confirmed in time: what is written down of it, one file a function. */
import { rmSync } from 'node:fs';
import * as z from 'zod/mini';
import { NetkitError } from '../../base/errors.js';
import { writeFileSynced } from '../../host/atomic-file.js';
import { bootClockMs } from '../../host/boot-clock.js';
import { bootId } from '../../host/kernel.js';
import { mayBeAlive, type ProcessIdentity } from '../../host/process-identity.js';
import type { Action, Plan } from '../action.js';
import { stateFormat } from '../state.js';
import { actionsOf, planOf, readJson, refuseNewer, type StateStore } from '../store.js';

/** Why a change was taken back: nobody confirmed it in time, or it was found to do harm, or who was to find out is gone. */
export const returnReasons = ['time', 'reboot', 'health', 'abandoned'] as const;
export type ReturnReason = (typeof returnReasons)[number];

/** What is known of the change before it waits. */
export interface Unconfirmed {
  /** In a form that can be taken back. */
  readonly plan: Plan;
  /** What is left to do once it is confirmed. */
  readonly finish: readonly Action[];
}

/**
 * `waiting`: for its confirmation, or for being taken back. `confirmed`: only the rest is to be done. `returned`: it was
 * taken back, which is kept for whoever comes to confirm it.
 */
export type PendingStage = 'waiting' | 'confirmed' | 'returned';

/** The process that watches whether the change does what it is for, and confirms it then. */
export interface Settler extends ProcessIdentity {
  /** What it looks at, for people. */
  readonly about: string;
}

export interface PendingChange extends Unconfirmed {
  readonly stage: PendingStage;
  readonly deadline: {
    /** On the clock of this boot. */
    readonly bootMs: number;
    /** For people, ISO 8601. */
    readonly at: string;
  };
  /** When it was taken back, ISO 8601. */
  readonly returnedAt: string | null;
  /** Why it was taken back. */
  readonly reason: ReturnReason | null;
  /** Null when it waits for a person. */
  readonly settling: Settler | null;
  /** Why it could not be taken back, when that was tried. */
  readonly problem: string | null;
}

const settler = z.object({
  pid: z.int(),
  startTime: z.string(),
  pidNamespace: z.string(),
  about: z.string(),
});
const pendingFile = z.object({
  formatVersion: z.literal([2, stateFormat]),
  stage: z.enum(['waiting', 'confirmed', 'returned']),
  deadline: z.object({ bootMs: z.number(), at: z.string() }),
  returnedAt: z.nullable(z.string()),
  reason: z.nullable(z.enum(returnReasons)),
  settling: z._default(z.nullable(settler), null),
  problem: z.nullable(z.string()),
  plan: z.unknown(),
  finish: z.unknown(),
});

/** Writes down that the change waits from now on. @throws NetkitError */
export function beginWaiting(
  store: StateStore,
  unconfirmed: Unconfirmed,
  forMs: number,
  settling: Settler | null = null,
): void {
  writePending(store, {
    ...unconfirmed,
    stage: 'waiting',
    deadline: deadlineIn(forMs),
    returnedAt: null,
    reason: null,
    settling,
    problem: null,
  });
}

export function deadlineIn(forMs: number): PendingChange['deadline'] {
  return { bootMs: bootClockMs() + forMs, at: new Date(Date.now() + forMs).toISOString() };
}

/** @throws NetkitError */
export function writePending(store: StateStore, change: PendingChange): void {
  const text = JSON.stringify({ formatVersion: stateFormat, ...change });
  writeFileSynced(store.pendingPath(change.plan.function), text);
}

/** No change of the function waits any more. */
export function removePending(store: StateStore, functionName: string): void {
  rmSync(store.pendingPath(functionName), { force: true });
}

/** Undefined when there is none. @throws NetkitError `bad-state` for a file that is damaged or of a newer netkit */
export function readPending(store: StateStore, functionName: string): PendingChange | undefined {
  const path = store.pendingPath(functionName);
  const hint = `'netkit unload ${functionName}' removes the function from its pins alone, and clears it`;
  const value = readJson(path, hint);
  if (value === undefined) return undefined;
  refuseNewer(path, value);
  const { data } = pendingFile.safeParse(value);
  const plan = planOf(data?.plan);
  const finish = actionsOf(data?.finish);
  if (data === undefined || plan?.function !== functionName || finish === undefined)
    throw new NetkitError('bad-state', `${path} is damaged: it is no change that waits`, { hint });
  return { ...data, plan, finish };
}

/** {@link readPending} for lists: what is damaged is left out. */
export function readablePending(store: StateStore): PendingChange[] {
  return store.pendingNames().flatMap((name) => {
    try {
      return readPending(store, name) ?? [];
    } catch (error) {
      if (error instanceof NetkitError && error.code === 'bad-state') return [];
      throw error;
    }
  });
}

/**
 * Milliseconds until it is taken back: 0 or less when that is due, as after every reboot, and when the process is gone that
 * was to find out whether it may stay.
 */
export function timeLeft(change: PendingChange): number {
  const { deadline, plan } = change;
  return plan.bootId === bootId() && !isAbandoned(change) ? deadline.bootMs - bootClockMs() : 0;
}

/** Whether the process that was to confirm it has ended without a word. */
export function isAbandoned({ settling }: PendingChange): boolean {
  return settling !== null && !mayBeAlive(settling);
}

/** Every function that the change has to do with. */
export function functionsOf({ plan }: Unconfirmed): Set<string> {
  return new Set([plan.function, ...plan.actions.map((action) => action.function)]);
}
