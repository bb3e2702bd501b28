/**
 * Where in a chain a member goes that was asked to be first, last, before or after another. In a chain priorities decide
 * and nothing else, so one is chosen that leads there.
 */
import { NetkitError } from '../../base/errors.js';
import type { Scope } from '../../base/scope.js';
import type { Present, Wanted } from '../../ebpf/dispatcher/change.js';
import { compareMembers, type Ordered } from '../../obj/xdp-dispatcher/order.js';
import { findAnchor } from '../anchor.js';
import { functionFolder } from '../layout.js';
import { isFunctionName } from '../names.js';
import { describePlacing } from '../order.js';
import type { StateStore } from '../store.js';
import { describePlace } from '../targets/index.js';
import { type ChainLink, isChainLink, memberPin, openMember } from './member.js';

interface Looking {
  readonly store: StateStore;
  readonly bpffs: string;
}

/** As libxdp's. */
const mostPriority = 0xffff_ffff;

/** What a member is to be among those that are there: itself, or with the priority that brings it to its place. */
export function besides<S>(
  link: ChainLink,
  looking: Looking,
  scope: Scope,
  wanted: Wanted<S>,
): (members: readonly Present<S>[]) => Wanted<S> {
  const { beside } = link;
  if (beside === null) return () => wanted;
  const about = `the chain of ${describePlace(link.target)}`;
  return (members) => {
    const priority = priorityThere(beside, members, wanted, (reference) =>
      indexOf(reference, members, about, looking, scope),
    );
    if (priority !== undefined) return { ...wanted, priority };
    throw new NetkitError(
      'conflict',
      `no priority leads to the place ${describePlacing(beside)} in ${about}`,
      {
        hint: 'priorities decide in a chain: give its neighbours others with netkit link update',
      },
    );
  };
}

function priorityThere(
  beside: NonNullable<ChainLink['beside']>,
  members: readonly Ordered[],
  wanted: Ordered,
  find: (reference: string) => number,
): number | undefined {
  if (beside === 'first') return priorityBetween(undefined, members[0], wanted);
  if (beside === 'last') return priorityBetween(members.at(-1), undefined, wanted);
  const at = 'before' in beside ? find(beside.before) - 1 : find(beside.after);
  return priorityBetween(members[at], members[at + 1], wanted);
}

/** What is left in front of the first member and behind the last, for those that are to come. */
const step = 10;

/** The member's own where that is between the two, else one in the middle, so that others find a place there too. */
function priorityBetween(
  left: Ordered | undefined,
  right: Ordered | undefined,
  wanted: Ordered,
): number | undefined {
  const from = left?.priority ?? Math.max((right?.priority ?? wanted.priority) - 2 * step, -1);
  const to = right?.priority ?? Math.min((left?.priority ?? wanted.priority) + 2 * step, mostPriority + 1);
  const isFree = from < wanted.priority && wanted.priority < to;
  // With the priority of a neighbour, names decide.
  const choices = [isFree ? wanted.priority : Math.floor((from + to) / 2), from, to];
  return choices.find((priority) => {
    if (priority < 0 || priority > mostPriority) return false;
    const there = { ...wanted, priority };
    return (
      (left === undefined || compareMembers(left, there) < 0) &&
      (right === undefined || compareMembers(there, right) < 0)
    );
  });
}

/** Of what a reference names: a function's member, or what `id:N`, `name:TEXT` and paths of pins are. */
function indexOf(
  reference: string,
  members: readonly Pick<Present, 'programId'>[],
  about: string,
  { store, bpffs }: Looking,
  scope: Scope,
): number {
  const own = ownIds(reference, store);
  const found = members.flatMap(({ programId }, index) => (own.includes(programId) ? [index] : []));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only !== undefined)
    throw new NetkitError('usage', `'${reference}' has more than one program in ${about}: say which`);
  const entries = members.map(({ programId }) => ({ programId, linkId: undefined }));
  return findAnchor(reference, {
    store,
    bpffs,
    about,
    order: { revision: 0n, flags: 0, entries },
    own: [],
    scope,
  }).at;
}

/** The ids of a function's members of chains, by `FUNCTION` or `FUNCTION/PROGRAM`. */
function ownIds(reference: string, store: StateStore): number[] {
  const [functionName = '', program] = reference.split('/');
  if (!isFunctionName(functionName)) return [];
  const state = store.names().includes(functionName) ? store.peek(functionName) : undefined;
  if (state === undefined) return [];
  const folder = functionFolder(state.bpffs, functionName);
  return state.links.flatMap((link) => {
    if (!isChainLink(link) || (program !== undefined && link.program !== program)) return [];
    using member = openMember(memberPin(folder, link));
    return member === undefined ? [] : [member.info().id];
  });
}
