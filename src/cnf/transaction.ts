/**
 * Several changes that are made all or none, whichever way they end: the `--atomic` of `batch`. Each change is written
 * down before it is made, in such a form that it can be taken back; what cannot be taken back waits for the commit.
 */
import { messageOf, NetkitError } from '../base/errors.js';
import { BpfMap } from '../ebpf/map.js';
import { bootId, newUuid } from '../host/kernel.js';
import type { Action, Plan } from './action.js';
import {
  type BatchHistory,
  BatchJournal,
  type BatchStep,
  type OldEntries,
  readBatchJournal,
  readStep,
} from './batch-journal.js';
import { concernsFiles, performAll, type Recovery, undoAll } from './execute.js';
import { beginWaiting, readablePending, type Settler } from './pending/record.js';
import type { Stage } from './perform.js';
import { openMap } from './reference.js';
import { finish, reversible } from './reversible.js';
import { steppingStone } from './stepping-stone.js';
import type { StateStore } from './store.js';

export class Transaction implements Disposable {
  readonly #store: StateStore;
  readonly #journal: BatchJournal;
  /** What is left for the commit: the pins put aside, the objects not needed any more. */
  readonly #finish: Action[] = [];
  readonly #head: Omit<Plan, 'function' | 'actions'>;
  readonly #done: Action[] = [];
  #asides = 0;

  /** Call it under the lock, when nothing of a killed command is left. */
  constructor(store: StateStore, command: string) {
    this.#store = store;
    this.#head = { change: newUuid(), command, startedAt: new Date().toISOString(), bootId: bootId() };
    this.#journal = BatchJournal.create(store.batchJournalPath, this.#head);
  }

  /** Identifies all of it, where it waits for a confirmation. */
  get change(): string {
    return this.#head.change;
  }

  /** Makes one change. When it fails, nothing of it is undone yet: {@link Transaction.rollback} does. */
  async perform(plan: Plan, stage: Stage, signal?: AbortSignal): Promise<void> {
    const reversible = { ...plan, actions: plan.actions.flatMap((action) => this.#reversible(action)) };
    this.#journal.append({ kind: 'plan', plan: reversible });
    this.#journal.sync();
    this.#done.push(...reversible.actions);
    await performAll(reversible, stage, signal, []);
  }

  /** Remembers entries that are about to be written or deleted. A power cut takes maps with it: nothing is synced. */
  remember(entries: OldEntries): void {
    this.#journal.append({ kind: 'entries', entries });
    steppingStone();
  }

  /**
   * From here on nothing is taken back: a killed command's rest is finished.
   * @throws NetkitError when that could not be written down; everything is still to be rolled back then
   */
  commit(): void {
    steppingStone();
    this.#journal.appendSynced({ kind: 'commit', actions: this.#finish });
    steppingStone();
  }

  /**
   * In place of the commit: from here on everything is taken back unless somebody confirms it in time.
   * @param functionName under whose name it waits
   * @throws NetkitError when that could not be written down; everything is still to be rolled back then
   */
  await(functionName: string, forMs: number, settling: Settler | null): void {
    steppingStone();
    const plan = { ...this.#head, function: functionName, actions: this.#done };
    beginWaiting(this.#store, { plan, finish: this.#finish }, forMs, settling);
    steppingStone();
    this.#store.removeBatchJournal();
    steppingStone();
  }

  /** Does what waited for the commit. */
  finish(stage: Stage): void {
    finish(this.#finish, stage);
    this.#store.removeBatchJournal();
    steppingStone();
  }

  /** Takes everything back. @throws NetkitError when something could not be; the journal then stays for `recover` */
  rollback(stage: Stage, reason: unknown): void {
    const path = this.#store.batchJournalPath;
    const read = readBatchJournal(path);
    if (read === undefined)
      throw new NetkitError('failed', `${messageOf(reason)}; and it could not be undone: ${path} is gone`);
    undoSteps(read.history, this.#journal, stage, reason);
    this.#store.removeBatchJournal();
  }

  #reversible(action: Action): Action[] {
    const { now, later } = reversible(action, this.#store, () => ++this.#asides);
    this.#finish.push(...later);
    return now;
  }

  [Symbol.dispose](): void {
    this.#journal[Symbol.dispose]();
  }
}

/** What `recover` would do about a killed batch; undefined when there is none. */
export function pendingBatch(store: StateStore): Recovery | undefined {
  const read = readBatchJournal(store.batchJournalPath);
  return read === undefined ? undefined : recoveryOf(read.history);
}

/** Takes back what a killed batch did, or finishes it once it was committed. Call it under the lock. */
export function recoverBatch(stage: Stage): Recovery | undefined {
  const read = readBatchJournal(stage.store.batchJournalPath);
  if (read === undefined) return undefined;
  // It was killed when all was written down of what waits for its confirmation.
  if (readablePending(stage.store).some(({ plan }) => plan.change === read.history.change)) {
    stage.store.removeBatchJournal();
    return undefined;
  }
  return recoverFrom(read, stage);
}

/**
 * After a function was unloaded although a killed batch could not be taken back: nothing of this function is to be brought
 * back any more, and the rest of the batch is taken back as far as that goes now. The journal stays for what is left.
 */
export function recoverWithout(functionName: string, stage: Stage): void {
  const path = stage.store.batchJournalPath;
  try {
    const read = readBatchJournal(path);
    if (read === undefined) return;
    if (read.history.finish === undefined) settle(path, read.length, functionName);
    const recovery = recoverBatch(stage);
    if (recovery === undefined) return;
    const { command, outcome } = recovery;
    const exception = outcome === 'undone' ? `, but for ${functionName}` : '';
    stage.note(`'${command}' had been killed: its change was ${outcome}${exception}`);
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    // Nobody can tell what it says, and it would be in the way of every command.
    if (error.code === 'bad-state') stage.store.removeBatchJournal();
    else stage.note(`${error.message}: ${path} stays for what is left`);
  }
}

function settle(path: string, length: number, functionName: string): void {
  using journal = BatchJournal.reopen(path, length);
  journal.appendSynced({ kind: 'settled', function: functionName });
}

function recoverFrom(
  { history, length }: { readonly history: BatchHistory; readonly length: number },
  stage: Stage,
): Recovery {
  const path = stage.store.batchJournalPath;
  if (history.finish === undefined) {
    using journal = BatchJournal.reopen(path, length);
    undoSteps(history, journal, stage, `${history.command} was killed`);
  } else {
    const isThisBoot = history.bootId === bootId();
    finish(isThisBoot ? history.finish : history.finish.filter(concernsFiles), stage);
  }
  stage.store.removeBatchJournal();
  return recoveryOf(history);
}

function recoveryOf({ command, startedAt, finish: left }: BatchHistory): Recovery {
  return { command, startedAt, outcome: left === undefined ? 'undone' : 'finished' };
}

/**
 * Undoes step by step, the last one first, and marks each: undoing one again when those before it are undone too would
 * harm what they brought back. It stops at a step that cannot be undone.
 */
function undoSteps(history: BatchHistory, journal: BatchJournal, stage: Stage, reason: unknown): void {
  const isThisBoot = history.bootId === bootId();
  for (let left = history.steps.length; left > 0; left--) {
    const span = history.steps[left - 1];
    if (span !== undefined) undoStep(readStep(stage.store.batchJournalPath, span), stage, isThisBoot, reason);
    steppingStone();
    mark(journal, left - 1);
    steppingStone();
  }
}

function undoStep(step: BatchStep, stage: Stage, isThisBoot: boolean, reason: unknown): void {
  if (step.kind === 'plan') {
    const { actions } = step.plan;
    undoAll(isThisBoot ? actions : actions.filter(concernsFiles), stage, reason, steppingStone);
  } else if (isThisBoot) restoreEntries(step.entries, reason);
}

function mark(journal: BatchJournal, left: number): void {
  try {
    journal.append({ kind: 'undone', left });
  } catch {
    // A full disk must not keep anything from being undone; only a kill right here would now be one too many.
  }
}

function restoreEntries(old: OldEntries, reason: unknown): void {
  const { keySize, valueSize } = old;
  const keys = Buffer.from(old.keys, 'base64');
  const values = Buffer.from(old.values, 'base64');
  try {
    using map = mapOf(old);
    // The kernel has it no more: its entries went with it.
    if (map === undefined) return;
    for (let index = old.present.length - 1; index >= 0; index--) {
      const key = keys.subarray(index * keySize, (index + 1) * keySize);
      if (old.present[index] === '1')
        map.setBytes(key, values.subarray(index * valueSize, (index + 1) * valueSize));
      else map.deleteBytes(key);
    }
  } catch (error) {
    const code = reason instanceof NetkitError && reason.code === 'interrupted' ? 'interrupted' : 'failed';
    throw new NetkitError(
      code,
      `${messageOf(reason)}; and it could not be undone: the entries of ${old.map.reference}: ${messageOf(error)}`,
      { hint: "when the cause is mended, 'netkit recover' undoes the rest", cause: error },
    );
  }
}

/** Undefined when the map is gone. @throws NetkitError `not-permitted` when it may live on, where this user cannot open it */
function mapOf({ map: { id, reference, bpffs } }: OldEntries): BpfMap | undefined {
  try {
    return BpfMap.fromId(id);
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    if (error.code === 'not-found') return undefined;
    if (error.code !== 'not-permitted') throw error;
    const map = mapStillAt(reference, bpffs, id);
    if (map !== undefined) return map;
    throw new NetkitError(
      error.code,
      `${reference} is no longer the map with id ${id}, and ${error.message}`,
      { hint: error.hint, cause: error },
    );
  }
}

/** Undefined when the reference means nothing, or another map, by now. */
function mapStillAt(reference: string, bpffs: string, id: number): BpfMap | undefined {
  try {
    const map = openMap(reference, bpffs);
    if (map.info.id === id) return map;
    map[Symbol.dispose]();
    return undefined;
  } catch (error) {
    const isOther =
      error instanceof NetkitError &&
      ['not-found', 'not-permitted', 'usage', 'conflict'].includes(error.code);
    if (isOther) return undefined;
    throw error;
  }
}
