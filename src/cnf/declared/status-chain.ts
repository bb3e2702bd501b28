/** How a declared chain is made, and whether its members run in its order. */
import { NetkitError } from '../../base/errors.js';
import type { ChainState } from '../chain-state.js';
import { findFunction } from '../inventory.js';
import { standingOrder } from '../link-order.js';
import type { LinkState } from '../link-state.js';
import type { ListedLink } from '../listed-link.js';
import { type ChainDocument, chainDocument } from '../manifest/schema.js';
import { memberNames, priorityOf } from './chains.js';
import { type Around, damagedDocument } from './observe.js';

/** What makes several programs run one after another. */
export type ChainForm = 'dispatcher' | 'tail-calls' | 'tcx' | 'netkit-device' | 'tc' | 'cgroup' | 'alone';

export interface ChainMemberStatus {
  readonly function: string;
  readonly program: string | undefined;
  /** Of its link; undefined where there is none. */
  readonly link: string | undefined;
  readonly alive: boolean;
  /** Lower ones run first. */
  readonly priority: number | undefined;
  /** Among all programs on the hook, from 1, as the kernel has them; undefined where nobody tells. */
  readonly place: number | undefined;
}

export interface ChainStatus {
  readonly name: string;
  /** Undefined when it cannot be read. */
  readonly state: ChainState | undefined;
  readonly document: ChainDocument | undefined;
  readonly problem: string | undefined;
  /** All that its links have; undefined where there are none. */
  readonly form: ChainForm | 'mixed' | undefined;
  /** In the declared order. */
  readonly members: readonly ChainMemberStatus[];
  /** Whether all members run, in the declared order; undefined where this user may not see that. */
  readonly inOrder: boolean | undefined;
}

const forms: { readonly [F in LinkState['family']]?: ChainForm } = {
  'xdp-chain': 'dispatcher',
  'xdp-tail-chain': 'tail-calls',
  xdp: 'alone',
  tcx: 'tcx',
  'netkit-dev': 'netkit-device',
  tc: 'tc',
  cgroup: 'cgroup',
};

export function statusOfChain(name: string, { store, bpffs }: Around): ChainStatus {
  const damaged = (problem: string): ChainStatus => ({
    name,
    state: undefined,
    document: undefined,
    problem,
    form: undefined,
    members: [],
    inOrder: undefined,
  });
  let state: ChainState | undefined;
  let document: ChainDocument;
  try {
    state = store.readChain(name);
    document = chainDocument.parse(state?.document);
  } catch (error) {
    const problem =
      error instanceof NetkitError && error.code === 'bad-state' ? error.message : damagedDocument(error);
    if (problem === undefined) throw error;
    return damaged(problem);
  }
  const found = memberNames(document).map((member) => {
    const listed = findFunction(bpffs, store, member);
    const known = listed?.state?.declared?.links.find(({ chain }) => chain === name);
    return { member, link: listed?.links.find((each) => each.name === known?.name) };
  });
  const members = found.map(({ member, link }) => memberStatus(member, link));
  const present = new Set(
    found.flatMap(({ link }) => (link?.state === undefined ? [] : [forms[link.state.family] ?? 'alone'])),
  );
  const [form] = present;
  return {
    name,
    state,
    document,
    problem: undefined,
    form: present.size > 1 ? 'mixed' : form,
    members,
    inOrder: isInOrder(members),
  };
}

function memberStatus(member: string, link: ListedLink | undefined): ChainMemberStatus {
  return {
    function: member,
    program: link?.state?.program,
    link: link?.name,
    alive: link?.dead === false,
    priority: link?.state === undefined ? undefined : priorityOf(link.state),
    place: link === undefined ? undefined : placeOf(link),
  };
}

/** tc runs its filters by their priorities: these are their places. */
function placeOf(link: ListedLink): number | undefined {
  const { state } = link;
  if (state !== undefined && 'filter' in state) return link.dead ? undefined : state.filter.priority;
  return standingOrder(link, undefined)?.place;
}

/** @returns undefined where a place is not known though the member runs */
export function isInOrder(
  members: readonly Pick<ChainMemberStatus, 'alive' | 'place'>[],
): boolean | undefined {
  if (members.some(({ alive }) => !alive)) return false;
  if (members.length < 2) return true;
  const places = members.map(({ place }) => place);
  if (places.includes(undefined)) return undefined;
  return places.every((place, index) => index === 0 || Number(places[index - 1]) < Number(place));
}
