/** What the process does that takes a change back: it looks, and sleeps, and looks again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NetkitError } from '../../base/errors.js';
import { readBatchJournal } from '../batch-journal.js';
import { type EnvironmentOptions, recoverLeft } from '../environment.js';
import { StateStore } from '../store.js';
import { type PendingChange, readPending, timeLeft } from './record.js';
import type { Watched } from './watcher.js';

/** Short, so that a machine that slept through the deadline takes the change back soon after it woke up. */
const longestSleepMs = 250;
/** Pauses before a return that failed is tried again. After the last one it is left to the next command. */
const pausesMs = [1000, 2000, 4000, 8000, 15_000];
/** The lock is somebody's who changes something: it comes free when that is done. */
const lockTimeoutMs = 60_000;

/** Ends when nothing is left to watch. Call it when the command that makes the change has ended. */
export async function watchChange(watched: Watched): Promise<void> {
  const store = new StateStore(watched.stateDir);
  const options: EnvironmentOptions = {
    bpffs: watched.bpffs,
    stateDir: watched.stateDir,
    lockTimeoutMs,
    command: `netkit (takes back a change to ${watched.function})`,
    note: () => undefined,
  };
  // The command was killed in the middle of the change.
  const batch = readBatchJournal(store.batchJournalPath)?.history.change;
  if ([store.readJournal()?.change, batch].includes(watched.change)) await recoverLeft(options);
  let failures = 0;
  for (;;) {
    const change = waitingChange(store, watched);
    if (change === undefined) return;
    const left = timeLeft(change);
    if (left > 0) {
      await sleep(Math.min(left, longestSleepMs));
      continue;
    }
    const isBusy = await isLocked(recoverLeft(options));
    if (isBusy || waitingChange(store, watched) === undefined) continue;
    const pause = pausesMs[failures++];
    if (pause === undefined) return;
    await sleep(pause);
  }
}

function waitingChange(store: StateStore, { function: name, change }: Watched): PendingChange | undefined {
  const found = readPending(store, name);
  return found?.plan.change === change && found.stage === 'waiting' ? found : undefined;
}

async function isLocked(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (error instanceof NetkitError) return error.code === 'locked';
    throw error;
  }
}
