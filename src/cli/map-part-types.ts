/** The types of a map's keys and values as such, for what compares or keeps them; codecs are made elsewhere. */
import { snapshotTypesOf } from '../ebpf/entries/sides.js';
import type { BpfMap } from '../ebpf/map.js';
import type { SnapshotTypes } from '../obj/entries/index.js';
import type { MapPart } from '../obj/map-codecs.js';
import { namedType, readTypeOptions, type TypeOptions } from './entry-types.js';

/** What a snapshot says of a map. @throws NetkitError `usage`, `not-found` for types that do not exist */
export async function snapshotTypes(map: BpfMap, options: TypeOptions): Promise<SnapshotTypes> {
  const { keySize, valueSize } = map.info;
  const known = snapshotTypesOf(map);
  const { key, value, spec } = await readTypeOptions(options);
  const typeOf = (part: MapPart, word: string | undefined, size: number) =>
    word === undefined ? known[part] : (namedType(word, spec) ?? { word, size });
  return { ...known, key: typeOf('key', key, keySize), value: typeOf('value', value, valueSize) };
}
