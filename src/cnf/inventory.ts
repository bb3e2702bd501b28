/** What is loaded: the recorded state beside what the kernel really has. */
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { pinName } from '../ebpf/kernel-object.js';
import { BpfMap, type MapInfo } from '../ebpf/map.js';
import { Program, type ProgramInfo } from '../ebpf/program.js';
import { exists, namesIn } from '../host/folders.js';
import { bootId } from '../host/kernel.js';
import { familyOf } from './hooks/index.js';
import { byId, ofPin, unlessGone, withObject } from './kernel-listing.js';
import { functionFolder, netkitFolder, type PinFolder, pinPath } from './layout.js';
import type { LinkState } from './link-state.js';
import { type ListedLink, linksOfFunction } from './listed-link.js';
import { isFunctionName } from './names.js';
import type { FunctionState } from './state.js';
import type { StateStore } from './store.js';

export interface ListedProgram {
  /** As in the object; as in the kernel where netkit did not load it. */
  readonly name: string;
  readonly function: string | undefined;
  readonly section: string | undefined;
  readonly pin: string | undefined;
  /** Undefined while it is not loaded. */
  readonly info: ProgramInfo | undefined;
  readonly type: string;
}

export interface ListedMap {
  readonly name: string;
  readonly function: string | undefined;
  readonly pin: string | undefined;
  readonly info: MapInfo | undefined;
  readonly type: string;
  readonly memoryBytes: number | undefined;
  readonly frozen: boolean | undefined;
  readonly keyType: string | undefined;
  readonly valueType: string | undefined;
}

export interface ListedFunction {
  readonly name: string;
  /** Undefined when there are pins only. */
  readonly state: FunctionState | undefined;
  /** Why its state file cannot be read. */
  readonly problem: string | undefined;
  readonly programs: readonly ListedProgram[];
  readonly maps: readonly ListedMap[];
  readonly links: readonly ListedLink[];
  /** What its programs are loaded as once more, as members of XDP chains: those that run there. */
  readonly members: readonly ListedProgram[];
}

/** Every function with a state of this boot, a state that waits to be brought back, or pins. Needs no lock. */
export function listFunctions(bpffs: string, store: StateStore): ListedFunction[] {
  const pinned = namesIn(netkitFolder(bpffs)).filter(isFunctionName);
  const names = new Set([...store.names(), ...pinned]);
  return [...names].sort().flatMap((name) => findFunction(bpffs, store, name) ?? []);
}

/** One function; undefined when there is none of that name. */
export function findFunction(bpffs: string, store: StateStore, name: string): ListedFunction | undefined {
  const { state: recorded, problem } = store.readOrProblem(name);
  // A state of another boot that is not to be brought back means nothing any more.
  const isCurrent = recorded !== undefined && (recorded.bootId === bootId() || recorded.persist);
  const state = isCurrent ? recorded : undefined;
  if (state === undefined && problem === undefined && !exists(functionFolder(bpffs, name))) return undefined;
  return { ...describeFunction(name, state, state?.bpffs ?? bpffs), problem };
}

function describeFunction(
  name: string,
  state: FunctionState | undefined,
  bpffs: string,
): Omit<ListedFunction, 'problem'> {
  const folder = functionFolder(bpffs, name);
  const programs = merged(folder, 'progs', state?.programs ?? [], (pin, recorded, pinned) =>
    describeProgram(pin, recorded?.name ?? pinned, name, recorded),
  );
  const maps = merged(folder, 'maps', state?.maps ?? [], (pin, recorded, pinned) =>
    describeOwnMap(pin, recorded?.name ?? pinned, name, recorded),
  );
  const programNames = new Map(
    programs.flatMap(({ info, name: program }) => (info === undefined ? [] : [[info.id, program]])),
  );
  const links = linksOfFunction(state?.links ?? [], folder, name, programNames);
  const members = (state?.links ?? []).flatMap((link) => describeCopy(link, folder, name));
  return { name, state, programs, maps, links, members };
}

/** Pairs what was recorded with what is pinned; either may be missing. */
function merged<R extends { readonly name: string }, T>(
  folder: string,
  kind: PinFolder,
  recorded: readonly R[],
  describe: (pin: string | undefined, recorded: R | undefined, name: string) => T,
): T[] {
  const pins = new Set(namesIn(join(folder, kind)));
  const known = recorded.map((each) => {
    const pin = pinName(each.name);
    return describe(pins.delete(pin) ? join(folder, kind, pin) : undefined, each, each.name);
  });
  return [...known, ...[...pins].map((pin) => describe(join(folder, kind, pin), undefined, pin))];
}

function describeProgram(
  pin: string | undefined,
  name: string,
  owner: string,
  recorded: FunctionState['programs'][number] | undefined,
): ListedProgram {
  const info = ofPin(pin, (path) => withObject(Program.fromPin(path), (program) => program.info()));
  return {
    name,
    function: owner,
    section: recorded?.section,
    pin: info === undefined ? undefined : pin,
    info,
    type: info?.type ?? recorded?.type ?? 'unspec',
  };
}

function describeCopy(link: LinkState, folder: string, owner: string): ListedProgram[] {
  const pin = familyOf(link).copyPin?.(folder, link);
  return pin === undefined || !exists(pin) ? [] : [describeProgram(pin, link.program, owner, undefined)];
}

function describeOwnMap(
  pin: string | undefined,
  name: string,
  owner: string,
  recorded: FunctionState['maps'][number] | undefined,
): ListedMap {
  const listed = ofPin(pin, (path) =>
    withObject(BpfMap.fromPin(path), (map) => describeMap(map, { name, function: owner, pin: path })),
  );
  if (listed !== undefined) return listed;
  return {
    name,
    function: owner,
    pin: undefined,
    info: undefined,
    type: recorded?.type ?? 'unspec',
    memoryBytes: undefined,
    frozen: undefined,
    keyType: undefined,
    valueType: undefined,
  };
}

/** What there is to tell of an open map; `known` is what netkit knows beside the kernel. */
export function describeMap(
  map: BpfMap,
  known: Partial<Pick<ListedMap, 'name' | 'function' | 'pin'>> = {},
): ListedMap {
  const types = readableTypes(map);
  return {
    name: known.name ?? map.info.name,
    function: known.function,
    pin: known.pin,
    info: map.info,
    type: map.info.type,
    ...map.accounting(),
    keyType: types.key,
    valueType: types.value,
  };
}

/** BTF by id needs CAP_SYS_ADMIN; without it the types stay unnamed. */
function readableTypes(map: BpfMap): { key: string | undefined; value: string | undefined } {
  try {
    return map.typeNames();
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-permitted')
      return { key: undefined, value: undefined };
    throw error;
  }
}

/** Everything that the kernel has of a kind, netkit's own named and owned. Needs CAP_SYS_ADMIN. */
export function listAllPrograms(functions: readonly ListedFunction[]): ListedProgram[] {
  const own = byId(functions.flatMap(({ programs, members }) => [...programs, ...members]));
  return [...Program.ids()].flatMap(
    (id) => own.get(id) ?? unlessGone(() => withObject(Program.fromId(id), foreignProgram)),
  );
}

/** A program that netkit did not load. */
export function foreignProgram(program: Program): ListedProgram {
  const info = program.info();
  return { name: info.name, function: undefined, section: undefined, pin: undefined, info, type: info.type };
}

/** As {@link listAllPrograms}. */
export function listAllMaps(functions: readonly ListedFunction[]): ListedMap[] {
  const own = byId(functions.flatMap(({ maps }) => maps));
  return [...BpfMap.ids()].flatMap(
    (id) => own.get(id) ?? unlessGone(() => withObject(BpfMap.fromId(id), (map) => describeMap(map))),
  );
}

/** The network namespaces that links are recorded in, by the paths of their pins; what cannot be read is unknown. */
export function recordedNamespaces(bpffs: string, store: StateStore): (pin: string) => number | undefined {
  const known = new Map<string, number>();
  for (const name of store.names()) {
    for (const link of store.peek(name)?.links ?? []) {
      if ('netns' in link.target)
        known.set(pinPath(functionFolder(bpffs, name), 'links', link.name), link.target.netns.inode);
    }
  }
  return (pin) => known.get(pin);
}
