/** What is known of the maps that entries come from and go to. */
import { missingFor } from '../../host/capabilities.js';
import { type SnapshotHeader, type SnapshotTypes, snapshotShape } from '../../obj/entries/index.js';
import type { MapPart, PartType } from '../../obj/map-codecs.js';
import { kernelBtf } from '../kernel-btf.js';
import type { BpfMap } from '../map.js';
import type { MigrationSide } from './migration.js';
import { bootOfReferences } from './references.js';

/** The C type of a part by the kernel's BTF; undefined where it has none, or this user may not see it. */
export function kernelPartType({ info }: BpfMap, part: MapPart): PartType | undefined {
  const id = part === 'key' ? info.keyTypeId : info.valueTypeId;
  if (info.btfId === 0 || id === 0 || missingFor('enumerate').length > 0) return undefined;
  return { btf: kernelBtf(info.btfId), id };
}

/** A map that is open. @param name how messages call it */
export function sideOf(map: BpfMap, name: string): MigrationSide {
  const { type, maxEntries, keySize, valueSize } = map.info;
  return {
    name,
    type,
    maxEntries,
    keySize,
    valueSize,
    shape: map.shape,
    key: kernelPartType(map, 'key'),
    value: kernelPartType(map, 'value'),
  };
}

/** What a snapshot was made of. One without a word for its type was made of entries alone, and fits wherever their widths do. */
export function sideOfSnapshot(header: SnapshotHeader, name: string): MigrationSide {
  const { mapType: type, maxEntries, keySize, valueSize, key, value } = header;
  return { name, type, maxEntries, keySize, valueSize, shape: snapshotShape(header), key, value };
}

/** What a snapshot says of a map, its types as the kernel knows them. */
export function snapshotTypesOf(map: BpfMap): SnapshotTypes {
  const { type, name, maxEntries, flags } = map.info;
  return {
    mapType: type,
    name,
    maxEntries,
    mapFlags: flags,
    bootId: bootOfReferences(map.info),
    key: kernelPartType(map, 'key'),
    value: kernelPartType(map, 'value'),
  };
}
