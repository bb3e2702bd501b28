/** Entries of maps that redirect packets: `fw/ports[3]`, and `fw/ports[3]=eth0` for one that is to be made. */
import type { TargetOf } from '../link-state.js';
import { inodeMeant, relocatedNetns } from './namespace.js';
import type { TargetKind } from './target-kind.js';

export type MapEntryTarget = TargetOf<'map-entry'>;

const form = /^(.+)\[(\d{1,10})\](?:=(\S+))?$/;

/** What the words say; undefined when they do not have the form. */
export function entryWords(
  text: string,
): { readonly reference: string; readonly key: number; readonly holds: string | undefined } | undefined {
  const [, reference, key, holds] = form.exec(text) ?? [];
  return reference === undefined || key === undefined ? undefined : { reference, key: Number(key), holds };
}

const textOf = ({ reference, key }: MapEntryTarget): string => `${reference}[${key}]`;

export const mapEntries: TargetKind<MapEntryTarget> = {
  kind: 'map-entry',
  same: (one, other) =>
    one.key === other.key &&
    (one.id === 0 || other.id === 0 ? one.reference === other.reference : one.id === other.id),
  text: textOf,
  describe: textOf,
  whereabouts: textOf,
  nameFor: (target) =>
    textOf(target)
      .replaceAll(/[^\w+:.-]+/g, '-')
      .slice(-100),
  gone: 'the entry is gone, or has another program',
  meant({ text, netns }) {
    if (text === undefined && netns === undefined) return () => true;
    const wanted = text === undefined ? undefined : entryWords(text);
    const inode = netns === undefined ? undefined : inodeMeant(netns);
    return (target) =>
      (inode === undefined || target.netns.inode === inode) &&
      (text === undefined ||
        target.reference === text ||
        (wanted !== undefined && target.key === wanted.key && target.reference === wanted.reference));
  },
  // The map comes back with the function that it belongs to: looked for when it is attached to.
  relocate: (target) => ({ ...target, id: 0, netns: relocatedNetns(target.netns) }),
};
