import { NetkitError } from '../base/errors.js';
import { viewOf } from '../base/raw-bytes.js';
import type { BtfGraph } from '../obj/btf/types.js';
import type { Codec, Value } from '../obj/codec/index.js';
import type { EntryShape } from '../obj/entries/batch.js';
import { type MapPart, mapCodec, type PartType } from '../obj/map-codecs.js';
import { hasKeysToGive } from '../obj/map-operations.js';
import { isErrno } from '../sys/errno.js';
import type { Fd } from '../sys/fd.js';
import { freezeMap } from '../sys/map-calls.js';
import { kernelBtf, runningBtf } from './kernel-btf.js';
import { KernelObject } from './kernel-object.js';
import { EntryAccess } from './map-access.js';
import { nameOf } from './map-failure.js';
import { type MapInfo, readMapInfo } from './map-info.js';
import { type EntryLayout, isPerCpu } from './map-kinds.js';

/** Codecs that replace what the map's BTF says. Their sizes must be the map's own. */
export interface MapTypes {
  readonly key?: Codec | undefined;
  readonly value?: Codec | undefined;
}

/** A map as a whole: what it is, how its entries are typed, and whether they can be written. */
export abstract class MapObject extends KernelObject {
  /** As the map was made: nothing in it changes while the map lives. */
  readonly info: MapInfo;
  /** Whether each CPU has a value of its own: `get` gives them all, `set` takes one for all or an array. */
  readonly perCpu: boolean;
  /** @internal */
  protected readonly access: EntryAccess;
  #types: MapTypes;
  #hiddenTypes: () => MapTypes | undefined = () => undefined;
  #spinLock: boolean | undefined;

  /** @internal */
  constructor(fd: Fd, types: MapTypes = {}) {
    super(fd);
    try {
      this.info = readMapInfo(fd);
    } catch (error) {
      fd[Symbol.dispose]();
      throw error;
    }
    this.access = new EntryAccess(fd, this.info, (key) =>
      this.keyCodec.format(this.keyCodec.decode(viewOf(key), 0)),
    );
    this.perCpu = isPerCpu(this.info.type);
    this.#types = types;
  }

  /** Has messages about entries call the map so, as the reference that a user gave, in place of its name in the kernel. */
  callIt(text: string): void {
    this.access.called = text;
  }

  /** How messages call the map. */
  get called(): string {
    return nameOf(this.info, this.access.called);
  }

  /** What only /proc tells: bytes charged for the map (0 for kinds that do not count), and whether it is frozen. */
  accounting(): { readonly memoryBytes: number | undefined; readonly frozen: boolean | undefined } {
    const memory = /^memlock:\s*(\d+)/m.exec(this.access.fdInfo())?.[1];
    return {
      memoryBytes: memory === undefined ? undefined : Number(memory),
      frozen: this.access.rights().frozen,
    };
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

  /** How the bytes of entries in a batch are laid out and typed. */
  get shape(): EntryShape {
    const key = hasKeysToGive(this.info.type) ? this.keyCodec : undefined;
    return { key, value: this.valueCodec, ...this.access.layout };
  }

  /** @internal */
  get layout(): EntryLayout {
    return this.access.layout;
  }

  /** Whether values have a `struct bpf_spin_lock`; undefined when this user may not read the map's BTF. */
  get spinLock(): boolean | undefined {
    this.#spinLock ??= this.#findSpinLock();
    return this.#spinLock;
  }

  /**
   * Nobody writes the map from user space after this, for as long as it lives; programs still do. Minimum kernel 5.2.
   * @throws NetkitError `conflict` when it is frozen already, or mapped for writing; `unsupported` for maps whose values
   *   hold locks, timers or kernel pointers
   */
  freeze(): void {
    const { name, type } = this.info;
    const details = { map: name };
    try {
      freezeMap(this.fd);
    } catch (error) {
      const context = { cause: error, details };
      if (isErrno(error, 'EBUSY', 'EPERM') && this.access.rights().frozen === true)
        throw new NetkitError('conflict', `${name} is frozen already`, context);
      if (isErrno(error, 'EBUSY'))
        throw new NetkitError('conflict', `${name} is mapped for writing by a process`, context);
      if (isErrno(error, 'ENOTSUPP', 'EOPNOTSUPP')) {
        const why =
          type === 'struct_ops'
            ? 'the kernel changes it itself'
            : 'its values hold a lock, a timer or a kernel pointer';
        throw new NetkitError('unsupported', `the ${type} map ${name} cannot be frozen: ${why}`, context);
      }
      if (isErrno(error, 'EPERM'))
        throw new NetkitError(
          'not-permitted',
          `${name} may not be frozen: it is read-only for user space`,
          context,
        );
      throw error;
    }
  }

  #codecOf(part: MapPart): Codec {
    const type = this.#typeOf(part);
    if (type === 'hidden') return this.#hiddenTypes()?.[part] ?? mapCodec(part, this.info);
    return mapCodec(part, this.info, type);
  }

  /** The BTF type of keys or values, where there is one and this user may read it. */
  #typeOf(part: MapPart): PartType | 'hidden' | undefined {
    const { btfId, keyTypeId, valueTypeId, kernelBtfId, kernelValueTypeId } = this.info;
    const isOfKernel = part === 'value' && kernelValueTypeId !== 0;
    // Before 6.9 the kernel does not tell the id of its BTF.
    const own = isOfKernel && kernelBtfId === 0 ? runningBtf() : undefined;
    if (own !== undefined) return { btf: own, id: kernelValueTypeId };
    const [graph, id] = isOfKernel
      ? [kernelBtfId, kernelValueTypeId]
      : [btfId, part === 'key' ? keyTypeId : valueTypeId];
    if (graph === 0 || id === 0) return undefined;
    try {
      const btf: BtfGraph = kernelBtf(graph);
      return { btf, id };
    } catch (error) {
      if (isErrno(error, 'EPERM', 'EACCES')) return 'hidden';
      throw error;
    }
  }

  #findSpinLock(): boolean | undefined {
    const type = this.#typeOf('value');
    if (type === 'hidden') return undefined;
    if (type === undefined) return false;
    const struct = type.btf.resolve(type.id);
    return (
      struct.kind === 'struct' &&
      struct.members.some((member) => {
        const inner = type.btf.resolve(member.type);
        return inner.kind === 'struct' && inner.name === 'bpf_spin_lock';
      })
    );
  }
}

/** @internal Decodes one value, or one a CPU. */
export function decodeValueAt(map: MapObject, view: DataView, offset: number): Value {
  if (!map.perCpu) return map.valueCodec.decode(view, offset);
  const { cpus, cpuStride } = map.layout;
  return Array.from({ length: cpus }, (_, cpu) => map.valueCodec.decode(view, offset + cpu * cpuStride));
}

/** @internal The same of a buffer of its own. */
export function decodeValue(map: MapObject, bytes: Uint8Array): Value {
  return decodeValueAt(map, viewOf(bytes), 0);
}

/** @internal Encodes one value, for every CPU where the map is per-CPU, or an array of one a CPU. */
export function encodeValue(map: MapObject, value: Value): Uint8Array {
  const { cpus, cpuStride, valueStride } = map.layout;
  const bytes = new Uint8Array(valueStride);
  const view = viewOf(bytes);
  if (!map.perCpu) {
    map.valueCodec.encode(value, view, 0);
    return bytes;
  }
  const perCpuValues = Array.isArray(value) ? value : Array.from({ length: cpus }, () => value);
  if (perCpuValues.length !== cpus) {
    throw new NetkitError(
      'bad-value',
      `${perCpuValues.length} values given, this machine has ${cpus} possible CPUs`,
    );
  }
  for (const [cpu, each] of perCpuValues.entries()) map.valueCodec.encode(each, view, cpu * cpuStride);
  return bytes;
}
