/** How the end of an import in the middle is told: which entry, where it stands, what was applied and what was not. */

import { type ErrorCode, messageOf, NetkitError } from '../../base/errors.js';
import { isErrno } from '../../sys/errno.js';
import { PartialWrite } from '../map-failure.js';
import type { EntrySource } from './source.js';

/** What an import did before it failed. */
export interface Applied {
  readonly written: number;
  /** Left out where nothing is ever removed. */
  readonly removed?: number;
}

/** How many entries of its batch a failed write had applied; undefined for an error that does not tell. */
export function writtenOf(error: unknown): number | undefined {
  return error instanceof PartialWrite ? error.written : undefined;
}

/** Whether a map refused an entry because it is full. */
export function isFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (isErrno(at, 'E2BIG', 'ENOSPC')) return true;
  return false;
}

/** `blocked.csv: line 3: …` for a refusal of the kernel; the errors of readers say where already. */
export function located(error: unknown, source: EntrySource, line: number): unknown {
  if (line === 0 || source.unit === undefined) return error;
  return again(error, `${source.name}: ${source.unit} ${line}: ${messageOf(error)}`, { [source.unit]: line });
}

/** The same error with what came of it in brackets behind the sentence, and further details. */
export function withOutcome(
  error: unknown,
  outcome: string,
  details: Readonly<Record<string, unknown>>,
): NetkitError {
  return again(error, `${messageOf(error)} (${outcome})`, details);
}

/** What was applied, for an import that leaves what it did. `left` is unknown where the rest cannot be read. */
export function partly(error: unknown, applied: Applied, left: number | undefined): NetkitError {
  const { written, removed } = applied;
  const done = [
    `${written} ${written === 1 ? 'entry was' : 'entries were'} written`,
    ...(removed === undefined || removed === 0 ? [] : [`${removed} removed`]),
    ...(left === undefined
      ? isInterrupt(error)
        ? []
        : ['the rest was not']
      : [`${left} ${left === 1 ? 'was' : 'were'} not`]),
  ];
  return withOutcome(error, done.join(', '), {
    written,
    ...(removed === undefined ? {} : { removed }),
    left: left ?? null,
  });
}

function isInterrupt(error: unknown): boolean {
  return error instanceof NetkitError && error.code === 'interrupted';
}

/** What was applied was to be taken back, and could not be, at least not all of it: how much is there nobody knows. */
export function halfUndone(failure: unknown, undoFailure: unknown): NetkitError {
  const message = `${messageOf(failure)}; and it could not be undone: ${messageOf(undoFailure)}`;
  return again(failure, message, { written: null, left: null, undo: messageOf(undoFailure) });
}

/** Nothing was applied, or all of it was taken back. */
export function untouched(error: unknown): NetkitError {
  return withOutcome(error, 'the map is as it was', { written: 0 });
}

function again(error: unknown, message: string, details: Readonly<Record<string, unknown>>): NetkitError {
  const known = error instanceof NetkitError ? error : undefined;
  const code: ErrorCode = known?.code ?? 'failed';
  return new NetkitError(code, message, {
    hint: known?.hint,
    details: { ...known?.details, ...details },
    cause: error,
  });
}
