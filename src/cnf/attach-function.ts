/** Attaching a function's programs: which ones, where, and the plan. */
import { NetkitError } from '../base/errors.js';
import type { Hook } from '../base/hook-names.js';
import { pinName } from '../ebpf/kernel-object.js';
import { exists } from '../host/folders.js';
import { openNetns } from '../host/netns.js';
import type { Action } from './action.js';
import { type Chosen, choosePrograms } from './choose-programs.js';
import type { Proposal, World } from './environment.js';
import type { HookOptions, HookRequest, PlannedLink } from './hooks/family.js';
import { familyOf } from './hooks/index.js';
import { withTables } from './hooks/struct-ops.js';
import { functionFolder } from './layout.js';
import type { LinkState } from './link-state.js';
import { noSuchFunction } from './reference.js';
import type { FunctionState } from './state.js';
import { nameForTarget, sameTarget } from './targets/index.js';
import type { Where } from './targets/namespace.js';

export interface AttachRequest {
  readonly function: string;
  /** All programs whose hook takes the target when left out. */
  readonly program?: string | undefined;
  /** An interface, a cgroup, a kernel function, …; what the programs' sections name when left out. */
  readonly target?: string | undefined;
  readonly hook?: Hook | undefined;
  /** Name, path or process id of the network namespace that the target is in. */
  readonly netns?: string | undefined;
  /** What matters to some hooks only. */
  readonly options?: HookOptions | undefined;
}

export interface AttachProposal extends Proposal {
  /** Attachments that are there already, in just that way. */
  readonly already: readonly LinkState[];
}

/** @throws NetkitError `not-found`, `usage`, `conflict`, `unsupported` */
export function planAttach(world: World, request: AttachRequest): AttachProposal {
  const state = loadedState(world, request.function);
  using netns = request.netns === undefined ? undefined : openNetns(request.netns);
  const where: Where = { ref: request.netns, netns, bpffs: world.bpffs, persist: state.persist };
  const folder = functionFolder(state.bpffs, state.name);
  const already: LinkState[] = [];
  const actions: Action[] = [];
  let links = [...state.links];
  const chosenPrograms = choosePrograms(withTables(state, world.store), request, where).flatMap(expanded);
  // Each goes in front of the one before it: so they end in the order of the object.
  if (goesInFront(request.options)) chosenPrograms.reverse();
  for (const chosen of chosenPrograms) {
    const { link: wanted, note } = planOne(chosen, { world, state, where, links }, request);
    const present = links.find((link) => isThere(link, wanted));
    if (present !== undefined && familyOf(present).isAlive(folder, present)) {
      familyOf(present).refuseOther?.(present, request.options ?? {}, { world, state });
      if (note !== undefined) world.note(note, present.name);
      already.push(present);
      continue;
    }
    if (present !== undefined) {
      // Somebody detached it behind our back: only its dead pin is left.
      links = links.filter((link) => link !== present);
      actions.push({ kind: 'detach', function: state.name, folder, link: present, wasDead: true });
    }
    const link: LinkState = { ...wanted, name: freeName(wanted, links) };
    if (note !== undefined) world.note(note, link.name);
    links.push(link);
    actions.push({ kind: 'attach', function: state.name, folder, link });
  }
  if (actions.length > 0) {
    actions.push({
      kind: 'record',
      function: state.name,
      before: state,
      after: { ...state, change: world.change, links },
    });
  }
  return { function: state.name, actions, already };
}

function goesInFront({ place }: HookOptions = {}): boolean {
  return place === 'first' || (typeof place === 'object' && 'after' in place);
}

function expanded(chosen: Chosen): Chosen[] {
  const targets = chosen.family.expand?.(chosen.target) ?? [chosen.target];
  return targets.map((target) => ({ ...chosen, target }));
}

function isThere(present: LinkState, wanted: PlannedLink['link']): boolean {
  return (
    present.program === wanted.program &&
    present.hook === wanted.hook &&
    sameTarget(present.target, wanted.target) &&
    familyOf(present).samePlace?.(present, wanted) !== false
  );
}

function planOne(
  { program, entry, family, target }: Chosen,
  around: Pick<HookRequest, 'world' | 'state' | 'where' | 'links'>,
  { options = {} }: AttachRequest,
): PlannedLink {
  return family.plan({ ...around, program, hook: entry.hook, target, options });
}

/** @throws NetkitError `not-found` when the function is not loaded */
export function loadedState(world: World, name: string): FunctionState {
  const state = world.store.read(name);
  if (state === undefined && exists(functionFolder(world.bpffs, name))) {
    throw new NetkitError('conflict', `'${name}' has pins but no state file`, {
      hint: `'netkit unload ${name}' removes it from its pins alone`,
    });
  }
  if (state === undefined) throw noSuchFunction(name, world.bpffs);
  if (state.bootId === world.bootId) return state;
  throw new NetkitError('not-found', `function '${name}' has not been brought back since the last boot`, {
    hint: "'netkit recover' brings it back",
  });
}

function freeName({ program, hook, target }: PlannedLink['link'], links: readonly LinkState[]): string {
  const taken = new Set(links.map((link) => link.name));
  const base = pinName(`${program}-${hook.replaceAll('/', '-')}-${nameForTarget(target)}`);
  for (let suffix = 1; ; suffix++) {
    const name = suffix === 1 ? base : `${base}-${suffix}`;
    if (!taken.has(name)) return name;
  }
}
