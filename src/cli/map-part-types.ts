/** The types of a map's keys and values as such, for what compares or keeps them; codecs are made elsewhere. */
import { bootOfReferences } from '../ebpf/entries/references.js';
import { kernelBtf } from '../ebpf/kernel-btf.js';
import type { BpfMap } from '../ebpf/map.js';
import { missingFor } from '../host/capabilities.js';
import type { SnapshotTypes } from '../obj/entries/index.js';
import type { MapPart, PartType } from '../obj/map-codecs.js';
import { namedType, readTypeOptions, type TypeOptions } from './entry-types.js';

/** The C type of a part by the kernel's BTF; undefined where it has none, or this user may not see it. */
export function kernelPartType({ info }: BpfMap, part: MapPart): PartType | undefined {
  const id = part === 'key' ? info.keyTypeId : info.valueTypeId;
  if (info.btfId === 0 || id === 0 || missingFor('enumerate').length > 0) return undefined;
  return { btf: kernelBtf(info.btfId), id };
}

/** What a snapshot says of a map. @throws NetkitError `usage`, `not-found` for types that do not exist */
export async function snapshotTypes(map: BpfMap, options: TypeOptions): Promise<SnapshotTypes> {
  const { type, name, maxEntries, flags, keySize, valueSize } = map.info;
  const { key, value, spec } = await readTypeOptions(options);
  const typeOf = (part: MapPart, word: string | undefined, size: number) =>
    word === undefined ? kernelPartType(map, part) : (namedType(word, spec) ?? { word, size });
  return {
    mapType: type,
    name,
    maxEntries,
    mapFlags: flags,
    bootId: bootOfReferences(map.info),
    key: typeOf('key', key, keySize),
    value: typeOf('value', value, valueSize),
  };
}
