/**
 * Performs a plan: journal first, then action by action; a failed or interrupted one is undone in reverse. Recovery
 * reads the journal that a killed command left and takes its change back, or finishes it once its state was recorded.
 */
import { messageOf, NetkitError } from '../base/errors.js';
import { fileErrorCode } from '../host/file-errors.js';
import { bootId } from '../host/kernel.js';
import { type Action, describeAction, type Plan } from './action.js';
import { asPutBack } from './attachment.js';
import { functionFolder } from './layout.js';
import { perform, performWaiting, type Stage, undo } from './perform.js';
import { countSteps, steppingStone } from './stepping-stone.js';
import type { StateStore } from './store.js';

/**
 * Performs all of a plan or nothing of it.
 * @throws the error of the step that failed, after undoing; NetkitError `interrupted` when `signal` says stop
 */
export async function execute(plan: Plan, stage: Stage, signal?: AbortSignal): Promise<void> {
  countSteps();
  writeJournal(plan, stage);
  const done: Action[] = [];
  try {
    await performAll(plan, stage, signal, done);
  } catch (error) {
    undoAll(done, stage, error, steppingStone);
    steppingStone();
    stage.store.removeJournal();
    throw error;
  }
  stage.store.removeJournal();
  steppingStone();
}

/** Performs action by action; `done` gets each before it begins. @throws the error of the step that failed */
export async function performAll(
  plan: Plan,
  stage: Stage,
  signal: AbortSignal | undefined,
  done: Action[],
): Promise<void> {
  for (const action of plan.actions) {
    steppingStone();
    // Native calls block the event loop: a signal arrives only here.
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted === true)
      throw new NetkitError('interrupted', `interrupted: ${plan.command} was undone`);
    done.push(action);
    await performWaiting(action, stage, signal);
  }
  steppingStone();
}

/** A full disk must not keep anybody from taking programs off: removing a function goes on without a journal. */
function writeJournal(plan: Plan, stage: Stage): void {
  try {
    stage.store.writeJournal(plan);
  } catch (error) {
    const removes = plan.actions.some((action) => action.kind === 'record' && action.after === null);
    if (!removes || !isFull(error)) throw error;
    stage.note(`${messageOf(error)}: going on without a journal`);
  }
}

/** Whether there was no room to write something. */
export function isFull(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return ['ENOSPC', 'EDQUOT'].includes(fileErrorCode(cause) ?? '');
}

/** Undoes in reverse, as far as it goes; `between` is called before each. @throws NetkitError when something could not be undone; the journal then stays */
export function undoAll(
  actions: readonly Action[],
  stage: Stage,
  reason: unknown,
  between: () => void = () => undefined,
): void {
  const failures: string[] = [];
  for (const action of [...actions].reverse()) {
    between();
    try {
      undo(action, stage);
    } catch (error) {
      failures.push(`${describeAction(action)}: ${messageOf(error)}`);
    }
  }
  try {
    recordPutBack(actions, stage);
  } catch (error) {
    failures.push(messageOf(error));
  }
  if (failures.length === 0) return;
  throw new NetkitError(
    reason instanceof NetkitError && reason.code === 'interrupted' ? 'interrupted' : 'failed',
    `${messageOf(reason)}; and it could not be undone: ${failures.join('; ')}`,
    {
      hint: "when the cause is mended, 'netkit recover' undoes the rest",
      cause: reason,
    },
  );
}

/** The records that came back, where what they record was made anew, which is known only when all is undone. */
function recordPutBack(actions: readonly Action[], stage: Stage): void {
  const names = actions.flatMap((action) => (action.kind === 'record' ? [action.function] : []));
  for (const name of new Set(names)) {
    const record = stage.store.read(name);
    if (record === undefined) continue;
    const folder = functionFolder(record.bpffs, record.name);
    const links = record.links.map((link) => asPutBack(folder, link));
    if (links.some((link, index) => link !== record.links[index])) stage.store.write({ ...record, links });
  }
}

/** What a recovery did. */
export interface Recovery {
  readonly command: string;
  readonly startedAt: string;
  readonly outcome: 'finished' | 'undone';
}

/** What `recover` would do, from the journal alone; undefined when there is nothing. */
export function pendingRecovery(store: StateStore): Recovery | undefined {
  const plan = store.readJournal();
  return plan === undefined ? undefined : recoveryOf(plan, store);
}

function recoveryOf(plan: Plan, store: StateStore): Recovery {
  const outcome = isCommitted(plan, store) ? 'finished' : 'undone';
  return { command: plan.command, startedAt: plan.startedAt, outcome };
}

/** Finishes or undoes what a killed command left; undefined when there is nothing. Call it under the lock. */
export function recover(stage: Stage): Recovery | undefined {
  const plan = stage.store.readJournal();
  if (plan === undefined) return undefined;
  const recovery = recoveryOf(plan, stage.store);
  const actions = plan.bootId === bootId() ? plan.actions : plan.actions.filter(concernsFiles);
  if (recovery.outcome === 'finished') {
    const record = actions.findIndex(
      (action) => action.kind === 'record' && action.function === plan.function,
    );
    for (const action of actions.slice(record + 1)) {
      steppingStone();
      perform(action, stage);
    }
  } else {
    undoAll(actions, stage, `${plan.command} was killed`, steppingStone);
  }
  steppingStone();
  stage.store.removeJournal();
  steppingStone();
  return recovery;
}

const ofFiles = new Set<Action['kind']>([
  'store-object',
  'drop-object',
  'store-entries',
  'drop-entries',
  'record',
  'record-chain',
]);

export function concernsFiles({ kind }: Action): boolean {
  return ofFiles.has(kind);
}

function isCommitted(plan: Plan, store: StateStore): boolean {
  const record = plan.actions.find((action) => action.kind === 'record' && action.function === plan.function);
  if (record?.kind !== 'record') return false;
  const present = store.read(plan.function);
  return record.after === null ? present === undefined : present?.change === plan.change;
}
