/** The order of a chain's members, which every tool that changes a chain has to arrive at. */

/** What the order goes by. */
export interface Ordered {
  readonly priority: number;
  /** The function's name. Of a program that is loaded, what the kernel kept of it. */
  readonly name: string;
  /** Undefined for a program that is not loaded yet. */
  readonly loaded: { readonly tag: string; readonly loadTimeNs: bigint } | undefined;
}

/**
 * Negative when `one` runs before `other`: by priority, then by name, then what is loaded before what is not, then by the
 * hash of the instructions, then by the time of loading.
 */
export function compareMembers(one: Ordered, other: Ordered): number {
  if (one.priority !== other.priority) return one.priority - other.priority;
  if (one.name !== other.name) return one.name < other.name ? -1 : 1;
  if (one.loaded === undefined || other.loaded === undefined)
    return Number(one.loaded === undefined) - Number(other.loaded === undefined);
  if (one.loaded.tag !== other.loaded.tag) return one.loaded.tag < other.loaded.tag ? -1 : 1;
  if (one.loaded.loadTimeNs === other.loaded.loadTimeNs) return 0;
  return one.loaded.loadTimeNs < other.loaded.loadTimeNs ? -1 : 1;
}

/** The members in the order in which they run. Those between which nothing decides stay as they are. */
export function inRunOrder<T extends Ordered>(members: readonly T[]): T[] {
  return [...members].sort(compareMembers);
}
