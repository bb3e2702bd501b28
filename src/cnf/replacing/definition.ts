/** Whether a map in the kernel is what an object declares. */
import type { MapDefinition } from '../../obj/map-definition.js';
import type { MapSpec } from '../../obj/maps.js';
import type { ObjectSpec } from '../../obj/spec.js';

/** What the kernel tells of a map, as far as it is compared. */
export interface MapAsItIs {
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

/** BPF_F_RDONLY_PROG: the kernel adds it to maps of devices. */
const readOnlyForPrograms = 0x80;
const pageSize = 4096;

/** How many entries a map of the object will have: of a ring buffer its bytes; 0 where the loader decides. */
export function givenEntries(spec: ObjectSpec, map: MapSpec): number {
  const entries = spec.mapSizes.get(map.name) ?? map.maxEntries;
  if (!map.type.endsWith('ringbuf')) return entries;
  // As libbpf rounds it: a power of two of whole pages.
  return Math.max(pageSize, 2 ** Math.ceil(Math.log2(Math.max(1, entries))));
}

/** What is different, each to be read after the map's name; empty when it is the same. @param before how the old object declared it */
export function differencesOf(map: MapSpec, there: MapAsItIs, entries: number, before?: MapSpec): string[] {
  const ignored = /^devmap/.test(map.type) ? readOnlyForPrograms : 0;
  // 0 leaves it to the loader, which makes one a CPU.
  const wanted = entries === 0 && map.type === 'perf_event_array' ? there.maxEntries : entries;
  const compared: readonly (readonly [what: string, from: string | number, to: string | number])[] = [
    ['type', there.type, map.type],
    ['key size', there.keySize, map.keySize],
    ['value size', there.valueSize, map.valueSize],
    ['entries', there.maxEntries, wanted],
    ['flags', there.flags & ~ignored, map.flags & ~ignored],
    ['inner map', innerText(before?.inner ?? map.inner), innerText(map.inner)],
  ];
  return compared
    .filter(([, from, to]) => from !== to)
    .map(([what, from, to]) => `${what} ${from} became ${to}`);
}

function innerText(inner: MapDefinition | undefined): string {
  if (inner === undefined) return 'none';
  const { type, keySize, valueSize, maxEntries, flags } = inner;
  return `${type} ${keySize}/${valueSize}/${maxEntries}/${flags}`;
}
