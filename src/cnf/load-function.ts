/** Loading an object as a function: what is chosen before the load, and the plan. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { exists } from '../host/folders.js';
import { listedMapName } from '../obj/maps.js';
import { ObjectSpec } from '../obj/spec.js';
import type { Action } from './action.js';
import { builtinPrefix } from './builtin-object.js';
import { detachActions } from './detach-function.js';
import type { Proposal, World } from './environment.js';
import { functionFolder } from './layout.js';
import { loadedTarget, openTargets, type TargetTexts } from './load-targets.js';
import { checkNewName } from './names.js';
import { dropOld, replaceActions } from './replacing/actions.js';
import { openReused } from './reused-maps.js';
import { type FunctionState, stateFormat } from './state.js';
import { keptFiles, storedObjectFile } from './state-object.js';
import { chooseWays } from './ways-in.js';

/** What is chosen of an object before it is loaded; kept in the state, so that it can be chosen again. */
export interface Choices {
  /** Texts by variable, read by the variable's type. */
  readonly globals: Readonly<Record<string, string>>;
  readonly mapSizes: Readonly<Record<string, number>>;
  /** References to existing maps, by the object's map names. */
  readonly reuse: Readonly<Record<string, string>>;
  /** What tracing programs are loaded for, as `load-targets.ts` reads it. */
  readonly targets?: TargetTexts | undefined;
  /** Programs to load, all when null. */
  readonly only: readonly string[] | null;
}

export interface LoadRequest extends Choices {
  /** Path of the object file. */
  readonly object: string;
  /** The function's name; the object's when left out. */
  readonly name?: string | undefined;
  /** Put the object in the place of a function of that name: links are swapped, maps are new. */
  readonly replace: boolean;
  /** Replace also what the kernel cannot swap: for a moment there is no program then. */
  readonly allowGap?: boolean | undefined;
  readonly persist: boolean;
  /** Whoever loads it attaches it too. */
  readonly attachesAnew?: boolean;
}

/** Reads the object and applies what was chosen. @throws NetkitError `bad-object`, `bad-value`, `not-found`, `usage` */
export async function chooseObject(request: LoadRequest): Promise<ObjectSpec> {
  return applyChoices(await ObjectSpec.read(request.object), request);
}

/** Sets globals and map sizes and chooses programs. @throws NetkitError `bad-value`, `not-found`, `usage` */
export function applyChoices(spec: ObjectSpec, choices: Choices): ObjectSpec {
  for (const [variable, text] of Object.entries(choices.globals)) spec.globals.set(variable, text);
  for (const [map, entries] of Object.entries(choices.mapSizes)) spec.setMapSize(map, entries);
  if (choices.only !== null) spec.only(choices.only);
  for (const map of Object.keys(choices.reuse)) spec.map(map);
  return spec;
}

/** @throws NetkitError `conflict` when the name is taken, or a link could not be kept; `usage` for a bad name */
export function planLoad(world: World, spec: ObjectSpec, request: LoadRequest): Proposal {
  const name = checkNewName(request.name ?? spec.name);
  chooseWays(spec, request, (text) => world.note(text));
  const folder = functionFolder(world.bpffs, name);
  const before = world.store.read(name) ?? null;
  const isRunning = exists(folder);
  if (before !== null && before.bootId === world.bootId && before.bpffs !== world.bpffs)
    throw pinnedElsewhere(before);
  if ((before !== null || isRunning) && !request.replace) throw nameTaken(name, before, world);
  if (request.persist)
    refuseFleeting([...Object.values(request.reuse), ...Object.values(request.targets ?? {})]);
  const after = newState(world, spec, request, name, before);
  const reuse = openReused(world, spec, request, name);
  const targets = openTargets(world, spec, request.targets ?? {});
  const store = storeObject(before, after);
  if (!isRunning) {
    const load: Action = { kind: 'load', function: name, folder };
    const record: Action = { kind: 'record', function: name, before, after };
    return {
      function: name,
      spec,
      reuse,
      targets,
      actions: [...store, load, record, ...detachLeft(world, before, request), ...dropOld(before, after)],
    };
  }
  if (before === null) {
    throw new NetkitError(
      'conflict',
      `'${name}' has pins but no state file: it cannot be replaced in place`,
      {
        hint: `'netkit unload ${name}' removes it from its pins alone`,
      },
    );
  }
  return {
    function: name,
    spec,
    reuse,
    targets,
    actions: [...store, ...replaceActions({ world, before, after, allowGap: request.allowGap === true })],
  };
}

function pinnedElsewhere({ name, bpffs }: FunctionState): NetkitError {
  return new NetkitError(
    'conflict',
    `a function '${name}' is loaded already, pinned on another bpf file system`,
    {
      hint: `choose another name with --name, or replace it where it is: --bpffs ${bpffs}`,
      details: { function: name, bpffs },
    },
  );
}

/** After a reboot another object has the id, or nobody has the name. */
export function refuseFleeting(references: readonly string[]): void {
  const fleeting = references.find((reference) => reference.includes(':'));
  if (fleeting === undefined) return;
  throw new NetkitError(
    'usage',
    `'${fleeting}' will mean something else after a reboot, or nothing: --persist cannot keep it`,
    {
      hint: 'name it as FUNCTION/NAME or by its pin',
    },
  );
}

function nameTaken(name: string, before: FunctionState | null, world: World): NetkitError {
  if (before !== null && before.bootId !== world.bootId) {
    return new NetkitError(
      'conflict',
      `'${name}' was loaded with --persist before the last boot and waits to be brought back`,
      {
        hint: `'netkit recover' brings it back, 'netkit unload ${name}' forgets it`,
      },
    );
  }
  return new NetkitError('conflict', `a function '${name}' is loaded already`, {
    hint:
      before === null
        ? `only its pins are left, without a state file: 'netkit unload ${name}' removes them`
        : 'choose another name with --name, or put this object in its place with --replace',
    details: { function: name },
  });
}

/** The chosen programs as they are recorded. */
export function statedPrograms(spec: ObjectSpec, targets: TargetTexts = {}): FunctionState['programs'] {
  return spec.programs
    .filter((program) => spec.chosen.has(program.name))
    .map(({ name, section, type }) => {
      const text = targets[name];
      return {
        name,
        section,
        type,
        ...(text === undefined ? {} : { target: loadedTarget(spec, name, text) }),
      };
    });
}

/** What is to be recorded of a function that is loaded so. */
export function newState(
  world: World,
  spec: ObjectSpec,
  request: LoadRequest,
  name: string,
  before: FunctionState | null,
): FunctionState {
  const sha256 = createHash('sha256').update(spec.bytes).digest('hex');
  return {
    formatVersion: stateFormat,
    name,
    change: world.change,
    bootId: world.bootId,
    bpffs: world.bpffs,
    // What is to survive a reboot still is when it has been replaced.
    persist: request.persist || before?.persist === true,
    // Named by its contents, so that a replacement never overwrites what the old function still needs.
    object: { path: originOf(request.object), file: `${name}-${sha256.slice(0, 12)}.bpf.o`, sha256 },
    options: {
      globals: { ...request.globals },
      mapSizes: { ...request.mapSizes },
      only: request.only === null ? null : [...request.only],
      reuse: { ...request.reuse },
      ...(request.targets === undefined ? {} : { targets: { ...request.targets } }),
    },
    programs: statedPrograms(spec, request.targets),
    maps: spec.maps.map((map) => ({ name: listedMapName(map, name), type: map.type })),
    links: [],
    loadedAt: new Date().toISOString(),
    // It is declared still: the next `apply` finds that something else runs.
    ...(before?.declared === undefined ? {} : { declared: before.declared }),
  };
}

/** Keeps the object, unless it is kept already: undoing would take the file from a function that runs, or a generation. */
export function storeObject(before: FunctionState | null, after: FunctionState): Action[] {
  const file = storedObjectFile(after);
  return keptFiles(before).has(file) ? [] : [{ kind: 'store-object', function: after.name, file }];
}

function originOf(object: string): string {
  return object.startsWith(builtinPrefix) ? object : resolve(object);
}

/** Of a function whose pins somebody removed, what needs none: its tc filters. */
function detachLeft(
  world: World,
  before: FunctionState | null,
  { attachesAnew }: Pick<LoadRequest, 'attachesAnew'>,
): Action[] {
  if (before === null || before.bootId !== world.bootId || before.links.length === 0) return [];
  if (attachesAnew !== true)
    world.note(`the pins of '${before.name}' were gone: it is loaded anew, and attached to nothing`);
  return detachActions(before, before.links);
}
