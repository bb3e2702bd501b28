/** Which maps a manifest may give entries, and how these lie in memory, before anything is loaded. */
import { NetkitError } from '../../base/errors.js';
import { mapFlags } from '../../ebpf/map-flags.js';
import { layoutOf } from '../../ebpf/map-kinds.js';
import type { EntryShape } from '../../obj/entries/batch.js';
import { indexTypes, isRedirect, type MapPart, mapCodec } from '../../obj/map-codecs.js';
import { hasKeysToGive, reasonAgainst } from '../../obj/map-operations.js';
import type { MapSpec } from '../../obj/maps.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { declaredPart } from '../replacing/old-maps.js';
import { mostPrefixBits, prefixBits } from './prefix-keys.js';
import { wordAt } from './word.js';

/** Types whose entries can be written, and cannot be told before there is a kernel. */
const undeclarable: Readonly<Record<string, string | undefined>> = {
  prog_array: 'its entries are programs, which the function itself puts there',
  array_of_maps: 'its entries are maps, which are told by ids of this boot',
  hash_of_maps: 'its entries are maps, which are told by ids of this boot',
  sockmap: 'its entries are sockets, which are open in processes',
  sockhash: 'its entries are sockets, which are open in processes',
  reuseport_sockarray: 'its entries are sockets, which are open in processes',
  xskmap: 'its entries are sockets, which are open in processes',
  cgroup_array: 'its entries are cgroups, which are open in processes',
  perf_event_array: 'its entries are perf events, which are open in processes',
};

/** Of struct bpf_devmap_val and struct bpf_cpumap_val. */
const programOffset = 4;

/** Why a manifest cannot give a map entries; undefined where it can. */
export function reasonAgainstEntries(map: Pick<MapSpec, 'type' | 'kind' | 'flags'>): string | undefined {
  const { type, kind, flags } = map;
  if (kind === 'data') return 'it holds global variables, which are set under spec.globals';
  if (undeclarable[type] !== undefined) return undeclarable[type];
  // Without keys nobody could tell which values are there already.
  if (!hasKeysToGive(type)) return reasonAgainst(type, 'update') ?? 'its entries have no keys';
  const reason = reasonAgainst(type, 'update') ?? reasonAgainst(type, 'dump');
  if (reason !== undefined) return reason;
  if (/cgroup_storage$/.test(type)) return 'the kernel makes and deletes its entries along with cgroups';
  if ((flags & mapFlags.rdonly) !== 0) return 'it is read-only for user space (BPF_F_RDONLY)';
  if ((flags & mapFlags.wronly) !== 0) return 'user space cannot read it (BPF_F_WRONLY)';
  return undefined;
}

/** A map that is to get entries. */
export interface EntryMap {
  readonly spec: ObjectSpec;
  readonly map: MapSpec;
  readonly shape: EntryShape;
  /** How many entries it will hold. */
  readonly maxEntries: number;
}

/**
 * A map of an object, for entries.
 * @throws NetkitError `not-found` for no such map, `unsupported` for one that takes no entries
 */
export function entryMap(spec: ObjectSpec, name: string, maxEntries?: number): EntryMap {
  const map = spec.map(name);
  const reason = reasonAgainstEntries(map);
  if (reason !== undefined)
    throw new NetkitError('unsupported', `the ${map.type} map '${name}' takes no entries: ${reason}`, {
      details: { map: name, type: map.type },
    });
  const most = maxEntries ?? spec.mapSizes.get(map.name) ?? map.maxEntries;
  return { spec, map, shape: shapeOfMap(spec, name), maxEntries: most };
}

/** How the entries of an object's map are laid out and typed, as they will be once it is loaded. @throws NetkitError `not-found` */
export function shapeOfMap(spec: ObjectSpec, name: string): EntryShape {
  const map = spec.map(name);
  const codec = (part: MapPart) => mapCodec(part, map, declaredPart(spec, map, part));
  return { key: hasKeysToGive(map.type) ? codec('key') : undefined, value: codec('value'), ...layoutOf(map) };
}

/** What is wrong with the key at an offset, which its type alone does not tell; undefined when nothing is. */
export function problemOfKey(
  { map: { type, keySize }, maxEntries }: Pick<EntryMap, 'map' | 'maxEntries'>,
  keys: Uint8Array,
  offset: number,
): string | undefined {
  if (type === 'lpm_trie') {
    const [bits, most] = [prefixBits(keys, offset), mostPrefixBits(keySize)];
    return bits > most
      ? `a prefix of ${bits} bits is longer than the addresses of the map, ${most}`
      : undefined;
  }
  if (!indexTypes.has(type)) return undefined;
  return wordAt(keys, offset) < maxEntries ? undefined : `the map's indices go from 0 to ${maxEntries - 1}`;
}

/** What is wrong with a value, likewise. */
export function problemOfValue(
  { map: { type, valueSize } }: EntryMap,
  values: Uint8Array,
  offset: number,
): string | undefined {
  if (!isRedirect(type) || valueSize < 8 || wordAt(values, offset + programOffset) === 0) return undefined;
  return 'a program is told by an id of this boot, and cannot be declared';
}
