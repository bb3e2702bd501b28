/** Whether a link stands where it was asked to be among the programs on its hook. */
import { findFunction } from '../inventory.js';
import { standingOrder } from '../link-order.js';
import type { LinkState } from '../link-state.js';
import type { ListedLink } from '../listed-link.js';
import { describePlacing, type Place } from '../order.js';
import type { StateStore } from '../store.js';
import { sameTarget } from '../targets/index.js';
import { type DriftRow, row } from './drift-row.js';

interface Looking {
  readonly store: StateStore;
  readonly bpffs: string;
}

/** One of netkit's links on a hook. */
export interface Standing {
  readonly function: string;
  readonly program: string;
  readonly priority: number;
  readonly asked: Place | null;
  /** From 1. */
  readonly place: number;
}

/** Undefined for a hook without an order, and for a link whose place is not to be seen. */
export function orderRow(
  field: string,
  link: LinkState,
  seen: ListedLink,
  owner: string,
  looking: Looking,
): DriftRow | undefined {
  if (!('order' in link)) return undefined;
  const order = standingOrder(seen, undefined);
  if (order === undefined) return undefined;
  const { priority, place: asked } = link.order;
  const own: Standing = { function: owner, program: link.program, priority, asked, place: order.place };
  const others = looking.store.names().flatMap((name) => standingOn(link, name, looking));
  const recorded = asked === null ? `priority ${priority}` : describePlacing(asked);
  return row(
    field,
    { recorded, kernel: `number ${order.place} of ${order.of}` },
    isOutOfPlace(own, others, order.of),
  );
}

/** The links of a function on the same hook. */
function standingOn(link: LinkState, name: string, { store, bpffs }: Looking): Standing[] {
  return (findFunction(bpffs, store, name)?.links ?? []).flatMap((each) => {
    const { state } = each;
    if (state === undefined || !('order' in state) || state.family !== link.family) return [];
    if (state.hook !== link.hook || !sameTarget(state.target, link.target)) return [];
    const place = standingOrder(each, undefined)?.place;
    if (place === undefined) return [];
    const { priority, place: asked } = state.order;
    return [{ function: name, program: state.program, priority, asked, place }];
  });
}

/**
 * @param others netkit's links on the hook; the link itself may be among them
 * @param of how many programs are on the hook
 */
export function isOutOfPlace(own: Standing, others: readonly Standing[], of: number): boolean {
  const { asked, place, priority } = own;
  const between = (from: number, to: number) =>
    others.filter((each) => each.place >= from && each.place <= to).length < to - from + 1;
  // Two that were asked to be first cannot both be: only others' programs are held against it.
  if (asked === 'first') return place > 1 && between(1, place - 1);
  if (asked === 'last') return place < of && between(place + 1, of);
  if (asked === null)
    return others.some(
      (each) =>
        each.asked === null &&
        ((each.priority < priority && each.place > place) ||
          (each.priority > priority && each.place < place)),
    );
  const [owner, program] = ('before' in asked ? asked.before : asked.after).split('/');
  const anchors = others.filter(
    (each) => each.function === owner && (program === undefined || each.program === program),
  );
  return anchors.some((each) => ('before' in asked ? each.place < place : each.place > place));
}
