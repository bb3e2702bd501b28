/** One recorded attachment and the kernel: made, removed and swapped from its data alone, by what its family knows. */
import { NetkitError } from '../base/errors.js';
import { isChainLink } from './chain/member.js';
import type { Notes } from './hooks/family.js';
import { familyOf } from './hooks/index.js';
import type { LinkState } from './link-state.js';

/** Attaches as recorded. @returns what was really made: the mode that was taken, the qdisc added */
export function attachLink(folder: string, link: LinkState, notes: Notes): LinkState {
  return familyOf(link).attach(folder, link, notes);
}

/**
 * Takes the attachment back. One that is gone already, wholly or in part, is fine; what somebody else put into its place
 * is left alone.
 */
export function detachLink(folder: string, link: LinkState): void {
  familyOf(link).detach(folder, link);
}

/**
 * Puts the program pinned at `to` where the one pinned at `from` is; done already is fine.
 * @returns what is to be recorded
 * @throws NetkitError `conflict` when somebody else changed the link
 */
export function swapLink(folder: string, link: LinkState, from: string, to: string, notes: Notes): LinkState {
  return familyOf(link).swap(folder, link, from, to, notes);
}

/** Gives it another place among the others on its hook. @throws NetkitError `unsupported` where the kernel knows no such change */
export function rearrangeLink(folder: string, link: LinkState, next: LinkState, notes: Notes): void {
  const { rearrange } = familyOf(link);
  if (rearrange === undefined) throw new TypeError(`a link of the family ${link.family} has one place`);
  rearrange(folder, link, next, notes);
}

/** How it is recorded when it was put back: a member of a chain, loaded anew, has another id. */
export function asPutBack(folder: string, link: LinkState): LinkState {
  if (!isChainLink(link)) return link;
  try {
    const { programId } = familyOf(link).look(folder, link);
    return programId === undefined || programId === link.programId ? link : { ...link, programId };
  } catch (error) {
    // Nothing was put back into a chain that cannot be read, and that must not keep the record from coming back.
    if (error instanceof NetkitError) return link;
    throw error;
  }
}

/** True while the attachment really is there. */
export function isAlive(folder: string, link: LinkState): boolean {
  return familyOf(link).isAlive(folder, link);
}
