/** What can be done to a chain: edits for `changeChain`. Members are known by the ids of their programs. */
import { NetkitError } from '../../base/errors.js';
import type { XdpVerdict } from '../../obj/xdp-dispatcher/actions.js';
import type { Program } from '../program.js';
import type { Slot } from './build.js';
import type { Edit, Present, Wanted } from './change.js';

/** A place in the chain. */
export interface Placing {
  readonly priority: number;
  readonly proceedOn: readonly XdpVerdict[];
}

/** Adds a member; with `unless`, only when the chain has no program of that id. */
export function adding<S = Slot>(member: Wanted<S>, unless?: number): Edit<S> {
  return (members) => (has(members, unless) ? undefined : [...members, member]);
}

/** Removes a member; one that is gone already is fine. */
export function removing<S = Slot>(programId: number): Edit<S> {
  return (members) =>
    has(members, programId) ? members.filter((member) => member.programId !== programId) : undefined;
}

/** Puts another program into the place of a member, with its priority and verdicts. @throws NetkitError `not-found` */
export function replacing<S = Slot>(programId: number, next: Omit<Wanted<S>, keyof Placing>): Edit<S> {
  return (members) =>
    // A name may be another one now, and then the place among those of one priority is too.
    mapped(members, programId, ({ priority, proceedOn, actions }) => ({
      ...next,
      priority,
      proceedOn,
      actions,
    }));
}

/** Changes where a member runs and upon which verdicts it goes on. @throws NetkitError `not-found` */
export function placing<S = Slot>(programId: number, { priority, proceedOn }: Partial<Placing>): Edit<S> {
  return (members) => {
    const isSame = (member: Present<S>): boolean =>
      (priority === undefined || priority === member.priority) &&
      (proceedOn === undefined || sameVerdicts(proceedOn, member.proceedOn));
    if (members.some((member) => member.programId === programId && isSame(member))) return undefined;
    return mapped(members, programId, (member) => ({
      ...member,
      priority: priority ?? member.priority,
      proceedOn: proceedOn ?? member.proceedOn,
      actions: proceedOn === undefined ? member.actions : undefined,
    }));
  };
}

/** A program that is loaded as a member already. */
export function loadedMember(
  program: Program,
  placed: Placing & { readonly frags: boolean },
): Wanted<unknown> {
  const { name, tag, loadTimeNs } = program.info();
  return { ...placed, name, loaded: { tag, loadTimeNs }, open: () => program };
}

function has<S>(members: readonly Present<S>[], programId: number | undefined): boolean {
  return members.some((member) => member.programId === programId);
}

function mapped<S>(
  members: readonly Present<S>[],
  programId: number,
  change: (member: Present<S>) => Wanted<S>,
): Wanted<S>[] {
  if (!has(members, programId))
    throw new NetkitError('not-found', `the chain has no member with program id ${programId}`);
  return members.map((member) => (member.programId === programId ? change(member) : member));
}

function sameVerdicts(some: readonly XdpVerdict[], others: readonly XdpVerdict[]): boolean {
  return some.length === others.length && some.every((verdict) => others.includes(verdict));
}
