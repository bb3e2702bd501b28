/** Pins that somebody removed by hand, made again where what they were of is in the kernel still: whatever runs holds it. */
import { NetkitError } from '../../base/errors.js';
import { BpfMap } from '../../ebpf/map.js';
import { Program } from '../../ebpf/program.js';
import { exists } from '../../host/folders.js';
import { bootId } from '../../host/kernel.js';
import { isChainLink } from '../chain/member.js';
import { type EnvironmentOptions, lockStore } from '../environment.js';
import { findFunction, type ListedFunction } from '../inventory.js';
import { functionFolder, type PinFolder, pinPath } from '../layout.js';
import type { FunctionState } from '../state.js';
import { StateStore } from '../store.js';

/** A pin that is missing. */
export interface MissingPin {
  readonly kind: PinFolder & ('progs' | 'maps');
  readonly name: string;
}

/** Pins of programs and maps that a function of this boot lacks; none where all are gone, with its folder. */
export function missingPins(state: FunctionState): MissingPin[] {
  const folder = functionFolder(state.bpffs, state.name);
  if (state.bootId !== bootId() || !exists(folder)) return [];
  const isMissing = ({ kind, name }: MissingPin): boolean => !exists(pinPath(folder, kind, name));
  return [
    ...state.programs.map(({ name }): MissingPin => ({ kind: 'progs', name })),
    ...state.maps.map(({ name }): MissingPin => ({ kind: 'maps', name })),
  ].filter(isMissing);
}

/**
 * Pins again what is still there. A pin that is there once more is what the state says, so nothing is to be undone when this
 * is killed.
 * @returns what could be pinned. @throws NetkitError `conflict` when something is gone with its pin; the rest is pinned then
 */
export async function repin(options: EnvironmentOptions, name: string): Promise<MissingPin[]> {
  const store = new StateStore(options.stateDir);
  using _lock = await lockStore(options, store);
  const state = store.read(name);
  if (state === undefined) return [];
  const pinned: MissingPin[] = [];
  const gone: MissingPin[] = [];
  // Programs come first: they tell of maps.
  for (const missing of missingPins(state)) {
    (pinAgain(missing, state, store) ? pinned : gone).push(missing);
  }
  if (gone.length === 0) return pinned;
  const words = gone
    .map((each) => `the ${each.kind === 'maps' ? 'map' : 'program'} '${each.name}'`)
    .join(', ');
  throw new NetkitError('conflict', `${words} of '${name}' is gone: somebody removed its pin`, {
    hint: `'netkit unload ${name}' and then 'netkit apply' make the function anew`,
    details: { function: name },
  });
}

/** @returns whether it is still in use, so that it could be pinned */
function pinAgain(missing: MissingPin, state: FunctionState, store: StateStore): boolean {
  const { name, bpffs } = state;
  const listed = findFunction(bpffs, store, name);
  using object = listed === undefined ? undefined : stillThere(missing, state, listed);
  object?.pin(pinPath(functionFolder(bpffs, name), missing.kind, missing.name));
  return object !== undefined;
}

function stillThere(
  { kind, name }: MissingPin,
  state: FunctionState,
  listed: ListedFunction,
): Program | BpfMap | undefined {
  return kind === 'progs' ? attached(name, state, listed) : used(name, state, listed);
}

/** What is attached under its name. In chains of XDP programs copies are. */
function attached(name: string, { programs }: FunctionState, { links }: ListedFunction): Program | undefined {
  const type = programs.find((each) => each.name === name)?.type;
  for (const { state, programId, dead } of links) {
    if (state?.program !== name || dead || programId === undefined || isChainLink(state)) continue;
    const program = opened(() => Program.fromId(programId));
    const info = program?.info();
    if (info?.type === type && name.startsWith(info?.name ?? ' ')) return program;
    program?.[Symbol.dispose]();
  }
  return undefined;
}

/** The one map of that name and type that its programs, or their copies in chains, use. */
function used(
  name: string,
  { maps }: FunctionState,
  { programs, members }: ListedFunction,
): BpfMap | undefined {
  const type = maps.find((each) => each.name === name)?.type;
  const ids = new Set([...programs, ...members].flatMap(({ info }) => info?.mapIds ?? []));
  const found: BpfMap[] = [];
  for (const id of ids) {
    const map = opened(() => BpfMap.fromId(id));
    // Of a name the kernel keeps 15 characters.
    if (map?.info.type === type && map?.info.name === name.slice(0, 15)) found.push(map);
    else map?.[Symbol.dispose]();
  }
  if (found.length === 1) return found[0];
  for (const map of found) map[Symbol.dispose]();
  return undefined;
}

function opened<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return undefined;
    throw error;
  }
}
