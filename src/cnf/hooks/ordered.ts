/** What hooks have in common that run several programs in an order which can be asked for. */
import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import { Link } from '../../ebpf/link.js';
import { type Order, type OrderPlace, type PositionChooser, queryOrder } from '../../ebpf/order.js';
import { findAnchor, type OwnLink } from '../anchor.js';
import { functionFolder, pinPath } from '../layout.js';
import type { LinkState } from '../link-state.js';
import {
  checkedPriority,
  choosePosition,
  defaultPriority,
  describePlacing,
  inOrder,
  type Place,
  standsThere,
} from '../order.js';
import type { StateStore } from '../store.js';
import { sameTarget } from '../targets/index.js';
import type { HookOptions, HookRequest, Notes } from './family.js';

/** A link whose place among others was chosen. */
export type OrderedLink = Extract<LinkState, { readonly order: unknown }>;
type LinkOrder = OrderedLink['order'];
/** What of a link tells which hook it is on. */
type OnHook = Pick<OrderedLink, 'family' | 'hook' | 'target'>;

/** What is recorded where nobody can ask for an order. */
export const unordered: LinkOrder = { priority: defaultPriority, place: null };

type Around = Pick<HookRequest, 'world' | 'state'>;

/**
 * What is to be recorded of a new link's place.
 * @throws NetkitError `not-found` when the program that it is to be next to is not on the hook, `bad-value`,
 *   `unsupported` where the kernel knows no order
 */
export function plannedOrder(link: OnHook, place: OrderPlace, { world, options }: Planning): LinkOrder {
  const priority = checkedPriority(options.priority);
  const wanted = options.place ?? null;
  if (place.hook === 'cgroup' && (options.priority !== undefined || wanted !== null))
    refuseWithoutOrder(place);
  const reference = referenceIn(wanted);
  if (reference !== undefined) {
    using scope = new Scope();
    const { store, bpffs } = world;
    const own = ownLinks(link, store, scope);
    findAnchor(reference, { store, bpffs, about: aboutPlace(place), order: queryOrder(place), own, scope });
  }
  return { priority, place: wanted };
}

type Planning = Pick<HookRequest, 'world' | 'options'>;

function refuseWithoutOrder(place: OrderPlace): void {
  // A cgroup counts its changes since it has an order.
  if (queryOrder(place).revision !== 0n) return;
  throw new NetkitError('unsupported', `this kernel has no order of programs on ${aboutPlace(place)}`, {
    hint: 'order on cgroups came with Linux 6.17: before that a program goes behind those that are there',
  });
}

/**
 * Chooses the position of a recorded link when it is attached. Where the program that it is to be next to is gone by now,
 * as after a reboot, its priority alone decides, and a note says so.
 * @param scope owns what is opened; it has to last until the link is made
 */
export function positionOf(
  link: OrderedLink,
  place: OrderPlace,
  notes: Notes,
  scope: Scope,
): PositionChooser {
  const { store, bpffs } = notes;
  const { place: wanted, priority } = link.order;
  const own = ownLinks(link, store, scope);
  const byPriority = (order: Order) => {
    const next = choosePosition(order.entries, own, priority);
    return next === undefined ? undefined : { before: next.link };
  };
  const about = aboutPlace(place);
  let isTold = false;
  return (order) => {
    const reference = referenceIn(wanted);
    if (wanted === null) return byPriority(order);
    if (wanted === 'first' || wanted === 'last') return wanted;
    try {
      const { anchor } = findAnchor(reference ?? '', { store, bpffs, about, order, own, scope });
      return 'before' in wanted ? { before: anchor } : { after: anchor };
    } catch (error) {
      if (!(error instanceof NetkitError) || error.code !== 'not-found') throw error;
      if (!isTold) notes.note(`${error.message}: placed by its priority, ${priority}`, link.name);
      isTold = true;
      return byPriority(order);
    }
  };
}

/**
 * Refuses a place or priority that a link which is there already does not have.
 * @throws NetkitError `conflict`
 */
export function refuseOtherOrder(
  present: OrderedLink,
  place: OrderPlace,
  { priority, place: wanted }: HookOptions,
  { world: { store, bpffs }, state }: Around,
): void {
  const { hook, program, order: recorded } = present;
  const about = `${program} is attached to ${hook} of ${placeName(place)} already`;
  const hint = "'netkit link update' changes it in place";
  if (priority !== undefined && checkedPriority(priority) !== recorded.priority)
    throw new NetkitError('conflict', `${about}, with priority ${recorded.priority}`, { hint });
  if (wanted === undefined) return;
  using scope = new Scope();
  const order = queryOrder(place);
  const own = ownLinks(present, store, scope);
  const at = inOrder(order.entries, own).findIndex(
    (link) => link?.function === state.name && link.state.name === present.name,
  );
  const reference = referenceIn(wanted);
  const anchor =
    reference === undefined
      ? undefined
      : findAnchor(reference, { store, bpffs, about: aboutPlace(place), order, own, scope }).at;
  if (standsThere(wanted, at, anchor, order.entries.length)) return;
  throw new NetkitError(
    'conflict',
    `${about}, as number ${at + 1} of ${order.entries.length}, which is not ${describePlacing(wanted)}`,
    { hint },
  );
}

/** Netkit's links on the hook that `link` is for, open. */
function ownLinks(link: OnHook, store: StateStore, scope: Scope): OwnLink[] {
  return store.names().flatMap((name) => {
    const state = store.peek(name);
    if (state === undefined) return [];
    const folder = functionFolder(state.bpffs, name);
    return state.links.flatMap((each) => {
      const opened = isOnHook(each, link) ? openedPin(pinPath(folder, 'links', each.name)) : undefined;
      if (opened === undefined) return [];
      const { id: linkId, programId } = scope.use(opened).info();
      const priority = 'order' in each ? each.order.priority : defaultPriority;
      return [{ function: name, state: each, link: opened, linkId, programId, priority }];
    });
  });
}

/** Undefined for a pin that is gone, or something else by now: of another function, it is not to keep this one from its place. */
function openedPin(path: string): Link | undefined {
  try {
    return Link.fromPin(path);
  } catch (error) {
    if (error instanceof NetkitError && (error.code === 'not-found' || error.code === 'usage'))
      return undefined;
    throw error;
  }
}

function isOnHook(one: LinkState, other: OnHook): boolean {
  return one.family === other.family && one.hook === other.hook && sameTarget(one.target, other.target);
}

function referenceIn(place: Place | null): string | undefined {
  if (place === null || typeof place === 'string') return undefined;
  return 'before' in place ? place.before : place.after;
}

function aboutPlace(place: OrderPlace): string {
  switch (place.hook) {
    case 'tcx':
      return `tcx/${place.direction} of ${place.ifname}`;
    case 'netkit-dev':
      return `netkit-dev/${place.end} of ${place.ifname}`;
    case 'cgroup':
      return `${place.attachType} of cgroup ${place.path}`;
  }
}

function placeName(place: OrderPlace): string {
  return place.hook === 'cgroup' ? `cgroup ${place.path}` : place.ifname;
}
