/** Detaching and unloading: the plans. The state is recorded first, so that a killed command is finished, not undone. */
import { NetkitError } from '../base/errors.js';
import { findInterface } from '../host/interfaces.js';
import { currentNetnsInode, openNetns } from '../host/netns.js';
import type { Action } from './action.js';
import { loadedState } from './attach-function.js';
import { isAlive } from './attachment.js';
import type { Proposal, World } from './environment.js';
import { asideFolders, exists, functionFolder, stagingFolder } from './layout.js';
import { checkFunctionName } from './names.js';
import { noSuchFunction } from './reference.js';
import type { FunctionState, Hook, LinkState } from './state.js';

export interface DetachRequest {
  readonly function: string;
  readonly program?: string | undefined;
  /** Every interface when left out. */
  readonly ifname?: string | undefined;
  readonly hook?: Hook | undefined;
  readonly netns?: string | undefined;
  /** The name of one link, as the state has it. */
  readonly link?: string | undefined;
}

export interface DetachProposal extends Proposal {
  readonly detached: readonly LinkState[];
}

/** @throws NetkitError `not-found` when nothing of the kind is attached */
export function planDetach(world: World, request: DetachRequest): DetachProposal {
  const state = loadedState(world, request.function);
  const isThere = placeOf(request);
  const matching = state.links.filter(
    (link) =>
      (request.link === undefined || link.name === request.link) &&
      (request.program === undefined || link.program === request.program) &&
      (request.hook === undefined || link.hook === request.hook) &&
      isThere(link),
  );
  if (matching.length === 0) {
    const what = request.program === undefined ? request.function : `${request.function}/${request.program}`;
    throw new NetkitError(
      'not-found',
      `${what} is not attached${request.ifname === undefined ? '' : ` to ${request.ifname}`}`,
      {
        hint: whereElse(state),
      },
    );
  }
  const staying = state.links.filter((link) => !matching.includes(link));
  const after = { ...state, change: world.change, links: inheritQdiscs(staying, matching) };
  return {
    function: state.name,
    detached: matching,
    actions: [
      ...qdiscHeirs(world, state, matching),
      { kind: 'record', function: state.name, before: state, after },
      ...detachActions(state, matching),
    ],
  };
}

/** What a function is attached to, and how to be rid of what is gone. */
function whereElse(state: FunctionState): string | undefined {
  if (state.links.length === 0) return undefined;
  const folder = functionFolder(state.bpffs, state.name);
  const here = currentNetnsInode();
  let someDead = false;
  const places = state.links.map((link) => {
    const dead = isDead(folder, link);
    someDead ||= dead;
    const { inode, ref } = link.netns;
    const netns = inode === here ? '' : ref === null ? ' in another network namespace' : ` in netns ${ref}`;
    return `${link.hook} of ${link.ifname}${netns}${dead ? ' (dead: the interface is gone)' : ''}`;
  });
  const way = `: 'netkit detach ${state.name}' takes off all of it, 'netkit detach id:N' one (netkit link list)`;
  return `it is attached to: ${places.join(', ')}${someDead ? way : ''}`;
}

/** Detach, unpin, forget. Works from the pins alone where the state file is missing or damaged. */
export function planUnload(world: World, functionName: string): DetachProposal {
  const name = checkFunctionName(functionName);
  const state = readLeniently(world, name);
  const bpffs = state?.bpffs ?? world.bpffs;
  const folder = functionFolder(bpffs, name);
  const staging = stagingFolder(bpffs, name);
  const aside = asideFolders(bpffs, name);
  const isPinned = exists(folder) || exists(staging) || aside.length > 0;
  if (state === undefined && !isPinned && !world.store.names().includes(name)) {
    throw noSuchFunction(name, world.bpffs);
  }
  const isThisBoot = state !== undefined && state.bootId === world.bootId;
  const links = isThisBoot ? state.links : [];
  const unpin = (path: string): Action[] =>
    exists(path) ? [{ kind: 'unpin', function: name, folder: path }] : [];
  return {
    function: name,
    detached: links,
    actions: [
      ...(isThisBoot ? qdiscHeirs(world, state, links) : []),
      { kind: 'record', function: name, before: state ?? null, after: null },
      ...(isThisBoot ? detachActions(state, links) : []),
      ...unpin(folder),
      ...unpin(staging),
      ...aside.flatMap(unpin),
      ...world.store.objectsOf(name).map((file) => ({ kind: 'drop-object', function: name, file }) as const),
    ],
  };
}

function readLeniently(world: World, name: string): FunctionState | undefined {
  try {
    return world.store.read(name);
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'bad-state') throw error;
    world.note(`${error.message}: going by the pins alone; tc filters cannot be found that way`);
    return undefined;
  }
}

export function detachActions(state: FunctionState, links: readonly LinkState[]): Action[] {
  const folder = functionFolder(state.bpffs, state.name);
  return [...links].reverse().map((link) => ({
    kind: 'detach',
    function: state.name,
    folder,
    link,
    ...(isDead(folder, link) ? { wasDead: true } : {}),
  }));
}

/** Whether there is nothing that undoing would have to bring back; what cannot be looked at is left to the detaching. */
function isDead(folder: string, link: LinkState): boolean {
  try {
    return !isAlive(folder, link);
  } catch {
    return false;
  }
}

function sharesQdisc(one: LinkState, other: LinkState): boolean {
  return (
    one.filter !== null &&
    other.filter !== null &&
    one.ifindex === other.ifindex &&
    one.netns.inode === other.netns.inode
  );
}

/** Hands the mark of a qdisc that netkit made to a filter that stays on it. */
function inheritQdiscs(staying: readonly LinkState[], leaving: readonly LinkState[]): LinkState[] {
  const marked = leaving.filter((link) => link.filter?.madeQdisc === true);
  return staying.map((link) =>
    link.filter !== null && marked.some((made) => sharesQdisc(made, link))
      ? { ...link, filter: { ...link.filter, madeQdisc: true } }
      : link,
  );
}

/**
 * A clsact qdisc that one function made and another one still uses passes to the other: whoever comes last removes it.
 */
function qdiscHeirs(world: World, state: FunctionState, leaving: readonly LinkState[]): Action[] {
  const marked = leaving.filter((link) => link.filter?.madeQdisc === true);
  if (marked.length === 0) return [];
  return world.store.names().flatMap((name): Action[] => {
    const owner = name === state.name ? undefined : world.store.peek(name);
    if (owner === undefined || !owner.links.some((link) => marked.some((made) => sharesQdisc(made, link))))
      return [];
    return [
      {
        kind: 'record',
        function: name,
        before: owner,
        after: { ...owner, links: inheritQdiscs(owner.links, marked) },
      },
    ];
  });
}

/**
 * Which links are at the place that was asked for. An interface's index means something in its own namespace only; a
 * dead link is found by the name that its interface had, wherever that was, unless this namespace has one of that name.
 */
function placeOf({ ifname, netns }: DetachRequest): (link: LinkState) => boolean {
  const inode = netns === undefined ? currentNetnsInode() : inodeOf(netns);
  if (ifname === undefined) return (link) => netns === undefined || link.netns.inode === inode;
  const ifindex = presentIndex(ifname, netns);
  const byNameAlone = netns === undefined && ifindex === undefined;
  return (link) =>
    link.netns.inode === inode
      ? link.ifname === ifname || link.ifindex === ifindex
      : byNameAlone && link.ifname === ifname;
}

function inodeOf(reference: string): number {
  using netns = openNetns(reference);
  return netns.inode;
}

/** The interface's index, or undefined when it is gone. */
function presentIndex(ifname: string, reference: string | undefined): number | undefined {
  try {
    using netns = reference === undefined ? undefined : openNetns(reference);
    return findInterface(ifname, netns).ifindex;
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return undefined;
    throw error;
  }
}
