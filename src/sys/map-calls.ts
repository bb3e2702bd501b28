/** The calls of bpf(2) on one map and one entry of it, with one reused attribute. */
import { Block } from './block.js';
import { type BpfCommand, bpf, bpfStatus } from './bpf.js';
import { SysError } from './errno.js';
import { Fd } from './fd.js';
import { attr } from './uapi.js';

type FieldsOfAttr<K extends keyof typeof attr> = Extract<keyof (typeof attr)[K]['fields'], string>;

/** What a map is made of; members by their names in `union bpf_attr`. */
export type MapAttributes = Partial<Record<FieldsOfAttr<'mapCreate'>, number | bigint>>;

/** @param name at most 15 bytes. @throws SysError */
export function createMap(values: MapAttributes, name: string): Fd {
  const block = new Block<FieldsOfAttr<'mapCreate'>>(attr.mapCreate, values);
  block.bytesOf('map_name').set(Buffer.from(name, 'latin1').subarray(0, 15));
  return new Fd(bpf('MAP_CREATE', block, 'create a map'));
}

/** Nobody writes the map from user space after this: kernel 5.2. @throws SysError EBUSY when it is frozen, or mapped for writing */
export function freezeMap(map: Fd): void {
  bpf('MAP_FREEZE', new Block(attr.element, { map_fd: map.value }), 'freeze a map');
}

/** Gives the kernel BTF, which lives as long as the descriptor or a map made with it. @throws SysError */
export function loadBtf(blob: Uint8Array): Fd {
  const block = new Block(attr.btfLoad, { btf_size: blob.length }).point('btf', blob);
  return new Fd(bpf('BTF_LOAD', block, 'give types to the kernel'));
}

/** The oldest or newest value of a queue or stack. */
export type TakeWay = 'peek' | 'pop';

const operations = {
  MAP_LOOKUP_ELEM: 'read a map entry',
  MAP_UPDATE_ELEM: 'write a map entry',
  MAP_DELETE_ELEM: 'delete a map entry',
  MAP_GET_NEXT_KEY: 'list the keys of a map',
  MAP_LOOKUP_AND_DELETE_ELEM: 'take a value out of a map',
} as const satisfies Partial<Record<BpfCommand, string>>;

type EntryCommand = keyof typeof operations;

/**
 * The single-entry calls on a map. Buffers are the caller's, of the map's own widths; all give 0 or the errno, since
 * an absent key is no failure and errors are slow to make: {@link MapCalls.failure} makes one of the last call.
 */
export class MapCalls {
  readonly #map: Fd;
  readonly #block = new Block<FieldsOfAttr<'element'>>(attr.element);
  #last: EntryCommand = 'MAP_LOOKUP_ELEM';

  constructor(map: Fd) {
    this.#map = map;
  }

  /** Reads into `value`; of a bloom filter asks for the one that is in it. ENOENT when the key is absent. */
  lookup(key: Uint8Array | undefined, value: Uint8Array, flags = 0): number {
    return this.#call('MAP_LOOKUP_ELEM', key, value, flags);
  }

  /** EEXIST and ENOENT by flags, E2BIG when full, EPERM when frozen or read-only. */
  update(key: Uint8Array | undefined, value: Uint8Array, flags = 0): number {
    return this.#call('MAP_UPDATE_ELEM', key, value, flags);
  }

  /** ENOENT when the key is absent. */
  delete(key: Uint8Array): number {
    return this.#call('MAP_DELETE_ELEM', key, undefined, 0);
  }

  /** The key after `key` (the first one for undefined) into `next`; ENOENT after the last. */
  nextKey(key: Uint8Array | undefined, next: Uint8Array): number {
    return this.#call('MAP_GET_NEXT_KEY', key, next, 0);
  }

  /** The value of a queue or stack that is next; ENOENT when there is none. */
  take(way: TakeWay, value: Uint8Array): number {
    return this.#call(way === 'pop' ? 'MAP_LOOKUP_AND_DELETE_ELEM' : 'MAP_LOOKUP_ELEM', undefined, value, 0);
  }

  failure(errno: number): SysError {
    return new SysError(operations[this.#last], errno);
  }

  #call(
    command: EntryCommand,
    key: Uint8Array | undefined,
    value: Uint8Array | undefined,
    flags: number,
  ): number {
    // Asked for each time: once the map is closed, its number may name something else.
    const block = this.#block.set('map_fd', this.#map.value);
    this.#last = command;
    if (key === undefined) block.set('key', 0);
    else block.point('key', key);
    if (value === undefined) block.set('value', 0);
    else block.point('value', value);
    block.set('flags', flags);
    return bpfStatus(command, block);
  }
}
