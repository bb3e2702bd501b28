/** Many entries written or deleted at once, by batch calls where the kernel has them. */
import { NetkitError } from '../base/errors.js';
import type { EntryBatch } from '../obj/entries/batch.js';
import { errnoName } from '../sys/errno.js';
import { duplicateFd } from '../sys/fd.js';
import { type BatchAnswer, type BatchWork, runBatch, runBatchAsync } from '../sys/map-batch.js';
import type { EntryAccess } from './map-access.js';
import { PartialWrite } from './map-failure.js';
import { OpenedReferences, referenceField } from './map-references.js';

/** What a batch is written as. */
export interface WriteFlags {
  /** What the kernel calls the update mode; a batch has none. */
  readonly mode: number;
  /** BPF_F_LOCK or nothing. */
  readonly lock: number;
}

/** Batch calls as they are needed: whoever runs this makes each on the thread that it likes. */
type Calls<Result> = Generator<BatchWork, Result, BatchAnswer>;

/** How many maps or programs are open at once while entries that refer to them are written. */
const mostReferences = 256;

/** @throws PartialWrite @internal */
export function writeNow(access: EntryAccess, batch: EntryBatch, flags: WriteFlags): void {
  run(access, writeSteps(access, batch, flags));
}

/** The batch must not be touched until this is done. @throws PartialWrite @internal */
export async function writeAside(access: EntryAccess, batch: EntryBatch, flags: WriteFlags): Promise<void> {
  // The map may be closed while the kernel is at work: the number must not name something else then.
  using fd = duplicateFd(access.fd.value);
  const own = access.through(fd);
  const steps = writeSteps(own, batch, flags);
  try {
    let step = steps.next();
    while (step.done !== true) step = steps.next(await runBatchAsync(fd, step.value));
  } finally {
    steps.return();
  }
}

/** @returns how many of the keys were there. @throws PartialWrite @internal */
export function deleteNow(access: EntryAccess, keys: Uint8Array, count: number): number {
  return run(access, deleteSteps(access, keys, count));
}

function run<Result>(access: EntryAccess, steps: Calls<Result>): Result {
  let step = steps.next();
  while (step.done !== true) step = steps.next(runBatch(access.fd, step.value));
  return step.value;
}

function* writeSteps(access: EntryAccess, batch: EntryBatch, flags: WriteFlags): Calls<void> {
  const field = referenceField(access.info);
  if (field === undefined) {
    yield* writeSlice(access, batch, flags, 0);
    return;
  }
  for (let from = 0; from < batch.count; from += mostReferences) {
    yield* writeReferences(access, slice(access, batch, from, mostReferences), flags, from);
  }
}

function* writeReferences(
  access: EntryAccess,
  batch: EntryBatch,
  flags: WriteFlags,
  from: number,
): Calls<void> {
  const field = referenceField(access.info);
  if (field === undefined) return;
  using references = new OpenedReferences(field);
  const { valueStride } = access.layout;
  for (let index = 0; index < batch.count; index++) {
    const one = slice(access, batch, index, 1);
    try {
      // One after the other, so that a reference to what is not there is refused at its own entry.
      const values = applied(from + index, () => references.descriptors(one.values, valueStride));
      batch.values.set(values, index * valueStride);
    } catch (error) {
      // It says that all before it are written.
      yield* writeSlice(access, slice(access, batch, 0, index), flags, from);
      throw error;
    }
  }
  yield* writeSlice(access, batch, flags, from);
}

/** A copy of some entries. */
function slice(
  access: EntryAccess,
  { keys, values, count }: EntryBatch,
  from: number,
  most: number,
): EntryBatch {
  const { keySize, valueStride } = access.layout;
  const to = Math.min(count, from + most);
  return {
    count: to - from,
    keys: keys.slice(from * keySize, to * keySize),
    values: values.slice(from * valueStride, to * valueStride),
  };
}

function* writeSlice(access: EntryAccess, batch: EntryBatch, flags: WriteFlags, from: number): Calls<void> {
  const { keySize, valueStride } = access.layout;
  const { keys, values, count } = batch;
  const mayBatch = flags.mode === 0 && keySize > 0;
  let done = 0;
  while (done < count) {
    let unsure = false;
    if (mayBatch && !access.withoutBatch.has('MAP_UPDATE_BATCH')) {
      const answer = yield {
        command: 'MAP_UPDATE_BATCH',
        keys: keys.subarray(done * keySize, count * keySize),
        values: values.subarray(done * valueStride, count * valueStride),
        count: count - done,
        flags: flags.lock,
      };
      done += answer.count;
      if (answer.errno === 0) return;
      unsure = noteRefusal(access, 'MAP_UPDATE_BATCH', answer);
    }
    // The one that the batch ended at: either it is refused again, with its own reason, or all goes on behind it.
    const key = keySize === 0 ? undefined : keys.subarray(done * keySize, (done + 1) * keySize);
    const value = values.subarray(done * valueStride, (done + 1) * valueStride);
    applied(from + done, () => access.write(key, value, flags.mode | flags.lock));
    if (unsure) access.withoutBatch.add('MAP_UPDATE_BATCH');
    done++;
  }
}

function* deleteSteps(access: EntryAccess, keys: Uint8Array, count: number): Calls<number> {
  const { keySize } = access.layout;
  let done = 0;
  let deleted = 0;
  while (done < count) {
    let unsure = false;
    if (!access.withoutBatch.has('MAP_DELETE_BATCH')) {
      const answer = yield {
        command: 'MAP_DELETE_BATCH',
        keys: keys.subarray(done * keySize, count * keySize),
        values: keys.subarray(0, 0),
        count: count - done,
        flags: 0,
      };
      done += answer.count;
      deleted += answer.count;
      if (answer.errno === 0) return deleted;
      unsure = noteRefusal(access, 'MAP_DELETE_BATCH', answer);
    }
    const key = keys.subarray(done * keySize, (done + 1) * keySize);
    if (applied(done, () => access.delete(key))) deleted++;
    if (unsure) access.withoutBatch.add('MAP_DELETE_BATCH');
    done++;
  }
  return deleted;
}

/** Remembers that there are no such batches. @returns whether that is to be concluded if the first entry alone is taken */
function noteRefusal(
  access: EntryAccess,
  command: BatchWork['command'],
  { errno, count }: BatchAnswer,
): boolean {
  const why = errnoName(errno);
  if (why === 'ENOTSUPP' || why === 'EOPNOTSUPP') access.withoutBatch.add(command);
  return why === 'EINVAL' && count === 0;
}

/** Runs the call of one entry; says which one was refused. */
function applied<Result>(index: number, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (error instanceof NetkitError) throw new PartialWrite(error, index);
    throw error;
  }
}
