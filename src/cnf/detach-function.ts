/** Detaching and unloading: the plans. The state is recorded first, so that a killed command is finished, not undone. */
import { NetkitError } from '../base/errors.js';
import type { Hook } from '../base/hook-names.js';
import { exists } from '../host/folders.js';
import { currentNetnsInode } from '../host/netns.js';
import type { Action } from './action.js';
import { loadedState } from './attach-function.js';
import { isAlive } from './attachment.js';
import type { Proposal, World } from './environment.js';
import { allFamilies } from './hooks/index.js';
import { asideFolders, functionFolder, stagingFolder } from './layout.js';
import type { LinkState } from './link-state.js';
import { checkFunctionName } from './names.js';
import { noSuchFunction } from './reference.js';
import type { FunctionState } from './state.js';
import { goneText, targetsMeant, whereabouts } from './targets/index.js';

export interface DetachRequest {
  readonly function: string;
  readonly program?: string | undefined;
  /** Every target when left out. */
  readonly target?: string | undefined;
  readonly hook?: Hook | undefined;
  readonly netns?: string | undefined;
  /** The names of links, as the state has them. */
  readonly links?: readonly string[] | undefined;
}

export interface DetachProposal extends Proposal {
  readonly detached: readonly LinkState[];
}

/** @throws NetkitError `not-found` when nothing of the kind is attached */
export function planDetach(world: World, request: DetachRequest): DetachProposal {
  const state = loadedState(world, request.function);
  const isMeant = targetsMeant({ text: request.target, netns: request.netns });
  const matching = state.links.filter(
    (link) =>
      (request.links === undefined || request.links.includes(link.name)) &&
      (request.program === undefined || link.program === request.program) &&
      (request.hook === undefined || link.hook === request.hook) &&
      isMeant(link.target),
  );
  if (matching.length === 0) {
    const what = request.program === undefined ? request.function : `${request.function}/${request.program}`;
    throw new NetkitError(
      'not-found',
      `${what} is not attached${request.target === undefined ? '' : ` to ${request.target}`}`,
      {
        hint: whereElse(state),
      },
    );
  }
  const staying = state.links.filter((link) => !matching.includes(link));
  const after = { ...state, change: world.change, links: handedOver(matching, staying) };
  return {
    function: state.name,
    detached: matching,
    actions: [
      ...heirs(world, state, matching),
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
    return `${link.hook} of ${whereabouts(link.target, here)}${dead ? ` (dead: ${goneText(link.target)})` : ''}`;
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
      ...(isThisBoot ? heirs(world, state, links) : []),
      { kind: 'record', function: name, before: state ?? null, after: null },
      ...(isThisBoot ? detachActions(state, links) : []),
      ...unpin(folder),
      ...unpin(staging),
      ...aside.flatMap(unpin),
      ...world.store.objectsOf(name).map((file) => ({ kind: 'drop-object', function: name, file }) as const),
      ...[...world.store.entriesOf(name), ...world.store.keptOf(name)].map(
        (file) => ({ kind: 'drop-entries', function: name, file }) as const,
      ),
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

/** What leaves nobody behind who needs it passes to those that stay, of this function or of others. */
export function handedOver(leaving: readonly LinkState[], staying: readonly LinkState[]): LinkState[] {
  return allFamilies().reduce<LinkState[]>(
    (links, family) => family.handOver?.(leaving, links) ?? links,
    [...staying],
  );
}

/** Records with the links of other functions to which something of the leaving ones passes. */
export function heirs(world: World, state: FunctionState, leaving: readonly LinkState[]): Action[] {
  return world.store.names().flatMap((name): Action[] => {
    const owner = name === state.name ? undefined : world.store.peek(name);
    if (owner === undefined) return [];
    const links = handedOver(leaving, owner.links);
    if (links.every((link, index) => link === owner.links[index])) return [];
    return [{ kind: 'record', function: name, before: owner, after: { ...owner, links } }];
  });
}
