/** Reading and writing many entries of a map at once. */
import { NetkitError } from '../base/errors.js';
import type { EntryBatch } from '../obj/entries/batch.js';
import { type MapOperation, reasonAgainst, requireOperation } from '../obj/map-operations.js';
import { uapi } from '../sys/uapi.js';
import { socketTypes, storageTypes } from './map-kinds.js';
import { MapObject } from './map-object.js';
import { type ReadOptions, readAhead, readBatches } from './map-read.js';
import { deleteNow, type WriteFlags, writeAside, writeNow } from './map-write.js';

/** How `set` treats an entry: `noexist` writes only a new key, `exist` only one that is there, `any` both. */
export type UpdateMode = 'any' | 'noexist' | 'exist';
/** @internal */
export const updateFlags = { any: uapi.BPF_ANY, noexist: uapi.BPF_NOEXIST, exist: uapi.BPF_EXIST } as const;

/** How one entry is read or written. */
export interface EntryOptions {
  /** Take the `struct bpf_spin_lock` in the value, so that a program that takes it too sees no half of it. Kernel 5.1. */
  readonly lock?: boolean | undefined;
}

/** How a batch is written. */
export interface WriteOptions extends EntryOptions {
  /** Anything but `any` goes entry by entry. */
  readonly mode?: UpdateMode | undefined;
}

/** A map whose entries are read and written in bulk, as bytes. */
export abstract class BulkMap extends MapObject {
  /**
   * All entries as bytes, by batch calls where the kernel has them for this type of map. Each batch is overwritten by the
   * next one. While the map changes: an array gives each index once; a prefix map each prefix at most once; a hash gives
   * what is there throughout at least once. It always ends; see docs/maps.md.
   * @throws NetkitError `unsupported` for maps whose entries cannot be listed, `not-permitted`; `conflict` for a prefix map
   *   whose entries are deleted so fast that its listing never gets on
   */
  *batches(options: ReadOptions = {}): Generator<EntryBatch> {
    this.require('dump');
    yield* readBatches(this.access, this.#readFlags(options), options);
  }

  /**
   * The same with the kernel filling the next batch on another thread while this one is used: it is overwritten when the
   * next one is asked for. The map may be disposed meanwhile.
   * @throws what `signal` is aborted with, between two batches
   */
  async *readAhead(
    options: ReadOptions & { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<EntryBatch> {
    this.require('dump');
    yield* readAhead(this.access, this.#readFlags(options), options);
  }

  /**
   * Writes the entries of a batch in their order; values of queues, stacks and bloom filters are pushed.
   * @throws PartialWrite when one is refused: the ones before it are written
   */
  writeBatch(batch: EntryBatch, options: WriteOptions = {}): void {
    this.requireBytes();
    writeNow(this.access, batch, this.#writeFlags(options));
  }

  /** The same with the kernel at work on another thread: the batch must not be touched before this is done. */
  async writeBatchAsync(batch: EntryBatch, options: WriteOptions = {}): Promise<void> {
    this.requireBytes();
    await writeAside(this.access, batch, this.#writeFlags(options));
  }

  /**
   * Deletes the entries of these keys.
   * @param keys side by side
   * @returns how many were there
   * @throws PartialWrite when one is refused: the ones before it are deleted
   */
  deleteBatch(keys: Uint8Array, count: number): number {
    this.require('delete');
    return deleteNow(this.access, keys, count);
  }

  /** @internal */
  protected reasonAgainst(operation: MapOperation): string | undefined {
    return reasonAgainst(this.info.type, operation);
  }

  /** @internal */
  protected require(operation: MapOperation): void {
    requireOperation(this.info, operation);
  }

  /** @internal Entries as bytes are those that were read: descriptors of this process are none. */
  protected requireBytes(): void {
    const { name, type } = this.info;
    if (this.access.layout.keySize === 0) this.require('push');
    else this.require('update');
    if (
      !socketTypes.has(type) &&
      !storageTypes.has(type) &&
      type !== 'cgroup_array' &&
      type !== 'perf_event_array'
    )
      return;
    throw new NetkitError(
      'unsupported',
      `the ${type} map ${name} takes no entries as bytes: they are open files of a process, which set names one by one`,
    );
  }

  /** @internal */
  protected lockFlag(lock: boolean | undefined): number {
    if (lock !== true) return 0;
    if (this.spinLock === false) {
      const { name, type } = this.info;
      throw new NetkitError(
        'unsupported',
        `the values of the ${type} map ${name} have no struct bpf_spin_lock to take`,
      );
    }
    return uapi.BPF_F_LOCK;
  }

  #readFlags({ lock }: ReadOptions): number {
    return this.lockFlag(lock ?? this.spinLock ?? false);
  }

  #writeFlags({ mode, lock }: WriteOptions): WriteFlags {
    return { mode: updateFlags[mode ?? 'any'], lock: this.lockFlag(lock) };
  }
}
