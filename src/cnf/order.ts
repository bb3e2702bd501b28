/** Where a new program goes among those on a hook: the meaning of a priority. */
import { NetkitError } from '../base/errors.js';
import type { OrderEntry } from '../ebpf/order.js';

/** Of a program that was attached without one; libxdp's run priority is the same by default. */
export const defaultPriority = 50;

/** The numbers that may be given: those of tc, so that a tc filter in the place of tcx can have the same. */
export const priorityRange = { least: 1, most: 65_535 } as const;

/** @returns the priority that counts when this one is asked for. @throws NetkitError `bad-value` out of range */
export function checkedPriority(priority: number | undefined): number {
  const { least, most } = priorityRange;
  if (priority === undefined) return defaultPriority;
  if (Number.isInteger(priority) && priority >= least && priority <= most) return priority;
  throw new NetkitError(
    'bad-value',
    `a priority is a whole number from ${least} to ${most}, not ${priority}`,
  );
}

/** One of netkit's links on the hook, with the priority that was recorded when it was attached. */
export interface RankedLink {
  readonly linkId: number;
  readonly programId: number;
  /** Lower ones run first. */
  readonly priority: number;
}

/**
 * In front of which of netkit's links a new one of this priority goes: the first with a higher one. Programs of others
 * have no priority, and no place of theirs changes: what is put in front of netkit's link comes behind the foreign
 * program before it.
 * @param chain what is on the hook, in its order
 * @param own netkit's links on the hook, in any order; those not in the chain do not count
 * @returns undefined when it goes behind all programs, which is what the kernel does by itself
 */
export function choosePosition<L extends RankedLink>(
  chain: readonly OrderEntry[],
  own: readonly L[],
  priority: number,
): L | undefined {
  return inOrder(chain, own).find((link) => link !== undefined && link.priority > priority);
}

/** For each program of the chain netkit's link that it is attached through, or undefined for a foreign one. */
export function inOrder<L extends Omit<RankedLink, 'priority'>>(
  chain: readonly OrderEntry[],
  own: readonly L[],
): (L | undefined)[] {
  const left = new Set(own);
  return chain.map(({ linkId, programId }) => {
    // On a cgroup the kernel does not tell links: there the program says whose it is.
    const found = [...left].find((link) =>
      linkId === undefined ? link.programId === programId : link.linkId === linkId,
    );
    if (found !== undefined) left.delete(found);
    return found;
  });
}

/** Where the user wants a program, beside its priority: in the form that is recorded. References are as on the command line. */
export type Place = 'first' | 'last' | { readonly before: string } | { readonly after: string };

/** `before fw/count` */
export function describePlacing(place: Place): string {
  if (typeof place === 'string') return place;
  return 'before' in place ? `before ${place.before}` : `after ${place.after}`;
}

/**
 * Whether a program stands where it is wanted: somewhere before or behind the anchor, next to it or not.
 * @param at its index in the chain
 * @param anchor the anchor's index; for `first` and `last` none
 */
export function standsThere(place: Place, at: number, anchor: number | undefined, length: number): boolean {
  if (place === 'first') return at === 0;
  if (place === 'last') return at === length - 1;
  if (anchor === undefined) return false;
  return 'before' in place ? at < anchor : at > anchor;
}
