/** Upgrading a function in place: every link gets the new programs, and the maps keep what is in them. */
import { NetkitError } from '../base/errors.js';
import { BpfMap } from '../ebpf/map.js';
import { exists } from '../host/folders.js';
import { ObjectSpec } from '../obj/spec.js';
import type { Action } from './action.js';
import { loadedState } from './attach-function.js';
import type { Proposal, World } from './environment.js';
import { describeTarget, familyOf } from './hooks/index.js';
import { functionFolder, pinPath, stagingFolder } from './layout.js';
import { applyChoices, newState, refuseFleeting, storeObject } from './load-function.js';
import { openTargets } from './load-targets.js';
import { replaceActions } from './replacing/actions.js';
import { type GivenChoices, takeOver } from './replacing/choices.js';
import { type PlannedMap, planMaps } from './replacing/fates.js';
import { declaredAs, type OldMap } from './replacing/old-maps.js';
import { programIds, slotsOf } from './replacing/program-table.js';
import { type ProgramTest, type TakenOver, Takeover } from './replacing/work.js';
import { openReused } from './reused-maps.js';
import type { FunctionState } from './state.js';
import { chooseWays } from './ways-in.js';

export type { PlannedMap } from './replacing/fates.js';
export type { ProgramTest, TakenOver } from './replacing/work.js';

export interface ReplaceRequest extends GivenChoices {
  readonly function: string;
  /** Path of the object file. */
  readonly object: string;
  /** The object, where it has been read already. */
  readonly spec?: ObjectSpec | undefined;
  /** What was chosen before counts no longer: all that counts is given. */
  readonly anew?: boolean | undefined;
  /** Maps that may begin empty. */
  readonly newMaps: readonly string[];
  /** Replace also what the kernel cannot swap: for a moment there is no program then. */
  readonly allowGap: boolean;
  /** Names of links that do not get the new programs, but go. */
  readonly leaving?: ReadonlySet<string> | undefined;
  /** Runs between load and swap; what it throws ends the replacement before anything is swapped. */
  readonly test?: ProgramTest | undefined;
}

export interface ReplaceProposal extends Proposal {
  readonly before: FunctionState;
  readonly after: FunctionState;
  readonly maps: readonly PlannedMap[];
  /** Filled while the plan is performed. */
  readonly taken: ReadonlyMap<string, TakenOver>;
}

/**
 * @throws NetkitError `not-found` for an unknown function, program or map; `conflict` when a link or a map could not be kept;
 *   `unsupported` for a gap that is not allowed
 */
export async function planReplace(world: World, request: ReplaceRequest): Promise<ReplaceProposal> {
  const before = loadedState(world, request.function);
  const { name } = before;
  if (before.bpffs !== world.bpffs) {
    throw new NetkitError('conflict', `'${name}' is pinned on another bpf file system`, {
      hint: `replace it where it is: --bpffs ${before.bpffs}`,
      details: { function: name, bpffs: before.bpffs },
    });
  }
  const folder = functionFolder(world.bpffs, name);
  const staging = stagingFolder(world.bpffs, name);
  if (!exists(folder)) {
    throw new NetkitError('conflict', `the pins of '${name}' are gone: there is nothing to be replaced`, {
      hint: `'netkit load' with --name ${name} --replace loads it anew`,
    });
  }
  const spec = request.spec ?? (await ObjectSpec.read(request.object));
  const choices =
    request.anew === true ? request : takeOver(before, request, spec, (text) => world.note(text));
  applyChoices(spec, choices);
  chooseWays(spec, choices, (text) => world.note(text));
  for (const map of request.newMaps) spec.map(map);
  if (before.persist)
    refuseFleeting([...Object.values(request.reuse), ...Object.values(request.targets ?? {})]);
  const oldSpec = await storedObject(world, before);
  const old = openOld(world, before, oldSpec, folder);
  const own = programIds(folder);
  const maps = planMaps({
    function: name,
    spec,
    oldSpec,
    old,
    newMaps: new Set(request.newMaps),
    reuse: choices.reuse,
    refersToOwn: (table) => {
      const map = old.get(table)?.map;
      return map !== undefined && slotsOf(map).some(({ program }) => own.has(program));
    },
  });
  const loadRequest = { ...choices, object: request.object, replace: true, persist: before.persist };
  const after = newState(world, spec, loadRequest, name, before);
  const reuse = openReused(world, spec, choices, name);
  const kept: Record<string, string> = {};
  for (const { name: map, fate } of maps) {
    const found = old.get(map);
    if (fate !== 'kept' || found === undefined) continue;
    reuse.set(map, found.map);
    kept[map] = `${name}/${map}`;
  }
  const pairs = maps
    .filter(({ fate }) => fate === 'migrated' || fate === 'refilled')
    .map((map) => ({
      map,
      from: pinPath(folder, 'maps', map.name),
      to: pinPath(staging, 'maps', map.name),
    }));
  const takeover = new Takeover(pairs, { old: folder, next: staging }, request.test, world.scope);
  const migrates = pairs.some(({ map }) => map.fate === 'migrated');
  const beforeSwap: Action[] = [
    ...pairs.map(({ from, to }): Action => ({ kind: 'migrate', function: name, from, to })),
    ...(request.test === undefined ? [] : [{ kind: 'test', function: name, folder: staging } as const]),
    ...(migrates ? [{ kind: 'catch-up', function: name, folder: staging } as const] : []),
  ];
  const store = storeObject(before, after);
  const replace = replaceActions({
    world,
    before,
    after,
    allowGap: request.allowGap,
    leaving: request.leaving,
    kept,
    beforeSwap,
    afterSwap: migrates ? [{ kind: 'carry-over', function: name, folder: staging }] : [],
  });
  for (const link of before.links) {
    if (request.leaving?.has(link.name) === true) continue;
    const { replacing } = familyOf(link);
    const about = `${name}/${link.program} on ${describeTarget(link)}`;
    if (replacing === 'overlap')
      world.note(`the kernel cannot swap ${about}: for a moment both programs run`, link.name);
    if (replacing === 'gap')
      world.note(`the kernel cannot swap ${about}: for a moment neither program runs`, link.name);
  }
  return {
    function: name,
    spec,
    reuse,
    targets: openTargets(world, spec, choices.targets ?? {}),
    succession: takeover,
    actions: [...store, ...replace],
    before,
    after,
    maps,
    taken: takeover.taken,
  };
}

/** The object that the function was loaded from, with its choices; undefined, with a note, when it cannot be read. */
async function storedObject(
  world: World,
  { name, object, options }: FunctionState,
): Promise<ObjectSpec | undefined> {
  if (object === null) {
    world.note(`'${name}' was adopted: what its maps were declared as is known by the kernel alone`);
    return undefined;
  }
  try {
    return applyChoices(await ObjectSpec.read(world.store.objectPath(object.file)), options);
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    world.note(`the object that '${name}' was loaded from cannot be read: ${error.message}`);
    return undefined;
  }
}

function openOld(
  world: World,
  { name, maps }: FunctionState,
  oldSpec: ObjectSpec | undefined,
  folder: string,
): Map<string, OldMap & { readonly map: BpfMap }> {
  return new Map(
    maps.flatMap((map) => {
      const path = pinPath(folder, 'maps', map.name);
      if (!exists(path)) return [];
      const opened = world.scope.use(BpfMap.fromPin(path));
      const declared = declaredAs(oldSpec, name, map.name);
      return [[map.name, { name: map.name, info: opened.info, map: opened, declared }] as const];
    }),
  );
}
