/** What is loaded: the recorded state beside what the kernel really has. */
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { pinName } from '../ebpf/kernel-object.js';
import { Link, type LinkInfo } from '../ebpf/link.js';
import { BpfMap, type MapInfo } from '../ebpf/map.js';
import { Program, type ProgramInfo } from '../ebpf/program.js';
import { filterProgramId } from '../ebpf/tc-filter.js';
import { bootId } from '../host/kernel.js';
import { reopenNamespace } from './attachment.js';
import { exists, functionFolder, namesIn, netkitFolder, type PinFolder } from './layout.js';
import { isFunctionName } from './names.js';
import type { FunctionState, LinkState } from './state.js';
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

export interface ListedLink {
  readonly name: string | undefined;
  readonly function: string | undefined;
  readonly pin: string | undefined;
  /** `tc` for a filter. */
  readonly type: string;
  readonly programId: number | undefined;
  readonly programName: string | undefined;
  /** Undefined for a filter, and for a link that is not there. */
  readonly info: LinkInfo | undefined;
  /** What was recorded when netkit attached it. */
  readonly state: LinkState | undefined;
  /** What it was attached to is gone, or somebody detached it. */
  readonly dead: boolean;
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
  const filters = (state?.links ?? []).filter((link) => link.filter !== null);
  const pinnedLinks = merged(
    folder,
    'links',
    (state?.links ?? []).filter((link) => link.filter === null),
    (pin, recorded, pinned) => describeLink(pin, recorded?.name ?? pinned, name, recorded, programNames),
  );
  return {
    name,
    state,
    programs,
    maps,
    links: [...pinnedLinks, ...filters.map((link) => describeFilter(link, name))],
  };
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

function describeLink(
  pin: string | undefined,
  name: string,
  owner: string,
  state: LinkState | undefined,
  programNames: ReadonlyMap<number, string>,
): ListedLink {
  const info = ofPin(pin, (path) => withObject(Link.fromPin(path), (link) => link.info()));
  return {
    name,
    function: owner,
    pin: info === undefined ? undefined : pin,
    type: info?.type ?? state?.hook.split('/')[0] ?? 'unspec',
    programId: info === undefined || info.programId === 0 ? undefined : info.programId,
    programName: (info === undefined ? undefined : programNames.get(info.programId)) ?? state?.program,
    info,
    state,
    dead: info === undefined || info.ifindex === 0,
  };
}

function describeFilter(state: LinkState, owner: string): ListedLink {
  const { present, netns: opened } = reopenNamespace(state);
  using netns = opened;
  const direction = state.hook === 'tc/egress' ? 'egress' : 'ingress';
  const place = {
    ifindex: state.ifindex,
    direction,
    handle: state.filter?.handle ?? 0,
    priority: state.filter?.priority ?? 0,
  } as const;
  const programId = present ? filterProgramId(place, netns) : undefined;
  return {
    name: state.name,
    function: owner,
    pin: undefined,
    type: 'tc',
    programId,
    programName: state.program,
    info: undefined,
    state,
    dead: programId === undefined || programId !== state.filter?.programId,
  };
}

function withObject<T extends Disposable, R>(object: T, read: (object: T) => R): R {
  using owned = object;
  return read(owned);
}

/** Everything that the kernel has of a kind, netkit's own named and owned. Needs CAP_SYS_ADMIN. */
export function listAllPrograms(functions: readonly ListedFunction[]): ListedProgram[] {
  const own = byId(functions.flatMap(({ programs }) => programs));
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

/** As {@link listAllPrograms}; netkit's tc filters, which are no links, are listed too. */
export function listAllLinks(functions: readonly ListedFunction[]): ListedLink[] {
  const listed = functions.flatMap(({ links }) => links);
  const own = byId(listed);
  const links = [...Link.ids()].flatMap(
    (id) => own.get(id) ?? unlessGone(() => foreignLink(withObject(Link.fromId(id), (link) => link.info()))),
  );
  return [...links, ...listed.filter(({ type }) => type === 'tc')];
}

/** A link that netkit did not make. */
export function foreignLink(info: LinkInfo): ListedLink {
  return {
    name: undefined,
    function: undefined,
    pin: undefined,
    type: info.type,
    programId: info.programId === 0 ? undefined : info.programId,
    programName: info.programId === 0 ? undefined : programNameOf(info.programId),
    info,
    state: undefined,
    dead: info.ifindex === 0,
  };
}

function programNameOf(id: number): string | undefined {
  try {
    return withObject(Program.fromId(id), (program) => program.info().name);
  } catch {
    return undefined;
  }
}

function byId<T extends { readonly info: { readonly id: number } | undefined }>(
  listed: readonly T[],
): Map<number, T> {
  return new Map(listed.flatMap((each) => (each.info === undefined ? [] : [[each.info.id, each] as const])));
}

/** Undefined also for what is no pin of that kind: one thing out of place must not keep the rest from being listed. */
function ofPin<R>(pin: string | undefined, read: (path: string) => R): R | undefined {
  if (pin === undefined) return undefined;
  try {
    return read(pin);
  } catch (error) {
    if (error instanceof NetkitError && (error.code === 'not-found' || error.code === 'usage'))
      return undefined;
    throw error;
  }
}

/** Between listing the ids and opening them, one may go: reading takes no lock. */
function unlessGone<T>(read: () => T): T[] {
  try {
    return [read()];
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return [];
    throw error;
  }
}
