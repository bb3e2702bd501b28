/** The maps of a function that is to be replaced: as they are in the kernel, and as its object declared them. */
import { NetkitError } from '../../base/errors.js';
import { kernelBtf } from '../../ebpf/kernel-btf.js';
import type { MapInfo } from '../../ebpf/map.js';
import { missingFor } from '../../host/capabilities.js';
import type { MapPart, PartType } from '../../obj/map-codecs.js';
import { listedMapName, type MapSpec } from '../../obj/maps.js';
import type { ObjectSpec } from '../../obj/spec.js';

export interface OldMap {
  /** As it is pinned and listed. */
  readonly name: string;
  readonly info: MapInfo;
  /** Undefined when the object is not kept any more. */
  readonly declared: MapSpec | undefined;
}

/** The C type of a part: as the kernel knows it, or else as the object declares it; undefined where nobody does. */
export function oldPart(
  { info, declared }: OldMap,
  spec: ObjectSpec | undefined,
  part: MapPart,
): PartType | undefined {
  return kernelPart(info, part) ?? declaredPart(spec, declared, part);
}

function kernelPart(info: MapInfo, part: MapPart): PartType | undefined {
  const id = part === 'key' ? info.keyTypeId : info.valueTypeId;
  if (info.btfId === 0 || id === 0 || missingFor('enumerate').length > 0) return undefined;
  try {
    return { btf: kernelBtf(info.btfId), id };
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-permitted') return undefined;
    throw error;
  }
}

/** Undefined for an object without BTF. */
export function declaredPart(
  spec: ObjectSpec | undefined,
  map: Pick<MapSpec, 'keyType' | 'valueType'> | undefined,
  part: MapPart,
): PartType | undefined {
  const id = part === 'key' ? map?.keyType : map?.valueType;
  return spec?.btf === undefined || id === undefined ? undefined : { btf: spec.btf, id };
}

export function declaredAs(
  spec: ObjectSpec | undefined,
  functionName: string,
  name: string,
): MapSpec | undefined {
  return spec?.maps.find((map) => listedMapName(map, functionName) === name);
}
