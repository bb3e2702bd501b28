/** What came of a change of many entries, and what becomes of it when it failed. */
import { type Applied, partly, untouched } from './failure.js';
import type { UndoLog } from './undo.js';

export interface Outcome extends Applied {
  /** Why it ended early. */
  readonly failure?: unknown;
  /** Entries that were not written; unknown where the rest cannot be read. */
  readonly left?: number | undefined;
}

/**
 * Throws when the work failed: with what was applied, or, where there is a log, after taking it back.
 * @throws NetkitError
 */
export async function settle(outcome: Outcome, log: UndoLog | undefined): Promise<void> {
  const { failure, written, removed } = outcome;
  if (failure === undefined) return;
  if (log !== undefined) {
    try {
      await log.undo();
    } catch (error) {
      throw partly(error, { written, ...(removed === undefined ? {} : { removed }) }, outcome.left);
    }
    throw untouched(failure);
  }
  if (written + (removed ?? 0) === 0) throw untouched(failure);
  throw partly(failure, outcome, outcome.left);
}
