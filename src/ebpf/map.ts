import { readFileSync } from 'node:fs';
import { NetkitError } from '../base/errors.js';
import type { BtfGraph } from '../obj/btf/types.js';
import type { Codec, Value } from '../obj/codec/index.js';
import { type MapPart, mapCodec, referenceTypes } from '../obj/map-codecs.js';
import { MapCalls } from '../sys/bpf.js';
import { isErrno } from '../sys/errno.js';
import type { Fd } from '../sys/fd.js';
import { uapi } from '../sys/uapi.js';
import { listIds, openId } from './by-id.js';
import { kernelBtf } from './kernel-btf.js';
import { KernelObject, openPinOfKind } from './kernel-object.js';
import { explainEntry, refuseDescriptorKeys } from './map-failure.js';
import { type MapInfo, readMapInfo } from './map-info.js';
import { possibleCpus } from './possible-cpus.js';

export type { MapInfo } from './map-info.js';

/** How `set` treats an entry: `noexist` writes only a new key, `exist` only one that is there, `any` both. */
export type UpdateMode = 'any' | 'noexist' | 'exist';
const updateFlags = { any: uapi.BPF_ANY, noexist: uapi.BPF_NOEXIST, exist: uapi.BPF_EXIST } as const;

const perCpuTypes = new Set(['percpu_hash', 'percpu_array', 'lru_percpu_hash', 'percpu_cgroup_storage']);
/** Values of per-CPU maps are stored at multiples of this many bytes. */
const perCpuAlignment = 8;

/** Codecs that replace what the map's BTF says. Their sizes must be the map's own. */
export interface MapTypes {
  readonly key?: Codec | undefined;
  readonly value?: Codec | undefined;
}

/**
 * A map whose entries are read and written as values typed by BTF; without BTF they are `hex:` texts. Of a per-CPU map
 * `get` gives one value a CPU (an array). Disposing closes the descriptor; the map lives on while it is pinned or a
 * loaded program uses it.
 */
export class BpfMap extends KernelObject implements Iterable<[Value, Value]> {
  /** As the map was made: nothing in it changes while the map lives. */
  readonly info: MapInfo;
  /** Whether each CPU has a value of its own: `get` gives them all, `set` takes one for all or an array. */
  readonly perCpu: boolean;
  readonly #calls: MapCalls;
  #types: MapTypes;
  #hiddenTypes: () => MapTypes | undefined = () => undefined;

  /** @internal */
  constructor(fd: Fd, types: MapTypes = {}) {
    super(fd);
    try {
      this.info = readMapInfo(fd);
    } catch (error) {
      fd[Symbol.dispose]();
      throw error;
    }
    this.perCpu = perCpuTypes.has(this.info.type);
    this.#calls = new MapCalls(fd);
    this.#types = types;
  }

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

  /** What only /proc tells: bytes charged for the map (0 for kinds that do not count), and whether it is frozen. */
  accounting(): { readonly memoryBytes: number | undefined; readonly frozen: boolean | undefined } {
    const text = readFileSync(`/proc/self/fdinfo/${this.fd.value}`, 'utf8');
    const field = (name: string): number | undefined => {
      const value = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1];
      return value === undefined ? undefined : Number(value);
    };
    const frozen = field('frozen');
    return { memoryBytes: field('memlock'), frozen: frozen === undefined ? undefined : frozen === 1 };
  }

  /** The C spellings of key and value types, where the map has BTF. */
  typeNames(): { readonly key: string | undefined; readonly value: string | undefined } {
    const { btfId, keyTypeId, valueTypeId } = this.info;
    if (btfId === 0) return { key: undefined, value: undefined };
    const graph = kernelBtf(btfId);
    const nameOf = (id: number): string | undefined => (id === 0 ? undefined : graph.nameOf(id));
    return { key: nameOf(keyTypeId), value: nameOf(valueTypeId) };
  }

  /**
   * Where types come from when this user may not read the map's BTF, which needs CAP_SYS_ADMIN: the object that it
   * was loaded from, say. Asked only then.
   */
  onHiddenTypes(source: () => MapTypes | undefined): void {
    this.#hiddenTypes = source;
  }

  /** Sets codecs for a map without BTF of its own, or in place of it. */
  useTypes(types: MapTypes): void {
    this.#types = { key: types.key ?? this.#types.key, value: types.value ?? this.#types.value };
  }

  /** Reads and writes keys: from the map's BTF, else bytes (`hex:…`), or numbers where they are the indices of an array. */
  get keyCodec(): Codec {
    const codec = this.#types.key ?? this.#codecOf('key');
    this.#types = { ...this.#types, key: codec };
    return codec;
  }

  /** Reads and writes values, one CPU's where the map is per-CPU: from the map's BTF, else bytes (`hex:…`). */
  get valueCodec(): Codec {
    const codec = this.#types.value ?? this.#codecOf('value');
    this.#types = { ...this.#types, value: codec };
    return codec;
  }

  #codecOf(part: MapPart): Codec {
    const { btfId, keyTypeId, valueTypeId } = this.info;
    const id = part === 'key' ? keyTypeId : valueTypeId;
    if (btfId === 0 || id === 0) return mapCodec(part, this.info);
    let btf: BtfGraph;
    try {
      btf = kernelBtf(btfId);
    } catch (error) {
      if (isErrno(error, 'EPERM', 'EACCES')) return this.#hiddenTypes()?.[part] ?? mapCodec(part, this.info);
      throw error;
    }
    return mapCodec(part, this.info, { btf, id });
  }

  /**
   * The value under exactly this key, or undefined. A prefix map is searched for the prefix itself, not for the longest
   * match.
   * @throws NetkitError `bad-value` for a key that does not fit, `unsupported` for maps that cannot be read,
   *   `not-permitted` for those that may not be
   */
  get(key: Value): Value | undefined {
    const keyBytes = this.#encodeKey(key);
    if (this.info.type === 'lpm_trie' && !this.#hasExactly(keyBytes)) return undefined;
    return this.#read(keyBytes);
  }

  /** Whether exactly this key is there; of an `array` map, whether the index is in range. @throws NetkitError as {@link BpfMap.get} */
  has(key: Value): boolean {
    return this.get(key) !== undefined;
  }

  /**
   * Writes an entry. Of a per-CPU map the value goes to every CPU, or, given as an array, each CPU gets its own.
   * @throws NetkitError `bad-value`, `conflict` (exists, or full), `not-found` (mode `exist`), `not-permitted` (frozen, read-only)
   */
  set(key: Value, value: Value, mode: UpdateMode = 'any'): void {
    const keyBytes = this.#encodeKey(key);
    const valueBytes = this.#encodeValue(value);
    // An update of a hash is atomic; of a prefix map it may replace another spelling only if host bits were set, which the codec refuses.
    this.#explained('write', key, () => this.#calls.update(keyBytes, valueBytes, updateFlags[mode]));
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
    this.set(key, object.fd.value, mode);
  }

  /** Removes an entry. @returns false when there was none. @throws NetkitError `unsupported` for arrays */
  delete(key: Value): boolean {
    if (this.info.type === 'array' || this.info.type === 'percpu_array') {
      throw new NetkitError(
        'unsupported',
        `entries of an ${this.info.type} map cannot be deleted: write a zero value instead`,
      );
    }
    const keyBytes = this.#encodeKey(key);
    try {
      this.#explained('delete', key, () => this.#calls.delete(keyBytes));
      return true;
    } catch (error) {
      if (error instanceof NetkitError && error.code === 'not-found') return false;
      throw error;
    }
  }

  /**
   * All keys. While others change a hash map, a key may be missed, and none is given twice in a row without end.
   * @throws NetkitError `unsupported` for maps whose keys cannot be listed
   */
  *keys(): Generator<Value> {
    for (const key of this.#keyBytes()) yield this.keyCodec.decode(viewOf(key), 0);
  }

  /** All entries. An entry deleted while this runs is left out. @throws NetkitError as {@link BpfMap.keys} and {@link BpfMap.get} */
  *entries(): Generator<[Value, Value]> {
    for (const key of this.#keyBytes()) {
      const value = this.#read(key);
      if (value !== undefined) yield [this.keyCodec.decode(viewOf(key), 0), value];
    }
  }

  /** The same as {@link BpfMap.entries}. */
  [Symbol.iterator](): Generator<[Value, Value]> {
    return this.entries();
  }

  /** Keys as bytes. The next key is fetched before one is given out, so that the taker may delete it. */
  *#keyBytes(): Generator<Uint8Array> {
    let current = this.#nextKey(undefined);
    // A hash that is rewritten meanwhile starts over when the last key has gone: at most as many keys as fit, twice.
    let left = this.info.maxEntries * 2;
    while (current !== undefined && left-- > 0) {
      const next = this.#nextKey(current);
      yield current;
      current = next;
    }
  }

  #nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    const next = new Uint8Array(this.info.keySize);
    try {
      this.#calls.nextKey(key, next);
      return next;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      if (isErrno(error, 'EINVAL', 'ENOTSUPP', 'EOPNOTSUPP')) {
        throw new NetkitError('unsupported', `the keys of a ${this.info.type} map cannot be listed`, {
          cause: error,
        });
      }
      throw error;
    }
  }

  #hasExactly(wanted: Uint8Array): boolean {
    const target = Buffer.from(wanted);
    for (const key of this.#keyBytes()) if (target.equals(key)) return true;
    return false;
  }

  #read(key: Uint8Array): Value | undefined {
    const stride = this.#stride;
    const bytes = new Uint8Array(this.perCpu ? stride * possibleCpus() : this.info.valueSize);
    try {
      this.#calls.lookup(key, bytes);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      // ENOSPC: of sockets the kernel gives cookies only, which do not fit in the values of most such maps.
      if (isErrno(error, 'ENOTSUPP', 'EOPNOTSUPP', 'ENOSPC')) {
        throw new NetkitError('unsupported', `entries of a ${this.info.type} map cannot be read`, {
          cause: error,
        });
      }
      if (isErrno(error, 'EPERM')) {
        throw new NetkitError('not-permitted', `the map ${this.info.name} may not be read from user space`, {
          cause: error,
        });
      }
      throw error;
    }
    const view = viewOf(bytes);
    if (!this.perCpu) return this.valueCodec.decode(view, 0);
    return Array.from({ length: possibleCpus() }, (_, cpu) => this.valueCodec.decode(view, cpu * stride));
  }

  #explained(verb: 'write' | 'delete', key: Value, call: () => void): void {
    try {
      call();
    } catch (error) {
      throw explainEntry(error, verb, this.keyCodec.format(key), this.info);
    }
  }

  get #stride(): number {
    return Math.ceil(this.info.valueSize / perCpuAlignment) * perCpuAlignment;
  }

  #encodeKey(key: Value): Uint8Array {
    refuseDescriptorKeys(this.info.type);
    const bytes = new Uint8Array(this.info.keySize);
    this.keyCodec.encode(key, viewOf(bytes), 0);
    return bytes;
  }

  #encodeValue(value: Value): Uint8Array {
    if (!this.perCpu) {
      const bytes = new Uint8Array(this.info.valueSize);
      this.valueCodec.encode(value, viewOf(bytes), 0);
      return bytes;
    }
    const cpus = possibleCpus();
    const perCpuValues = Array.isArray(value) ? value : Array.from({ length: cpus }, () => value);
    if (perCpuValues.length !== cpus) {
      throw new NetkitError(
        'bad-value',
        `${perCpuValues.length} values given, this machine has ${cpus} possible CPUs`,
      );
    }
    const bytes = new Uint8Array(this.#stride * cpus);
    const view = viewOf(bytes);
    for (const [cpu, each] of perCpuValues.entries()) this.valueCodec.encode(each, view, cpu * this.#stride);
    return bytes;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
