/**
 * On a cgroup the kernel puts a link next to another link only, where tcx takes a program too; and it does not tell
 * which links are there. So a place next to a program is found here.
 */
import { fstatSync } from 'node:fs';
import { NetkitError } from '../base/errors.js';
import { attachTypes, linkTypes } from '../base/kernel-words.js';
import type { Scope } from '../base/scope.js';
import { readInfo } from '../sys/bpf.js';
import { Link } from './link.js';
import type { Order, OrderedHook, Position } from './order.js';
import type { Program } from './program.js';

/** A position that has a program for its anchor. @internal */
export type NextToProgram = { readonly before: Program } | { readonly after: Program };

/** @internal */
export function isNextToProgram(position: unknown): position is NextToProgram {
  if (typeof position !== 'object' || position === null) return false;
  const anchor = 'before' in position ? position.before : 'after' in position ? position.after : undefined;
  return anchor !== undefined && !(anchor instanceof Link);
}

/** Whether a link is one of this hook of the cgroup, which the kernel knows by the inode of its directory. @internal */
export function isOnCgroup(link: Link, hook: OrderedHook): boolean {
  const info = readInfo(link.fd, 'linkInfo');
  return (
    linkTypes[info.get('type')] === 'cgroup' &&
    info.big('cgroup.cgroup_id') === fstatSync(hook.target, { bigint: true }).ino &&
    info.get('cgroup.attach_type') === attachTypes.indexOf(hook.attachType)
  );
}

/**
 * The same place in words that the kernel takes: next to the program's link; for a program without a link, on the other
 * side of its neighbour, or at that end. All links are searched, for which CAP_SYS_ADMIN is needed.
 * @param scope gets the link that the position holds
 * @internal
 * @throws NetkitError `not-found` when the program is not there, `unsupported` between two programs without links
 */
export function relativeToLink(
  position: NextToProgram,
  { entries }: Order,
  hook: OrderedHook,
  scope: Scope,
): Position {
  const isBefore = 'before' in position;
  const { id, name } = (isBefore ? position.before : position.after).info();
  const at = entries.findIndex(({ programId }) => programId === id);
  if (at < 0) {
    throw new NetkitError(
      'not-found',
      `program '${name}' (id ${id}) is not on ${hook.about}: nothing can go next to it there`,
      { details: { programId: id } },
    );
  }
  const own = findLink(id, hook, scope);
  if (own !== undefined) return isBefore ? { before: own } : { after: own };
  const neighbour = entries[isBefore ? at - 1 : at + 1];
  if (neighbour === undefined) return isBefore ? 'first' : 'last';
  const link = findLink(neighbour.programId, hook, scope);
  if (link !== undefined) return isBefore ? { after: link } : { before: link };
  throw new NetkitError(
    'unsupported',
    `there is no way between programs ${neighbour.programId} and ${id} on ${hook.about}: both were attached without a link`,
    { hint: 'on a cgroup the kernel puts a link next to another link, or at either end' },
  );
}

function findLink(programId: number, hook: OrderedHook, scope: Scope): Link | undefined {
  for (const id of Link.ids()) {
    const link = openUnlessGone(id);
    if (link === undefined) continue;
    if (link.info().programId === programId && isOnCgroup(link, hook)) return scope.use(link);
    link[Symbol.dispose]();
  }
  return undefined;
}

function openUnlessGone(id: number): Link | undefined {
  try {
    return Link.fromId(id);
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return undefined;
    throw error;
  }
}
