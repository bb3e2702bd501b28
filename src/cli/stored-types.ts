/** Types of a map that the kernel does not give, from the object that netkit keeps of the function that has the map. */
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { functionFolder, netkitFolder } from '../cnf/layout.js';
import { isFunctionName } from '../cnf/names.js';
import type { StateStore } from '../cnf/store.js';
import { pinName } from '../ebpf/kernel-object.js';
import { BpfMap } from '../ebpf/map.js';
import { namesIn } from '../host/folders.js';
import type { MapPart, PartType } from '../obj/map-codecs.js';
import { listedMapName, type MapSpec } from '../obj/maps.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { CommandContext } from './context.js';
import { pinsOf } from './environment.js';

export type PartTypes = Readonly<Partial<Record<MapPart, PartType>>>;

/**
 * libbpf hands the kernel no types for queues, stacks, maps of maps and some others, and types in the kernel are not for
 * everybody to read. Nothing where the map belongs to no function, or its object is gone.
 * @param reference how the user named the map: that of a function is looked for there first
 */
export async function storedTypes(
  context: CommandContext,
  reference: string,
  map: BpfMap,
): Promise<PartTypes> {
  const { spec, map: declared } = await storedObject(context, reference, map);
  const { btf } = spec ?? {};
  if (btf === undefined || declared === undefined) return {};
  const typed = (id: number | undefined): PartType | undefined =>
    id === undefined ? undefined : { btf, id };
  const key = typed(declared.keyType);
  const value = typed(declared.valueType);
  return { ...(key === undefined ? {} : { key }), ...(value === undefined ? {} : { value }) };
}

/** The object that netkit keeps of the function that has a map, and the map as it declares it. */
export interface StoredObject {
  readonly spec?: ObjectSpec;
  readonly map?: MapSpec | undefined;
}

/** Nothing where the map belongs to no function, or its object is gone. @param reference as {@link storedTypes} */
export async function storedObject(
  context: CommandContext,
  reference: string,
  map: BpfMap,
): Promise<StoredObject> {
  // Imported only now: reading state takes a while to load, and most maps have their types in the kernel.
  const { StateStore } = await import('../cnf/store.js');
  const store = new StateStore(context.paths.stateDir);
  try {
    const owner = findOwner(context, store, reference, map);
    return owner === undefined ? {} : await objectIn(store, owner);
  } catch (error) {
    // A damaged state or object is for the commands that are about it to report: bytes can be shown all the same.
    if (!(error instanceof NetkitError)) throw error;
    context.output.debug(`no types from the stored object: ${error.message}`);
    return {};
  }
}

interface Owner {
  readonly functionName: string;
  /** The name of the map's pin. */
  readonly pin: string;
}

function findOwner(
  context: CommandContext,
  store: StateStore,
  reference: string,
  map: BpfMap,
): Owner | undefined {
  const bpffs = pinsOf(context);
  const named = reference.split('/')[0] ?? '';
  const candidates = isFunctionName(named) ? [named] : namesIn(netkitFolder(bpffs)).filter(isFunctionName);
  for (const functionName of candidates) {
    const folder = join(functionFolder(store.peek(functionName)?.bpffs ?? bpffs, functionName), 'maps');
    const pin = namesIn(folder).find((name) => isSameMap(join(folder, name), map));
    if (pin !== undefined) return { functionName, pin };
  }
  return undefined;
}

function isSameMap(path: string, map: BpfMap): boolean {
  try {
    using pinned = BpfMap.fromPin(path);
    return pinned.info.id === map.info.id;
  } catch (error) {
    if (error instanceof NetkitError) return false;
    throw error;
  }
}

async function objectIn(store: StateStore, { functionName, pin }: Owner): Promise<StoredObject> {
  const state = store.peek(functionName);
  if (state === undefined || state.object === null) return {};
  const { ObjectSpec } = await import('../obj/spec.js');
  const spec = await ObjectSpec.read(store.objectPath(state.object.file));
  return { spec, map: spec.maps.find((each) => pinName(listedMapName(each, functionName)) === pin) };
}
