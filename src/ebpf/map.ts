import { hostIsLittleEndian } from '../base/byte-order.js';
import { counted } from '../base/counted.js';
import { NetkitError } from '../base/errors.js';
import { viewOf } from '../base/raw-bytes.js';
import { atLeast } from '../host/kernel.js';
import type { Value } from '../obj/codec/index.js';
import { referenceTypes } from '../obj/map-codecs.js';
import type { MapOperation } from '../obj/map-operations.js';
import { errnoNumber } from '../sys/errno.js';
import { uapi } from '../sys/uapi.js';
import { listIds, openId } from './by-id.js';
import { type KernelObject, openPinOfKind } from './kernel-object.js';
import { BulkMap, type EntryOptions, type UpdateMode, updateFlags } from './map-bulk.js';
import { type CreateMapOptions, createMapFd, typeGraph, typesOf } from './map-create.js';
import { openNamed } from './map-descriptors.js';
import { storageTypes } from './map-kinds.js';
import { decodeValue, decodeValueAt, encodeValue } from './map-object.js';
import { OpenedReferences, referenceField } from './map-references.js';
import { walkKeys } from './map-walk.js';

export type { EntryOptions, UpdateMode, WriteOptions } from './map-bulk.js';
export type { CreateMapOptions, MapBtf } from './map-create.js';
export { PartialWrite } from './map-failure.js';
export type { MapFlagWord } from './map-flags.js';
export type { MapInfo } from './map-info.js';
export type { MapTypes } from './map-object.js';
export type { ReadOptions } from './map-read.js';

/** Before this, prefix maps are written whatever `noexist` and `exist` say; commit eae6a075e952, and stable kernels after it. */
const triesLookAtConditions = [6, 13] as const;

/** Maps whose entries the kernel deletes without telling whether they were there. */
const silentDeletes: ReadonlySet<string> = new Set(['devmap', 'cpumap']);

/**
 * A map whose entries are read and written as values typed by BTF; without BTF they are `hex:` texts. Of a per-CPU map
 * `get` gives one value a CPU (an array). Disposing closes the descriptor; the map lives on while it is pinned or a
 * loaded program uses it. What a type of map has no operation for is `unsupported`, with the reason.
 */
export class BpfMap extends BulkMap implements Iterable<[Value, Value]> {
  /** Opens a pinned map. @throws NetkitError `not-found`, or `usage` when the pin is something else */
  static fromPin(path: string): BpfMap {
    return new BpfMap(openPinOfKind(path, 'map'));
  }

  /** Opens a map by its id; needs CAP_SYS_ADMIN. Minimum kernel 4.13. @throws NetkitError `not-found`, `not-permitted` */
  static fromId(id: number): BpfMap {
    return new BpfMap(openId('map', id));
  }

  /** Ids of all maps, ascending; needs CAP_SYS_ADMIN. Minimum kernel 4.13. @throws NetkitError `not-permitted` */
  static ids(): Generator<number> {
    return listIds('map');
  }

  /**
   * Makes a map that belongs to no program: it goes with this object unless it is pinned or put into another map.
   * @throws NetkitError `bad-value` for options that do not fit the type, `unsupported` where the kernel has no such maps
   */
  static create(options: CreateMapOptions): BpfMap {
    const graph = typeGraph(options);
    const map = new BpfMap(createMapFd(options, graph));
    map.useTypes(typesOf(options, map.info, graph));
    return map;
  }

  /**
   * The value under exactly this key, or undefined. A prefix map is searched for the prefix itself, not for the longest
   * match.
   * @throws NetkitError `bad-value` for a key that does not fit, `unsupported` for maps that cannot be read,
   *   `not-permitted` for those that may not be
   */
  get(key: Value, options: EntryOptions = {}): Value | undefined {
    const found = this.#withKey(key, 'get', (bytes) => this.#find(bytes, options));
    return found === undefined ? undefined : decodeValue(this, found);
  }

  /** Whether exactly this key is there; of an `array` map, whether the index is in range. @throws NetkitError as {@link BpfMap.get} */
  has(key: Value): boolean {
    if (this.info.type === 'bloom_filter') return this.mayHave(key);
    return this.#withKey(key, 'get', (bytes) => this.#find(bytes, {})) !== undefined;
  }

  /**
   * What a program would find: in a prefix map the longest prefix that contains the key, in a bloom filter the value
   * itself where it may be in it.
   * @throws NetkitError as {@link BpfMap.get}
   */
  lookup(key: Value, options: EntryOptions = {}): Value | undefined {
    if (this.info.type === 'bloom_filter') return this.mayHave(key) ? key : undefined;
    const value = this.access.newValue();
    const flags = this.lockFlag(options.lock);
    const there = this.#withKey(key, 'lookup', (bytes) => this.access.read(bytes, value, flags));
    return there ? decodeValue(this, value) : undefined;
  }

  /**
   * Writes an entry. Of a per-CPU map the value goes to every CPU, or, given as an array, each CPU gets its own.
   * @throws NetkitError `bad-value`, `conflict` (exists, or full), `not-found` (mode `exist`), `not-permitted` (frozen, read-only)
   */
  set(key: Value, value: Value, mode: UpdateMode = 'any', options: EntryOptions = {}): void {
    const flags = updateFlags[mode] | this.lockFlag(options.lock);
    this.#withKey(key, 'update', (bytes) => {
      using named = openNamed(this.info.type, value);
      const given = named === undefined ? value : `fd:${named.value}`;
      this.#write(bytes, encodeValue(this, given), flags);
    });
  }

  /** What entries refer to, in a map of maps or a program array. */
  get refersTo(): 'map' | 'program' | undefined {
    return referenceTypes[this.info.type];
  }

  /**
   * Writes an entry that refers to a map or program, which then lives as long as the entry.
   * @throws NetkitError as {@link BpfMap.set}; `unsupported` when it is of another shape than the map asks for
   */
  setReference(key: Value, object: KernelObject, mode: UpdateMode = 'any'): void {
    if (this.refersTo === undefined)
      throw new NetkitError(
        'usage',
        `the entries of the ${this.info.type} map ${this.info.name} refer to nothing`,
      );
    const value = this.access.newValue();
    viewOf(value).setUint32(0, object.fd.value, hostIsLittleEndian);
    this.#withKey(key, 'update', (bytes) => this.access.write(bytes, value, updateFlags[mode]));
  }

  /**
   * Removes an entry. @returns false when there was none; of an xskmap the kernel does not tell
   * @throws NetkitError `unsupported` for arrays
   */
  delete(key: Value): boolean {
    return this.#withKey(key, 'delete', (bytes) => {
      const there = !silentDeletes.has(this.info.type) || this.access.read(bytes, this.access.newValue(), 0);
      return this.access.delete(bytes) && there;
    });
  }

  /** {@link BpfMap.get} in bytes: of a per-CPU map one value a CPU, each padded to 8 bytes. */
  getBytes(key: Uint8Array, options: EntryOptions = {}): Uint8Array | undefined {
    this.require('get');
    return this.#find(this.#sized(key), options);
  }

  /** {@link BpfMap.set} in bytes. References are ids, as they are read. */
  setBytes(key: Uint8Array, value: Uint8Array, mode: UpdateMode = 'any', options: EntryOptions = {}): void {
    this.requireBytes();
    if (value.length !== this.access.layout.valueStride)
      throw wrongLength('value', value.length, this.access.layout.valueStride);
    this.#write(this.#sized(key), value, updateFlags[mode] | this.lockFlag(options.lock));
  }

  /** {@link BpfMap.delete} in bytes. */
  deleteBytes(key: Uint8Array): boolean {
    this.require('delete');
    return this.access.delete(this.#sized(key));
  }

  /**
   * Puts a value into a queue, stack or bloom filter.
   * @throws NetkitError `conflict` when it is full, unless `evictOldest`; `unsupported` for maps with keys
   */
  push(value: Value, options: { readonly evictOldest?: boolean | undefined } = {}): void {
    this.require('push');
    if (options.evictOldest === true && this.info.type === 'bloom_filter')
      throw new NetkitError('usage', 'nothing can be thrown out of a bloom filter');
    const flags = options.evictOldest === true ? uapi.BPF_EXIST : uapi.BPF_ANY;
    this.access.write(undefined, encodeValue(this, value), flags);
  }

  /** Takes the oldest value out of a queue, the newest out of a stack; undefined when there is none. Kernel 4.20. */
  pop(): Value | undefined {
    this.require('pop');
    const value = this.access.newValue();
    return this.access.take('pop', value) ? decodeValue(this, value) : undefined;
  }

  /** The value that {@link BpfMap.pop} would take. */
  peek(): Value | undefined {
    this.require('peek');
    const value = this.access.newValue();
    return this.access.take('peek', value) ? decodeValue(this, value) : undefined;
  }

  /** Whether a bloom filter may have this value; false is certain. Kernel 5.16. @throws NetkitError `unsupported` for other maps */
  mayHave(value: Value): boolean {
    if (this.info.type !== 'bloom_filter')
      throw new NetkitError('unsupported', `the ${this.info.type} map ${this.info.name} is no bloom filter`);
    return this.access.read(undefined, encodeValue(this, value), 0);
  }

  /**
   * All keys, of an array or prefix map each once. While others change a hash map, a key may be missed.
   * @throws NetkitError `unsupported` for maps whose keys cannot be listed
   */
  *keys(): Generator<Value> {
    const { keyCodec } = this;
    const { keySize } = this.access.layout;
    if (this.reasonAgainst('dump') === undefined && this.info.valueSize <= 256) {
      for (const { count, keys } of this.batches()) {
        const view = viewOf(keys);
        for (let index = 0; index < count; index++) yield keyCodec.decode(view, index * keySize);
      }
    } else {
      if (keySize === 0) this.require('dump');
      for (const key of walkKeys(this.access)) yield keyCodec.decode(viewOf(key), 0);
    }
  }

  /** All entries. An entry deleted while this runs may be left out. @throws NetkitError as {@link BpfMap.keys} and {@link BpfMap.get} */
  *entries(): Generator<[Value, Value]> {
    const { keyCodec } = this;
    const { keySize, valueStride } = this.access.layout;
    for (const { count, keys, values } of this.batches()) {
      const keyView = viewOf(keys);
      const valueView = viewOf(values);
      for (let index = 0; index < count; index++) {
        const value = decodeValueAt(this, valueView, index * valueStride);
        yield [keyCodec.decode(keyView, index * keySize), value];
      }
    }
  }

  /** The same as {@link BpfMap.entries}. */
  [Symbol.iterator](): Generator<[Value, Value]> {
    return this.entries();
  }

  /** The value of exactly this key. In a prefix map an absent prefix may have the value of a shorter one: it is listed. */
  #find(key: Uint8Array, { lock }: EntryOptions): Uint8Array | undefined {
    const value = this.access.newValue();
    if (!this.access.read(key, value, this.lockFlag(lock))) return undefined;
    if (this.info.type !== 'lpm_trie') return value;
    const { keySize, valueStride } = this.access.layout;
    const wanted = Buffer.from(key);
    for (const { count, keys, values } of this.batches()) {
      for (let index = 0; index < count; index++) {
        if (wanted.compare(keys, index * keySize, (index + 1) * keySize) === 0)
          return values.slice(index * valueStride, (index + 1) * valueStride);
      }
    }
    return undefined;
  }

  #write(key: Uint8Array, value: Uint8Array, flags: number): void {
    if (this.info.type === 'lpm_trie' && !atLeast(...triesLookAtConditions)) this.#lookFirst(key, flags);
    const field = referenceField(this.info);
    using references = field === undefined ? undefined : new OpenedReferences(field);
    this.access.write(key, references?.descriptors(value, value.length) ?? value, flags);
  }

  /** In the kernel's place, as far as nobody else writes at that moment. */
  #lookFirst(key: Uint8Array, flags: number): void {
    if ((flags & (updateFlags.exist | updateFlags.noexist)) === 0) return;
    const isThere = this.#find(key, {}) !== undefined;
    if (isThere === ((flags & updateFlags.noexist) !== 0))
      throw this.access.refusal('write', key, errnoNumber(isThere ? 'EEXIST' : 'ENOENT'));
  }

  /** Gives the bytes of a key to `work`; what it names is open until that returns. */
  #withKey<Result>(key: Value, operation: MapOperation, work: (bytes: Uint8Array) => Result): Result {
    this.require(operation);
    using named = storageTypes.has(this.info.type) ? openNamed(this.info.type, key) : undefined;
    const bytes = new Uint8Array(this.info.keySize);
    this.keyCodec.encode(named === undefined ? key : `fd:${named.value}`, viewOf(bytes), 0);
    return work(bytes);
  }

  #sized(key: Uint8Array): Uint8Array {
    if (key.length !== this.info.keySize) throw wrongLength('key', key.length, this.info.keySize);
    return key;
  }
}

function wrongLength(what: string, given: number, wanted: number): NetkitError {
  return new NetkitError(
    'bad-value',
    `${counted(given, 'byte')} given, the ${what} of this map has ${wanted}`,
  );
}
