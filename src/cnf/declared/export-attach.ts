/** The attachments of a declared function as its document has them, with what was changed by hand since. */
import { isPattern, matchesPattern } from '../../host/interface-pattern.js';
import type { LinkState } from '../link-state.js';
import type { Attachment } from '../manifest/schema.js';
import type { FunctionState } from '../state.js';
import type { DesiredFunction } from './desired.js';
import { type DesiredPlace, placeKey } from './desired-places.js';
import { appliedOptions } from './drift-links.js';
import { attachmentsOf } from './export-links.js';

/** What became of an attachment that was declared. */
interface Fate {
  readonly link: LinkState | undefined;
  /** `same`: as declared. `changed`: it runs otherwise. `detached`: somebody took it off with netkit. */
  readonly kind: 'same' | 'changed' | 'detached';
  readonly ifname: string;
}

export interface ExportedAttach {
  readonly attach: readonly Attachment[];
  /** What cannot be said in a manifest as it was, in a sentence each. */
  readonly notes: readonly string[];
}

/** @param recorded of the same state */
export function exportedAttach(state: FunctionState, recorded: DesiredFunction): ExportedAttach {
  const declared = recorded.document.spec.attach ?? [];
  const notes: string[] = [];
  const attach = declared.flatMap((attachment, index) => {
    const places = recorded.places.filter(({ path }) => path[2] === index);
    const fates = places.map((place) => fatesOf(place, state, recorded));
    return changedAttachment(attachment, places, fates, notes);
  });
  const known = new Set(state.declared?.links.map(({ name }) => name));
  const byHand = state.links.filter(({ name }) => !known.has(name));
  return { attach: [...attach, ...attachmentsOf(byHand)], notes };
}

function fatesOf(place: DesiredPlace, state: FunctionState, recorded: DesiredFunction): Fate[] {
  return (state.declared?.links ?? []).flatMap((known): Fate[] => {
    if (known.chain !== null) return [];
    const ifname = place.isInterface ? (known.place.split(' ')[3] ?? '') : '';
    const key = placeKey(place.isInterface ? { ...place, target: ifname } : place);
    if (key !== known.place || (place.isInterface && !matchesPattern(place.target ?? '', ifname))) return [];
    const link = state.links.find(({ name }) => name === known.name);
    if (link === undefined) return [{ link, kind: 'detached', ifname }];
    const asked = appliedOptions(recorded, known, link);
    const isSame =
      (!('order' in link) || isPlaced(link.order, asked.priority, known.options.place)) &&
      (asked.priority === undefined || !('priority' in link) || asked.priority === link.priority) &&
      (asked.proceedOn === undefined ||
        !('proceedOn' in link) ||
        asked.proceedOn.join() === link.proceedOn.join());
    return [{ link, kind: isSame ? 'same' : 'changed', ifname }];
  });
}

/** One attachment as it became: of what runs otherwise each a mapping of its own, before the rest, which it is taken from. */
function changedAttachment(
  attachment: Attachment,
  places: readonly DesiredPlace[],
  fates: readonly (readonly Fate[])[],
  notes: string[],
): Attachment[] {
  const changed = fates
    .flat()
    .flatMap(({ kind, link }) => (kind === 'changed' && link !== undefined ? [link] : []));
  const own = attachmentsOf(changed);
  if (attachment.interfaces === undefined) {
    const [fate] = fates.flat();
    return fate === undefined || fate.kind === 'same' ? [attachment] : own;
  }
  const interfaces = places.flatMap((place, index) => {
    const { target = '' } = place;
    const found = fates[index] ?? [];
    if (!isPattern(target)) return found.some(({ kind }) => kind !== 'same') ? [] : [target];
    if (found.every(({ kind }) => kind !== 'detached')) return [target];
    // A pattern cannot leave one out.
    notes.push(`the pattern '${target}' is left out: one of its interfaces was detached by hand`);
    return found.flatMap(({ kind, ifname }) => (kind === 'same' ? [ifname] : []));
  });
  return interfaces.length === 0 ? own : [...own, { ...attachment, interfaces: [...new Set(interfaces)] }];
}

/** Whether a link among others was not moved since. */
function isPlaced(
  { priority, place }: { readonly priority: number; readonly place: unknown },
  askedPriority: number | undefined,
  askedPlace: unknown,
): boolean {
  return priority === askedPriority && JSON.stringify(place) === JSON.stringify(askedPlace ?? null);
}
