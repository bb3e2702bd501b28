/** What came of a change of many entries, and what becomes of it when it failed. */
import { NetkitError } from '../../base/errors.js';
import { type Applied, halfUndone, partly, untouched } from './failure.js';
import type { UndoLog } from './undo.js';

export interface Outcome extends Applied {
  /** Why it ended early. */
  readonly failure?: unknown;
  /** Counts the entries that were not written; undefined where the rest cannot be read. Asked only where it is told. */
  readonly left?: () => Promise<number | undefined>;
}

/**
 * Throws when the work failed: with what was applied, or, where there is a log, after taking it back. An interrupt that
 * comes only then is told together with that.
 * @throws NetkitError
 */
export async function settle(
  outcome: Outcome,
  log: UndoLog | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (outcome.failure === undefined) return;
  const error = await told(outcome, outcome.failure, log);
  if (signal?.aborted !== true || error.code === 'interrupted') throw error;
  const { message, details } = error;
  throw new NetkitError('interrupted', `interrupted: ${message}`, { details, cause: error });
}

async function told(outcome: Outcome, failure: unknown, log: UndoLog | undefined): Promise<NetkitError> {
  const { written, removed, left } = outcome;
  if (log !== undefined) {
    try {
      await log.undo();
    } catch (error) {
      return halfUndone(failure, error);
    }
    return untouched(failure);
  }
  if (written + (removed ?? 0) === 0) return untouched(failure);
  return partly(failure, outcome, await left?.());
}
