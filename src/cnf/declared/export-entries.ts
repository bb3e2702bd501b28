/** The contents of a map in the form that a manifest declares them in. */
import { NetkitError } from '../../base/errors.js';
import { isZero, viewOf } from '../../base/raw-bytes.js';
import { BatchCopy, refuseInterrupted } from '../../ebpf/entries/source.js';
import { isAlwaysFull } from '../../ebpf/entries/target.js';
import type { BpfMap } from '../../ebpf/map.js';
import { StagedFile } from '../../host/staged-file.js';
import type { Codec, Value as Decoded } from '../../obj/codec/index.js';
import type { EntryBatch } from '../../obj/entries/batch.js';
import { entryWriter } from '../../obj/entries/index.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { type DeclaredEntries, keyIndexOf, maskAt } from '../entries/declared-entries.js';
import { readInline } from '../entries/inline.js';
import { clearBehindPrefixes } from '../entries/prefix-keys.js';
import { mostInlineEntries, type Value } from '../manifest/schema.js';

export interface ReadMap {
  readonly spec: ObjectSpec;
  /** Its name in the object. */
  readonly name: string;
  /** With the types of the object. */
  readonly map: BpfMap;
  readonly signal: AbortSignal | undefined;
}

export type InlineForm = Record<string, Value> | { readonly key: Value; readonly value: Value }[];

/**
 * The entries as they stand in a manifest; of an array those that are not zero. Undefined when there are more than a
 * manifest takes.
 * @throws NetkitError `unsupported` for contents that no manifest can declare, such as programs told by their ids
 */
export async function inlineEntries(read: ReadMap): Promise<InlineForm | undefined> {
  const copy = await fewEntries(read);
  if (copy === undefined) return undefined;
  const byText = formOf(read, copy, textOf);
  if (readsBack(read, copy, byText)) return byText;
  // Bytes that are no text, and what a type leaves out.
  const asBytes = formOf(read, copy, hexOf);
  if (readsBack(read, copy, asBytes)) return asBytes;
  throw new NetkitError(
    'unsupported',
    `the entries of '${read.name}' have no form that a manifest could declare`,
  );
}

/** Writes all of them as CSV. @returns how many */
export async function writeEntries({ map, signal }: ReadMap, path: string): Promise<number> {
  using file = new StagedFile(path, { mode: 0o644 });
  const writer = entryWriter('csv', map.shape, {});
  let count = 0;
  file.write(writer.head());
  for await (const batch of map.readAhead()) {
    refuseInterrupted(signal);
    file.write(writer.batch(batch));
    count += batch.count;
  }
  file.write(writer.tail());
  await file.commit();
  return count;
}

async function fewEntries({ map, signal }: ReadMap): Promise<BatchCopy | undefined> {
  const copy = new BatchCopy(map.shape);
  const { type } = map.info;
  const { keySize, valueStride } = map.shape;
  for await (const batch of map.readAhead()) {
    refuseInterrupted(signal);
    if (type === 'lpm_trie') clearBehindPrefixes(batch.keys, batch.count, keySize);
    for (let index = 0; index < batch.count; index++)
      if (!isAlwaysFull(type) || !isZero(batch.values, index * valueStride, valueStride))
        copy.append(batch, index, index + 1);
    if (copy.count > mostInlineEntries) return undefined;
  }
  return copy;
}

type Text = (codec: Codec, bytes: Uint8Array, offset: number) => Value;

function formOf({ map }: ReadMap, { count, keys, values }: EntryBatch, text: Text): InlineForm {
  const { key: keyCodec, value: codec, keySize, valueStride, cpus, cpuStride } = map.shape;
  const found = Array.from({ length: count }, (_, index) => {
    const at = index * valueStride;
    const own = Array.from({ length: cpus }, (_each, cpu) => text(codec, values, at + cpu * cpuStride));
    const [first = ''] = own;
    const value = own.every((each) => JSON.stringify(each) === JSON.stringify(first)) ? first : own;
    return { key: keyCodec === undefined ? '' : text(keyCodec, keys, index * keySize), value };
  });
  const sorted = found.map((entry) => ({ entry, order: JSON.stringify(entry.key) }));
  sorted.sort((one, other) => collator.compare(one.order, other.order));
  const entries = sorted.map(({ entry }) => entry);
  if (entries.some(({ key }) => typeof key !== 'string' || key === '__proto__')) return entries;
  return Object.fromEntries(entries.map(({ key, value }) => [String(key), value]));
}

const collator = new Intl.Collator('en', { numeric: true });

function textOf(codec: Codec, bytes: Uint8Array, offset: number): Value {
  return plainValue(codec.decode(viewOf(bytes), offset));
}

function hexOf(codec: Codec, bytes: Uint8Array, offset: number): Value {
  return `hex:${Buffer.from(bytes.subarray(offset, offset + codec.size)).toString('hex')}`;
}

function plainValue(value: Decoded): Value {
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== 'object') return Object.is(value, -0) ? '-0' : String(value);
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, plainValue(of)]));
}

/** Whether a manifest with these entries comes to what the map has. */
function readsBack({ spec, name, map }: ReadMap, copy: EntryBatch, form: InlineForm): boolean {
  try {
    // A declared map may be larger than the object says.
    const read = readInline(spec, name, form, { maxEntries: map.info.maxEntries });
    return read.count === copy.count && isSame(read, copy);
  } catch (error) {
    if (error instanceof NetkitError && ['bad-value', 'conflict'].includes(error.code)) return false;
    throw error;
  }
}

function isSame(read: DeclaredEntries, { count, keys, values }: EntryBatch): boolean {
  const { keySize, valueStride } = read;
  const index = keyIndexOf(read);
  for (let each = 0; each < count; each++) {
    const found = index.find(keys, each * keySize);
    if (found < 0) return false;
    const mask = maskAt(read, found);
    for (let at = 0; at < valueStride; at++) {
      const difference =
        (values[each * valueStride + at] ?? 0) ^ (read.values[found * valueStride + at] ?? 0);
      if ((difference & (mask[at] ?? 0)) !== 0) return false;
    }
  }
  return true;
}
