/** Entries of a map as they were before a change of them, in a form that a journal can hold. */
import * as z from 'zod/mini';
import { NetkitError } from '../../base/errors.js';
import { isZero } from '../../base/raw-bytes.js';
import { isAlwaysFull } from '../../ebpf/entries/target.js';
import type { BpfMap } from '../../ebpf/map.js';
import type { EntryChanges } from './merge.js';
import { presentValues, putBits } from './present-values.js';

const base64 = z.string().check(z.regex(/^[A-Za-z0-9+/]*={0,2}$/, 'no base64'));

export const oldEntries = z.strictObject({
  keySize: z.int().check(z.gte(1)),
  /** Bytes from one entry's value to the next one's. */
  valueSize: z.int().check(z.gte(1)),
  /** One character an entry: 1 where the key was there. */
  present: z.string().check(z.regex(/^[01]*$/)),
  /** Side by side, as are the values; of an absent key the value is zeros. */
  keys: base64,
  values: base64,
  /** Which bits of a value were to be changed, where not all were: the others belong to the programs. */
  masks: z.optional(z.array(base64)),
  /** 32-bit numbers, one an entry: which mask it has, from 1 on, or 0 for none. */
  maskOf: z.optional(base64),
});

export type OldEntries = z.infer<typeof oldEntries>;

/** What is to be there again when the changes are taken back. */
export function oldEntriesOf(changes: EntryChanges): OldEntries {
  const { added, changed, removed, keySize, valueStride, masks } = changes;
  const lists = [added, changed, removed];
  const count = lists.reduce((sum, list) => sum + list.count, 0);
  const values = new Uint8Array(count * valueStride);
  values.set(changed.old.subarray(0, changed.count * valueStride), added.count * valueStride);
  values.set(
    removed.old.subarray(0, removed.count * valueStride),
    (added.count + changed.count) * valueStride,
  );
  const maskOf = new Uint32Array(count);
  for (const [index, mask] of changes.maskOf.entries()) maskOf[added.count + index] = mask + 1;
  return {
    keySize,
    valueSize: valueStride,
    present: '0'.repeat(added.count) + '1'.repeat(changed.count + removed.count),
    keys: Buffer.concat(lists.map(({ keys, count: own }) => keys.subarray(0, own * keySize))).toString(
      'base64',
    ),
    values: textOf(values),
    ...(changed.count === 0
      ? {}
      : { masks: masks.map(textOf), maskOf: textOf(new Uint8Array(maskOf.buffer)) }),
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/**
 * Makes entries what they were: those that were not there go, those that were have their old values, of which only the bits
 * that were to be changed are put back. Only what differs is written, so that it may be done again, and does nothing where
 * nothing was changed.
 * @throws NetkitError what the kernel refused; `conflict` when the map is another one by now
 */
export function restoreEntries(map: BpfMap, old: OldEntries): void {
  const { keySize, valueSize, present } = old;
  const [keys, values] = [Buffer.from(old.keys, 'base64'), Buffer.from(old.values, 'base64')];
  const count = present.length;
  if (keySize !== map.layout.keySize || valueSize !== map.layout.valueStride)
    throw new NetkitError(
      'conflict',
      `${map.called} is not the map any more whose entries are to be brought back`,
    );
  if (keys.length !== count * keySize || values.length !== count * valueSize)
    throw new NetkitError('bad-state', `what was kept of the entries of ${map.called} is damaged`);
  const now = presentValues(map, keys, count);
  const masks = (old.masks ?? []).map((mask) => new Uint8Array(Buffer.from(mask, 'base64')));
  const maskOf = wordsOf(old.maskOf ?? '');
  const [gone, back] = [new Chosen(keys, keySize), new Chosen(keys, keySize)];
  for (let index = 0; index < count; index++) {
    const at = index * valueSize;
    const isThere = now.present[index] === 1;
    if (present[index] === '0') {
      if (!isThere) continue;
      if (!isAlwaysFull(map.info.type)) gone.add(index);
      else if (!isZero(now.values, at, valueSize)) back.add(index);
      continue;
    }
    const mask = masks[(maskOf[index] ?? 0) - 1];
    if (isThere && mask !== undefined) {
      const before = now.values.slice(at, at + valueSize);
      putBits(before, 0, values, at, mask);
      values.set(before, at);
    }
    if (!isThere || values.compare(now.values, at, at + valueSize, at, at + valueSize) !== 0) back.add(index);
  }
  // In this order a map that was full has room for what comes back.
  if (gone.count > 0) map.deleteBatch(gone.keys(), gone.count);
  if (back.count === 0) return;
  const batch = { count: back.count, keys: back.keys(), values: back.of(values, valueSize) };
  map.writeBatch(batch, { lock: map.spinLock === true });
}

function wordsOf(text: string): Uint32Array {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return new Uint32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
}

/** Some of many entries. */
class Chosen {
  readonly #indices: number[] = [];
  readonly #keys: Uint8Array;
  readonly #keySize: number;

  constructor(keys: Uint8Array, keySize: number) {
    this.#keys = keys;
    this.#keySize = keySize;
  }

  get count(): number {
    return this.#indices.length;
  }

  add(index: number): void {
    this.#indices.push(index);
  }

  keys(): Uint8Array {
    return this.of(this.#keys, this.#keySize);
  }

  /** Their parts of bytes that lie side by side. */
  of(bytes: Uint8Array, size: number): Uint8Array {
    const chosen = new Uint8Array(this.count * size);
    for (const [at, index] of this.#indices.entries())
      chosen.set(bytes.subarray(index * size, (index + 1) * size), at * size);
    return chosen;
  }
}
