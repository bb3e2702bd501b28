/** Attaching a function's programs: which ones, where, and the plan. */
import { NetkitError } from '../base/errors.js';
import type { Hook } from '../base/hook-names.js';
import { Scope } from '../base/scope.js';
import { pinName } from '../ebpf/kernel-object.js';
import { exists } from '../host/folders.js';
import { type Netns, openNetns } from '../host/netns.js';
import type { Action } from './action.js';
import { type Chosen, choosePrograms } from './choose-programs.js';
import type { Proposal, World } from './environment.js';
import type { HookOptions, HookRequest, UnnamedLink } from './hooks/family.js';
import { familyOf } from './hooks/index.js';
import { withTables } from './hooks/struct-ops.js';
import { functionFolder } from './layout.js';
import type { LinkState } from './link-state.js';
import { noSuchFunction } from './reference.js';
import type { FunctionState } from './state.js';
import { nameForTarget, sameTarget } from './targets/index.js';
import type { Where } from './targets/namespace.js';

/** Where one or several programs of a function are to be attached. */
export interface AttachPlace {
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

export interface AttachRequest extends AttachPlace {
  readonly function: string;
}

export interface AttachProposal extends Proposal {
  /** Attachments that are there already, in just that way. */
  readonly already: readonly LinkState[];
}

/** @throws NetkitError `not-found`, `usage`, `conflict`, `unsupported` */
export function planAttach(world: World, request: AttachRequest): AttachProposal {
  return planAttachments(world, request.function, [request]);
}

export interface AttachmentsProposal extends AttachProposal {
  /** The links of each place, those that are there already included. */
  readonly links: ReadonlyMap<AttachPlace, readonly LinkState[]>;
}

/**
 * Plans attachments to several places as one change.
 * @param places on hooks of different things: what is planned on a hook is not seen by what is planned on it next
 * @param onMissing called for a place that is not there, which is then left out; without it, that fails
 * @throws NetkitError `not-found`, `usage`, `conflict`, `unsupported`
 */
export function planAttachments(
  world: World,
  name: string,
  places: readonly AttachPlace[],
  onMissing?: (error: NetkitError) => void,
): AttachmentsProposal {
  const state = loadedState(world, name);
  const programs = withTables(state, world.store);
  using namespaces = new OpenNamespaces();
  const found = new Map<AttachPlace, readonly LinkState[]>();
  let planned: Planned = { links: state.links, actions: [], already: [] };
  for (const place of places) {
    try {
      const netns = place.netns === undefined ? undefined : namespaces.open(place.netns);
      const where: Where = { ref: place.netns, netns, bpffs: world.bpffs, persist: state.persist };
      const chosen = choosePrograms(programs, place, where).flatMap(expanded);
      // Each goes in front of the one before it: so they end in the order of the object.
      if (goesInFront(place.options)) chosen.reverse();
      const links: LinkState[] = [];
      let next = planned;
      for (const each of chosen) {
        const one = planOne(each, { world, state, where }, place.options ?? {}, next);
        links.push(one.link);
        next = one.planned;
      }
      planned = next;
      found.set(place, links);
    } catch (error) {
      if (onMissing === undefined || !(error instanceof NetkitError) || error.code !== 'not-found')
        throw error;
      onMissing(error);
    }
  }
  const { actions, already } = planned;
  if (actions.length === 0) return { function: name, actions, already, links: found };
  const after = { ...state, change: world.change, links: [...planned.links] };
  const record: Action = { kind: 'record', function: name, before: state, after };
  return { function: name, actions: [...actions, record], already, links: found };
}

/** What is planned so far; `links` are all that the function has then. */
interface Planned {
  readonly links: readonly LinkState[];
  readonly actions: readonly Action[];
  readonly already: readonly LinkState[];
}

/** Each network namespace that is named, opened once. */
class OpenNamespaces implements Disposable {
  readonly #scope = new Scope();
  readonly #open = new Map<string, Netns>();

  open(reference: string): Netns {
    const netns = this.#open.get(reference) ?? this.#scope.use(openNetns(reference));
    this.#open.set(reference, netns);
    return netns;
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

function planOne(
  { program, entry, family, target }: Chosen,
  around: Pick<HookRequest, 'world' | 'state' | 'where'>,
  options: HookOptions,
  planned: Planned,
): { readonly link: LinkState; readonly planned: Planned } {
  const { world, state } = around;
  const folder = functionFolder(state.bpffs, state.name);
  let { links, actions } = planned;
  const request = { ...around, program, hook: entry.hook, target, options, links };
  const { link: wanted, note } = family.plan(request);
  const present = links.find((link) => isThere(link, wanted));
  if (present !== undefined && familyOf(present).isAlive(folder, present)) {
    familyOf(present).refuseOther?.(present, options, around);
    if (note !== undefined) world.note(note, present.name);
    return { link: present, planned: { ...planned, already: [...planned.already, present] } };
  }
  if (present !== undefined) {
    // Somebody detached it behind our back: only its dead pin is left.
    links = links.filter((link) => link !== present);
    actions = [...actions, { kind: 'detach', function: state.name, folder, link: present, wasDead: true }];
  }
  const link: LinkState = { ...wanted, name: freeName(wanted, links) };
  if (note !== undefined) world.note(note, link.name);
  const attach: Action = { kind: 'attach', function: state.name, folder, link };
  return { link, planned: { ...planned, links: [...links, link], actions: [...actions, attach] } };
}

function goesInFront({ place }: HookOptions = {}): boolean {
  return place === 'first' || (typeof place === 'object' && 'after' in place);
}

function expanded(chosen: Chosen): Chosen[] {
  const targets = chosen.family.expand?.(chosen.target) ?? [chosen.target];
  return targets.map((target) => ({ ...chosen, target }));
}

function isThere(present: LinkState, wanted: UnnamedLink): boolean {
  return (
    present.program === wanted.program &&
    present.hook === wanted.hook &&
    sameTarget(present.target, wanted.target) &&
    familyOf(present).samePlace?.(present, wanted) !== false
  );
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
    hint: `'netkit ${state.declared === undefined ? 'recover' : 'reconcile'}' brings it back`,
  });
}

function freeName({ program, hook, target }: UnnamedLink, links: readonly LinkState[]): string {
  const taken = new Set(links.map((link) => link.name));
  const base = pinName(`${program}-${hook.replaceAll('/', '-')}-${nameForTarget(target)}`);
  for (let suffix = 1; ; suffix++) {
    const name = suffix === 1 ? base : `${base}-${suffix}`;
    if (!taken.has(name)) return name;
  }
}
