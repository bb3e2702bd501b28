/** Changing in place how a program runs among the others on its hook. */
import { NetkitError } from '../base/errors.js';
import type { XdpVerdict } from '../obj/xdp-dispatcher/actions.js';
import type { Action } from './action.js';
import { loadedState } from './attach-function.js';
import { isAlive } from './attachment.js';
import { type ChainLink, isChainLink } from './chain/member.js';
import type { Proposal, World } from './environment.js';
import { describeTarget, familyOf } from './hooks/index.js';
import { checkedChainPriority } from './hooks/xdp-way.js';
import { functionFolder } from './layout.js';
import type { LinkState } from './link-state.js';
import { checkedPriority, type Place } from './order.js';
import type { FunctionState } from './state.js';
import { targetsMeant } from './targets/index.js';

/** Which links of a function are meant. */
export interface LinkChoice {
  readonly function: string;
  readonly program?: string | undefined;
  /** Every target when left out. */
  readonly target?: string | undefined;
  readonly netns?: string | undefined;
  /** The name of one link, as the state has it. */
  readonly link?: string | undefined;
}

export interface RearrangeRequest extends LinkChoice {
  readonly priority?: number | undefined;
  readonly proceedOn?: readonly XdpVerdict[] | undefined;
  /** On hooks whose order the kernel keeps: where among the others. */
  readonly place?: Place | undefined;
}

export interface RearrangeProposal extends Proposal {
  /** The links that were meant, as they are to be. */
  readonly links: readonly LinkState[];
}

/** @throws NetkitError `not-found` when nothing of the kind is attached, `unsupported` for what is in no chain */
export function planRearrange(world: World, request: RearrangeRequest): RearrangeProposal {
  const state = loadedState(world, request.function);
  const folder = functionFolder(state.bpffs, state.name);
  const meant = linksMeant(state, request);
  const members = meant.filter((link) => isMovable(link));
  if (members.length === 0) throw nothingMeant(request, meant[0]);
  const dead = members.find((link) => !isAlive(folder, link));
  if (dead !== undefined) throw gone(dead);
  const moved = members.map((link) => ({ link, next: changed(link, request) }));
  const different = moved.filter(({ link, next }) => JSON.stringify(link) !== JSON.stringify(next));
  const actions = different.map(
    ({ link, next }): Action => ({ kind: 'rearrange', function: state.name, folder, link, next }),
  );
  const links = state.links.map((link) => moved.find((each) => each.link === link)?.next ?? link);
  const after = { ...state, change: world.change, links };
  return {
    function: state.name,
    links: moved.map(({ next }) => next),
    actions:
      actions.length === 0
        ? []
        : [...actions, { kind: 'record', function: state.name, before: state, after }],
  };
}

export function linksMeant({ links }: FunctionState, { target, netns, link: name, program }: LinkChoice) {
  const isMeant = targetsMeant({ text: target, netns });
  return links.filter(
    (link) =>
      (name === undefined || link.name === name) &&
      (program === undefined || link.program === program) &&
      isMeant(link.target),
  );
}

/** What has a place among others that can be changed. */
export type MovableLink = ChainLink | Extract<LinkState, { readonly order: unknown }>;

export function isMovable(link: LinkState): link is MovableLink {
  return isChainLink(link) || ('order' in link && familyOf(link).rearrange !== undefined);
}

/** @throws NetkitError `bad-value`, `usage` */
function changed(link: MovableLink, request: RearrangeRequest): MovableLink {
  if (!isChainLink(link)) return moved(link, request);
  const priority = checkedChainPriority(request.priority);
  return {
    ...link,
    priority: priority ?? link.priority,
    // Where it is asked to be by its number, it is no longer beside another.
    beside: priority === undefined ? link.beside : null,
    proceedOn: [...(request.proceedOn ?? link.proceedOn)],
  };
}

function moved<L extends Exclude<MovableLink, ChainLink>>(
  link: L,
  { priority, proceedOn, place }: RearrangeRequest,
): L {
  if (proceedOn !== undefined)
    throw new NetkitError('usage', `on ${link.hook} the verdict decides whether the next program runs`);
  if (priority === undefined && place === undefined) return link;
  return {
    ...link,
    order: { priority: checkedPriority(priority ?? link.order.priority), place: place ?? null },
  };
}

/** @returns the error for links that are not there */
export function nothingAttached({ function: name, program, target }: LinkChoice): NetkitError {
  const what = program === undefined ? name : `${name}/${program}`;
  return new NetkitError(
    'not-found',
    `${what} is not attached${target === undefined ? '' : ` to ${target}`}`,
  );
}

function nothingMeant(request: LinkChoice, other: LinkState | undefined): NetkitError {
  if (other === undefined) return nothingAttached(request);
  const { function: name, program } = request;
  const what = program === undefined ? name : `${name}/${program}`;
  return new NetkitError(
    'unsupported',
    `${what} is attached to ${describeTarget(other)}, where no place can be changed`,
    {
      hint: 'members of XDP chains and programs on tcx, netkit-dev and cgroups have one: detach this and attach it again',
    },
  );
}

/** @returns the error for a link that somebody took off */
export function gone(link: LinkState): NetkitError {
  return new NetkitError('not-found', `${link.program} is not on ${describeTarget(link)} any more`, {
    hint: 'somebody took it off: attach it again',
  });
}
