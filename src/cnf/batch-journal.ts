/**
 * What an atomic batch did so far: a file that is only appended to, one record a line. Read backwards it takes the batch
 * back, whether the batch failed or was killed. A last line without an end was being written and means nothing yet.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod/mini';
import { NetkitError } from '../base/errors.js';
import { syncDirectory } from '../host/atomic-file.js';
import { fileError, fileErrorCode } from '../host/file-errors.js';
import type { Action, Plan } from './action.js';
import { stateFormat } from './state.js';
import { actionsOf, journalHint, planOf } from './store.js';

/** Entries of a map as they were before a write, side by side; what follows from `present` is '1' where the key was there. */
export interface OldEntries {
  /** By its id, and by how to find it for users who may not open maps by id. */
  readonly map: { readonly id: number; readonly reference: string; readonly bpffs: string };
  readonly keySize: number;
  readonly valueSize: number;
  /** One character an entry: 1 where the key was there. */
  readonly present: string;
  /** In base64, as are the values; of an absent key the value is zeros. */
  readonly keys: string;
  readonly values: string;
}

export type BatchStep =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | { readonly kind: 'entries'; readonly entries: OldEntries };

export type BatchRecord =
  | BatchStep
  /** Of the steps only the first `left` are still to be undone. */
  | { readonly kind: 'undone'; readonly left: number }
  /** The function was unloaded in spite of what the steps say of it: those before this record are not to be undone. */
  | { readonly kind: 'settled'; readonly function: string }
  /** All is done; what could not have been undone is left to do. */
  | { readonly kind: 'commit'; readonly actions: readonly Action[] };

export interface BatchHead {
  /** Identifies it; empty in a journal of an earlier release. */
  readonly change: string;
  readonly command: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly bootId: string;
}

/** Where a record stands in the file: old entries may be more than fits in memory. */
interface Span {
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

interface StepSpan extends Span {
  /** Whose plan it is; undefined for entries. */
  readonly function: string | undefined;
}

/** All that a journal says. */
export interface BatchHistory extends BatchHead {
  /** Those that are still to be undone, for `readStep`. */
  readonly steps: readonly StepSpan[];
  /** Undefined until the batch was committed. */
  readonly finish: readonly Action[] | undefined;
}

export class BatchJournal implements Disposable {
  readonly #path: string;
  readonly #fd: number;
  #length: number;

  private constructor(path: string, flags: string, length: number) {
    this.#path = path;
    this.#fd = openSync(path, flags, 0o600);
    this.#length = length;
  }

  /** @throws NetkitError `failed` when nothing can be written */
  static create(path: string, head: BatchHead): BatchJournal {
    let journal: BatchJournal | undefined;
    try {
      journal = new BatchJournal(path, 'w', 0);
      journal.#write({ formatVersion: stateFormat, kind: 'begin', ...head });
      journal.sync();
      syncDirectory(dirname(path));
      return journal;
    } catch (error) {
      if (journal !== undefined) {
        // Nothing was begun: the next command is not to think that this one was killed.
        journal[Symbol.dispose]();
        rmSync(path, { force: true });
      }
      throw fileError(error, 'write', path);
    }
  }

  /** For going on where a killed one stopped. @param length bytes up to which it is whole */
  static reopen(path: string, length: number): BatchJournal {
    return new BatchJournal(path, 'r+', length);
  }

  /** After this a killed process loses nothing of it. @throws NetkitError `failed` when the disk is full */
  append(record: BatchRecord): void {
    try {
      this.#write(record);
    } catch (error) {
      throw fileError(error, 'write', this.#path);
    }
  }

  /** After this a power cut loses nothing of it either. */
  sync(): void {
    fsyncSync(this.#fd);
  }

  /** Both of them, or the record is not there. @throws NetkitError `failed` */
  appendSynced(record: BatchRecord): void {
    const length = this.#length;
    this.append(record);
    try {
      this.sync();
    } catch (error) {
      ftruncateSync(this.#fd, length);
      this.#length = length;
      throw fileError(error, 'write', this.#path);
    }
  }

  #write(record: object): void {
    const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
    try {
      for (let at = 0; at < bytes.length; )
        at += writeSync(this.#fd, bytes, at, bytes.length - at, this.#length + at);
    } catch (error) {
      // Half a line must not come to stand before a whole one.
      ftruncateSync(this.#fd, this.#length);
      throw error;
    }
    this.#length += bytes.length;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

const oldEntries = z.object({
  map: z.object({ id: z.int().check(z.gte(1)), reference: z.string(), bpffs: z.string() }),
  keySize: z.int().check(z.gte(1)),
  valueSize: z.int().check(z.gte(1)),
  present: z.string().check(z.regex(/^[01]+$/)),
  keys: z.string(),
  values: z.string(),
});
const head = z.object({
  kind: z.literal('begin'),
  formatVersion: z.literal([1, 2, stateFormat]),
  command: z.string(),
  startedAt: z.string(),
  bootId: z.string(),
  change: z._default(z.string(), ''),
});
const record = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('plan'), plan: readBy(planOf) }),
  z.object({ kind: z.literal('entries'), entries: oldEntries }),
  z.object({ kind: z.literal('undone'), left: z.int().check(z.gte(0)) }),
  z.object({ kind: z.literal('settled'), function: z.string() }),
  z.object({ kind: z.literal('commit'), actions: readBy(actionsOf) }),
]);

/** Whatever `read` makes of a value; undefined is wrong. */
function readBy<T>(read: (value: unknown) => T | undefined) {
  return z.pipe(
    z.unknown(),
    z.transform((value, context): T => {
      const known = read(value);
      if (known !== undefined) return known;
      context.issues.push({ code: 'custom', message: 'no plan of a change', input: value });
      return z.NEVER;
    }),
  );
}

/** What a journal says, and its length in bytes without a half line. Undefined when there is none. @throws NetkitError `bad-state` */
export function readBatchJournal(
  path: string,
): { readonly history: BatchHistory; readonly length: number } | undefined {
  const fd = openExisting(path);
  if (fd === undefined) return undefined;
  try {
    const [first, ...rest] = wholeLines(fd);
    // Killed before its first line was there: nothing was done.
    if (first === undefined) return { history: emptyHistory, length: 0 };
    const begun = head.safeParse(parsed(fd, first));
    if (!begun.success) throw damaged(path, first);
    let steps: StepSpan[] = [];
    let finish: readonly Action[] | undefined;
    for (const span of rest) {
      const { data } = record.safeParse(parsed(fd, span));
      if (data === undefined) throw damaged(path, span);
      if (data.kind === 'undone') steps = steps.slice(0, data.left);
      else if (data.kind === 'commit') finish = data.actions;
      else if (data.kind === 'settled') steps = steps.filter((step) => step.function !== data.function);
      else steps.push({ ...span, function: data.kind === 'plan' ? data.plan.function : undefined });
    }
    const { change, command, startedAt, bootId } = begun.data;
    return {
      history: { change, command, startedAt, bootId, steps, finish },
      length: (rest.at(-1) ?? first).end + 1,
    };
  } finally {
    closeSync(fd);
  }
}

/** One step of a history. @throws NetkitError `bad-state` */
export function readStep(path: string, span: Span): BatchStep {
  const fd = openSync(path, 'r');
  try {
    const { data } = record.safeParse(parsed(fd, span));
    if (data?.kind === 'plan' || data?.kind === 'entries') return data;
    throw damaged(path, span);
  } finally {
    closeSync(fd);
  }
}

const emptyHistory: BatchHistory = {
  change: '',
  command: 'netkit batch',
  startedAt: new Date(0).toISOString(),
  bootId: '',
  steps: [],
  finish: undefined,
};

function openExisting(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read', path);
  }
}

function wholeLines(fd: number): Span[] {
  const spans: Span[] = [];
  const chunk = Buffer.alloc(1 << 20);
  let start = 0;
  for (let position = 0; ; ) {
    const length = readSync(fd, chunk, 0, chunk.length, position);
    if (length === 0) return spans;
    for (let at = chunk.indexOf(0x0a); at >= 0 && at < length; at = chunk.indexOf(0x0a, at + 1)) {
      spans.push({ line: spans.length + 1, start, end: position + at });
      start = position + at + 1;
    }
    position += length;
  }
}

function parsed(fd: number, { start, end }: Span): unknown {
  const bytes = Buffer.alloc(end - start);
  for (let at = 0; at < bytes.length; ) {
    const length = readSync(fd, bytes, at, bytes.length - at, start + at);
    if (length === 0) return undefined;
    at += length;
  }
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function damaged(path: string, { line }: Span): NetkitError {
  return new NetkitError('bad-state', `${path} is damaged in line ${line}: it is no record of a batch`, {
    hint: journalHint,
  });
}
