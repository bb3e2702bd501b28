/** Which types of maps the kernel makes. */
import { mapTypes } from '../../base/kernel-words.js';
import { pageSize } from '../../host/page-size.js';
import { btfForMap } from '../../obj/btf/map-types.js';
import { knownMapTypes, mapTypeSince } from '../../obj/kernel-versions/map-types.js';
import { isErrno } from '../../sys/errno.js';
import { createMap, type MapAttributes } from '../../sys/map-calls.js';
import { giveTypes } from '../give-types.js';
import { mapFlags } from '../map-flags.js';
import { byteCount, mapPlan } from '../map-plans.js';
import { type Availability, absent, answered, type Feature, present } from './availability.js';

export type MapType = (typeof knownMapTypes)[number];

const known = new Map<MapType, Availability>();

/**
 * Whether the kernel makes maps of a type: makes the smallest one, which is gone again at once. Conclusive answers are
 * kept for the life of the process.
 */
export function mapTypeAvailable(type: MapType): Availability {
  const kept = known.get(type);
  if (kept !== undefined) return kept;
  const answer = answered('load', () => probe(type));
  if (answer.available !== null) known.set(type, answer);
  return answer;
}

/** Every map type of Linux, and whether the kernel makes it. */
export function allMapTypes(): Feature<MapType>[] {
  return knownMapTypes.map((name) => ({ name, since: mapTypeSince(name), ...mapTypeAvailable(name) }));
}

function probe(type: MapType): Availability {
  const since = mapTypeSince(type);
  try {
    make(type);
    return present(since);
  } catch (error) {
    // It knows the type and misses the struct that such a map is for (no struct has that BTF id).
    if (type === 'struct_ops' && isErrno(error, 'ENOTSUPP', 'EOPNOTSUPP')) return present(since);
    if (isErrno(error, 'EINVAL', 'ENOTSUPP', 'EOPNOTSUPP', 'E2BIG')) return absent(since);
    throw error;
  }
}

function make(type: MapType): void {
  const { keySize, valueSize, maxEntries, flags, inner, btf, entriesAre } = mapPlan(type);
  const first = (sizes: typeof keySize): number => (typeof sizes === 'object' ? sizes[0] : sizes) ?? 4;
  const attributes: MapAttributes = {
    map_type: mapTypes.indexOf(type),
    key_size: type === 'lpm_trie' ? 8 : first(keySize),
    value_size: type === 'stack_trace' ? 8 : first(valueSize),
    max_entries: entriesAre === byteCount ? pageSize() : (maxEntries ?? 1),
    map_flags: flags.reduce((all, word) => all | mapFlags[word], 0),
  };
  if (inner) makeOuter(attributes);
  else if (btf === 'needed') makeTyped(attributes);
  else if (type === 'struct_ops') makeStructOps(attributes);
  else makePlain(attributes);
}

function makePlain(attributes: MapAttributes): void {
  using _map = createMap(attributes, '');
}

function makeOuter(attributes: MapAttributes): void {
  using inner = createMap(
    { map_type: mapTypes.indexOf('hash'), key_size: 4, value_size: 4, max_entries: 1 },
    '',
  );
  using _map = createMap({ ...attributes, inner_map_fd: inner.value }, '');
}

function makeTyped(attributes: MapAttributes): void {
  const types = btfForMap({ key: { word: 's32' }, value: { word: 'u32' } });
  if (types === undefined) return;
  using fd = giveTypes(types.bytes);
  const typed = {
    btf_fd: fd.value,
    btf_key_type_id: types.key,
    btf_value_type_id: types.value,
  };
  using _map = createMap({ ...attributes, ...typed }, '');
}

function makeStructOps(attributes: MapAttributes): void {
  const types = btfForMap({ value: { word: 'u32' } });
  if (types === undefined) return;
  using fd = giveTypes(types.bytes);
  using _map = createMap({ ...attributes, btf_fd: fd.value, btf_vmlinux_value_type_id: 1 }, '');
}
