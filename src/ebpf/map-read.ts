/** All entries of a map in batches: on this thread, or on another while the last batch is being used. */
import type { EntryBatch } from '../obj/entries/batch.js';
import { errnoName } from '../sys/errno.js';
import { duplicateFd } from '../sys/fd.js';
import { type BatchAnswer, type BatchWork, batchFailure, runBatch, runBatchAsync } from '../sys/map-batch.js';
import type { EntryAccess } from './map-access.js';
import { neverEnds } from './map-failure.js';
import { comparePrefixes, mostRestarts, walkKeys } from './map-walk.js';

/** How a map is read as a whole. */
export interface ReadOptions {
  /** How many entries a batch has at most; by default as many as fit in a few megabytes, up to 65536. */
  readonly size?: number | undefined;
  /** Take the spin lock in each value while it is read; by default where there is one. */
  readonly lock?: boolean | undefined;
}

const mostEntries = 65_536;
const usualBytes = 4 * 2 ** 20;
/** What one bucket of a hash may grow the buffers to. */
const mostBytes = 2 ** 30;
const mostTries = 100;

/** Room for one batch. */
class Buffers {
  keys: Uint8Array;
  values: Uint8Array;
  capacity: number;
  readonly #entryBytes: number;
  readonly #access: EntryAccess;

  constructor(access: EntryAccess, size: number | undefined) {
    const { keySize, valueStride } = access.layout;
    this.#access = access;
    this.#entryBytes = Math.max(1, keySize + valueStride);
    const fitting = Math.min(
      mostEntries,
      Math.floor(usualBytes / this.#entryBytes),
      access.info.maxEntries + 1,
    );
    this.capacity = Math.max(1, Math.min(size ?? mostEntries, Math.max(16, fitting)));
    this.keys = new Uint8Array(this.capacity * keySize);
    this.values = new Uint8Array(this.capacity * valueStride);
  }

  /** @returns false when that would be too much */
  double(): boolean {
    if (this.capacity * 2 * this.#entryBytes > mostBytes) return false;
    const { keySize, valueStride } = this.#access.layout;
    this.capacity *= 2;
    this.keys = new Uint8Array(this.capacity * keySize);
    this.values = new Uint8Array(this.capacity * valueStride);
    return true;
  }

  batch(count: number): EntryBatch {
    const { keySize, valueStride } = this.#access.layout;
    return {
      count,
      keys: this.keys.subarray(0, count * keySize),
      values: this.values.subarray(0, count * valueStride),
    };
  }
}

/** What a batch call came to: entries to give out, if any, and how to go on. */
interface Step {
  readonly batch: EntryBatch | undefined;
  readonly next: 'more' | 'end' | 'walk';
}

/**
 * Where a listing by batch calls stands. Of a hash the position is a bucket and the listing always ends; of other maps it
 * is a key, and should that be deleted the kernel starts over.
 */
class Listing {
  readonly #access: EntryAccess;
  readonly #flags: number;
  #here: Uint8Array;
  #there: Uint8Array;
  #started = false;
  #tries = 0;
  #restarts = 0;
  /** Of a prefix map: the last key in the order of its listing. */
  #last: Uint8Array | undefined;

  constructor(access: EntryAccess, flags: number) {
    this.#access = access;
    this.#flags = flags;
    // Of a hash the kernel writes a position of four bytes, however short the keys are.
    const size = Math.max(8, access.layout.keySize);
    this.#here = new Uint8Array(size);
    this.#there = new Uint8Array(size);
  }

  work({ keys, values, capacity }: Buffers): BatchWork {
    return {
      command: 'MAP_LOOKUP_BATCH',
      keys,
      values,
      count: capacity,
      flags: this.#flags,
      position: { in: this.#started ? this.#here : undefined, out: this.#there },
    };
  }

  /** The key to go on behind by single calls, where the position is a key. */
  get lastKey(): Uint8Array | undefined {
    return this.#started ? this.#here.subarray(0, this.#access.layout.keySize) : undefined;
  }

  take(buffers: Buffers, { errno, count }: BatchAnswer): Step {
    const why = errno === 0 ? '' : errnoName(errno);
    // The next bucket has more entries than fit, and none was copied.
    if (why === 'ENOSPC' && buffers.double()) return { batch: undefined, next: 'more' };
    const isFirst = !this.#started;
    if (count > 0) this.#advance();
    const batch = count > 0 ? this.#inOrder(buffers, count) : undefined;
    if (why === '' || why === 'ENOENT') return { batch, next: why === '' && count > 0 ? 'more' : 'end' };
    // Kernels before 6.14 end a batch at an index without an entry, with however many they had.
    if (why === 'EINTR' && this.#isByKey) return { batch, next: 'walk' };
    if (['EINTR', 'EAGAIN', 'EBUSY', 'ENOMEM'].includes(why) && ++this.#tries < mostTries)
      return { batch, next: 'more' };
    if (isFirst && ['ENOTSUPP', 'EOPNOTSUPP', 'EINVAL'].includes(why)) {
      this.#access.withoutBatch.add('MAP_LOOKUP_BATCH');
      return { batch: undefined, next: 'walk' };
    }
    throw this.#access.explainRead(batchFailure(this.work(buffers), errno));
  }

  get #isByKey(): boolean {
    return !this.#access.info.type.includes('hash');
  }

  #advance(): void {
    [this.#here, this.#there] = [this.#there, this.#here];
    this.#started = true;
  }

  /** Of a prefix map leaves out what a listing that started over gives once more. */
  #inOrder(buffers: Buffers, count: number): EntryBatch {
    if (this.#access.info.type !== 'lpm_trie') return buffers.batch(count);
    const { keySize, valueStride } = this.#access.layout;
    const { keys, values } = buffers;
    let kept = 0;
    /** Where the last key that is given stands: in the last batch's copy, or among the kept ones. */
    let last = this.#last;
    let lastAt = 0;
    for (let index = 0; index < count; index++) {
      const from = index * keySize;
      if (last !== undefined && comparePrefixes(keys, last, from, lastAt) <= 0) {
        const isRestart = index === 0 || comparePrefixes(keys, keys, from, from - keySize) <= 0;
        if (isRestart && ++this.#restarts > mostRestarts) throw neverEnds(this.#access.info, mostRestarts);
        continue;
      }
      if (kept !== index) {
        keys.copyWithin(kept * keySize, from, from + keySize);
        values.copyWithin(kept * valueStride, index * valueStride, (index + 1) * valueStride);
      }
      last = keys;
      lastAt = kept++ * keySize;
      this.#restarts = 0;
    }
    if (last === keys) this.#last = keys.slice(lastAt, lastAt + keySize);
    return buffers.batch(kept);
  }
}

/** @internal See `BpfMap.batches`. @param flags BPF_F_LOCK or nothing */
export function* readBatches(
  access: EntryAccess,
  flags: number,
  options: ReadOptions,
): Generator<EntryBatch> {
  const buffers = new Buffers(access, options.size);
  const listing = new Listing(access, flags);
  let next: Step['next'] = access.withoutBatch.has('MAP_LOOKUP_BATCH') ? 'walk' : 'more';
  while (next === 'more') {
    const step = listing.take(buffers, runBatch(access.fd, listing.work(buffers)));
    if (step.batch !== undefined && step.batch.count > 0) yield step.batch;
    next = step.next;
  }
  if (next === 'walk') yield* walkEntries(access, flags, buffers, listing.lastKey);
}

/** @internal See `BpfMap.readAhead`. */
export async function* readAhead(
  access: EntryAccess,
  flags: number,
  options: ReadOptions & { readonly signal?: AbortSignal | undefined },
): AsyncGenerator<EntryBatch> {
  const { signal } = options;
  signal?.throwIfAborted();
  let filling = new Buffers(access, options.size);
  let used = new Buffers(access, options.size);
  const listing = new Listing(access, flags);
  // The map may be closed while the kernel is at work: the number must not name something else then.
  const fd = duplicateFd(access.fd.value);
  let underWay: Promise<BatchAnswer> | undefined;
  const start = (): void => {
    underWay = runBatchAsync(fd, listing.work(filling));
    // It is awaited later, or in the end.
    underWay.catch(() => undefined);
  };
  try {
    let next: Step['next'] = access.withoutBatch.has('MAP_LOOKUP_BATCH') ? 'walk' : 'more';
    if (next === 'more') start();
    while (underWay !== undefined) {
      const answer: BatchAnswer = await underWay;
      underWay = undefined;
      const step = listing.take(filling, answer);
      next = step.next;
      [filling, used] = [used, filling];
      signal?.throwIfAborted();
      if (next === 'more') start();
      if (step.batch !== undefined && step.batch.count > 0) yield step.batch;
      signal?.throwIfAborted();
    }
    if (next === 'walk') yield* walkAside(access.through(fd), flags, used, listing.lastKey, signal);
  } finally {
    await underWay?.catch(() => undefined);
    fd[Symbol.dispose]();
  }
}

/** By single calls, giving way to everything else after each batch. */
async function* walkAside(
  access: EntryAccess,
  flags: number,
  buffers: Buffers,
  after: Uint8Array | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<EntryBatch> {
  for (const batch of walkEntries(access, flags, buffers, after)) {
    yield batch;
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
}

function* walkEntries(
  access: EntryAccess,
  flags: number,
  buffers: Buffers,
  after: Uint8Array | undefined,
): Generator<EntryBatch> {
  const { keySize, valueStride } = access.layout;
  let count = 0;
  for (const key of walkKeys(access, after)) {
    const value = buffers.values.subarray(count * valueStride, (count + 1) * valueStride);
    if (!access.read(key, value, flags)) continue;
    buffers.keys.set(key, count * keySize);
    if (++count < buffers.capacity) continue;
    yield buffers.batch(count);
    count = 0;
  }
  if (count > 0) yield buffers.batch(count);
}
