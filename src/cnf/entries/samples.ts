/** Some of the changes of a map in words. */
import { isZero } from '../../base/raw-bytes.js';
import { isAlwaysFull } from '../../ebpf/entries/target.js';
import type { EntryShape } from '../../obj/entries/batch.js';
import { keyIndexOf, maskAt } from './declared-entries.js';
import type { EntryList } from './entry-list.js';
import { EntryTexts } from './entry-text.js';
import type { EntryChanges } from './merge.js';

/** One change, for people. */
export interface EntrySample {
  readonly kind: 'added' | 'changed' | 'removed';
  readonly key: string;
  /** Declared members, of a change those that differ: `action=drop`. */
  readonly from?: string;
  readonly to?: string;
}

/** The first changes of each kind. @param most of each */
export function samplesOf(
  changes: Omit<EntryChanges, 'samples'>,
  shape: EntryShape,
  most: number,
): EntrySample[] {
  const texts = new EntryTexts(shape);
  const { added, changed, removed, declared, type, keySize, valueStride } = changes;
  const all = new Uint8Array(valueStride).fill(0xff);
  const first = ({ count }: EntryList) => Array.from({ length: Math.min(most, count) }, (_, index) => index);
  const keyOf = ({ keys }: EntryList, index: number) => texts.key(keys, index * keySize);

  const news = first(added).map((index): EntrySample => {
    const found = declared === undefined ? -1 : keyIndexOf(declared).find(added.keys, index * keySize);
    const bits = declared === undefined || found < 0 ? all : maskAt(declared, found);
    return {
      kind: 'added',
      key: keyOf(added, index),
      to: texts.value(added.values, index * valueStride, bits),
    };
  });
  const differences = first(changed).map((index): EntrySample => {
    const mask = changes.masks[changes.maskOf[index] ?? 0] ?? all;
    const key = keyOf(changed, index);
    const at = index * valueStride;
    // Elements of an array that were zero are as good as not there.
    if (isAlwaysFull(type) && isZero(changed.old, at, valueStride))
      return { kind: 'added', key, to: texts.value(changed.values, at, mask) };
    const bits = differing(changed, index, mask);
    return {
      kind: 'changed',
      key,
      from: texts.value(changed.old, at, bits),
      to: texts.value(changed.values, at, bits),
    };
  });
  const gone = first(removed).map(
    (index): EntrySample => ({
      kind: 'removed',
      key: keyOf(removed, index),
      from: texts.value(removed.old, index * valueStride, all),
    }),
  );
  return [...news, ...differences, ...gone];
}

/** The declared bits in which a changed entry differs. */
function differing({ values, old }: EntryList, index: number, mask: Uint8Array): Uint8Array {
  const start = index * mask.length;
  return mask.map((byte, at) => byte & ((values[start + at] ?? 0) ^ (old[start + at] ?? 0)));
}
