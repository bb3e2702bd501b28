import { NetkitError } from '../../../../src/base/errors.js';
import { type Codec, codecForWord, type Value } from '../../../../src/obj/codec/index.js';
import {
  type EntryBatch,
  type EntryFormat,
  type EntryReaderOptions,
  type EntryShape,
  type EntryWriterOptions,
  entryReader,
  entryWriter,
} from '../../../../src/obj/entries/index.js';
import type { BtfBuilder } from '../../../support/btf-builder.js';
import { type CTypes, codecOfType } from '../codec/support.js';

export type MakeType = string | ((btf: BtfBuilder, c: CTypes) => number);

function codec(type: MakeType, role: string): Codec {
  return typeof type === 'string' ? codecForWord(type, { role }) : codecOfType(type, { role });
}

/** The shape of a map's entries by type words or made types; `key` undefined for a queue. */
export function shapeOf(key: MakeType | undefined, value: MakeType, cpus = 1): EntryShape {
  const keyCodec = key === undefined ? undefined : codec(key, 'key');
  const valueCodec = codec(value, 'value');
  const cpuStride = cpus === 1 ? valueCodec.size : Math.ceil(valueCodec.size / 8) * 8;
  return {
    key: keyCodec,
    value: valueCodec,
    keySize: keyCodec?.size ?? 0,
    valueStride: cpuStride * cpus,
    cpus,
    cpuStride,
  };
}

/** A batch of values. */
export function batchOf(
  shape: EntryShape,
  entries: readonly (readonly [Value | undefined, ...Value[]])[],
): EntryBatch {
  const keys = new Uint8Array(entries.length * shape.keySize);
  const values = new Uint8Array(entries.length * shape.valueStride);
  const keyView = new DataView(keys.buffer);
  const valueView = new DataView(values.buffer);
  for (const [index, [key, ...each]] of entries.entries()) {
    if (key !== undefined) shape.key?.encode(key, keyView, index * shape.keySize);
    for (const [cpu, value] of each.entries()) {
      shape.value.encode(value, valueView, index * shape.valueStride + cpu * shape.cpuStride);
    }
  }
  return { count: entries.length, keys, values };
}

/** A whole file. */
export function fileOf(
  format: EntryFormat,
  shape: EntryShape,
  batches: readonly EntryBatch[],
  options?: EntryWriterOptions,
): Buffer {
  const writer = entryWriter(format, shape, options);
  const parts = [Buffer.from(writer.head())];
  for (const batch of batches) parts.push(Buffer.from(writer.batch(batch)));
  return Buffer.concat([...parts, Buffer.from(writer.tail())]);
}

export interface ReadEntry {
  /** Hex. */
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** What came out of a file before its end or an error. */
export interface Outcome {
  readonly entries: ReadEntry[];
  readonly error?: { readonly message: string; readonly hint: string | undefined; readonly details: unknown };
}

/** Reads a file in chunks, cut before the given places. Errors that a user may see are part of the outcome. */
export function outcomeOf(
  format: EntryFormat,
  shape: EntryShape,
  bytes: Uint8Array,
  cuts: readonly number[] = [],
  options: EntryReaderOptions = {},
): Outcome {
  const entries: ReadEntry[] = [];
  const take = (
    batches: Iterable<{ count: number; keys: Uint8Array; values: Uint8Array; lines: Float64Array }>,
  ) => {
    for (const { count, keys, values, lines } of batches) {
      for (let index = 0; index < count; index++) {
        entries.push({
          key: hex(keys, index * shape.keySize, shape.keySize),
          value: hex(values, index * shape.valueStride, shape.valueStride),
          line: lines[index] ?? Number.NaN,
        });
      }
    }
  };
  try {
    const reader = entryReader(format, shape, { file: 'f', ...options });
    const places = [...new Set([0, ...cuts, bytes.length])]
      .filter((at) => at <= bytes.length)
      .sort((a, b) => a - b);
    for (const [index, start] of places.entries()) {
      // A copy, as a file's buffer that is filled again would be.
      const chunk = Uint8Array.from(bytes.subarray(start, places[index + 1] ?? bytes.length));
      take(reader.push(chunk));
      chunk.fill(0xaa);
    }
    take(reader.end());
    return { entries };
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'bad-value') throw error;
    return { entries, error: { message: error.message, hint: error.hint, details: error.details } };
  }
}

/** Reads a text that is right. */
export function entriesOf(format: EntryFormat, shape: EntryShape, text: string | Uint8Array): ReadEntry[] {
  const { entries, error } = outcomeOf(format, shape, typeof text === 'string' ? Buffer.from(text) : text);
  if (error !== undefined) throw new Error(error.message);
  return entries;
}

/** The message of the error in a text, `hint` behind a bar. */
export function problemIn(format: EntryFormat, shape: EntryShape, text: string | Uint8Array): string {
  const { error } = outcomeOf(format, shape, typeof text === 'string' ? Buffer.from(text) : text);
  if (error === undefined) throw new Error('nothing was refused');
  return error.hint === undefined ? error.message : `${error.message} | ${error.hint}`;
}

export function hex(bytes: Uint8Array, offset: number, size: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, size).toString('hex');
}

/** The same shape without the fast ways of its codecs. */
export function slowShape(shape: EntryShape): EntryShape {
  const slow = (codec: Codec): Codec => ({
    size: codec.size,
    typeName: codec.typeName,
    jsonLimit: codec.jsonLimit,
    columns: codec.columns.map((column) => ({
      path: column.path,
      csvLimit: column.csvLimit,
      writeCsv: (view, offset, out) => column.writeCsv(view, offset, out),
      readCsv: () => false,
      encodeText: (text, view, offset) => column.encodeText(text, view, offset),
      markGiven: (mask, offset) => column.markGiven(mask, offset),
    })),
    markGiven: (value, mask, offset) => codec.markGiven(value, mask, offset),
    encode: (value, view, offset) => codec.encode(value, view, offset),
    decode: (view, offset) => codec.decode(view, offset),
    parse: (text) => codec.parse(text),
    format: (value) => codec.format(value),
    describe: () => codec.describe(),
    encodeText: (text, view, offset) => codec.encodeText(text, view, offset),
    writeJson: (view, offset, out) => codec.writeJson(view, offset, out),
    readJson: () => false,
  });
  return { ...shape, key: shape.key === undefined ? undefined : slow(shape.key), value: slow(shape.value) };
}

/** `struct flow` and `struct counters` of a connection table. */
export const flow: MakeType = (btf, c) =>
  btf.struct('flow', 16, [
    { name: 'saddr', type: c.be32, offset: 0 },
    { name: 'daddr', type: c.be32, offset: 4 },
    { name: 'sport', type: c.be16, offset: 8 },
    { name: 'dport', type: c.be16, offset: 10 },
    { name: 'protocol', type: c.u8, offset: 12 },
    { name: 'pad', type: btf.array(c.u8, 3), offset: 13 },
  ]);
export const counters: MakeType = (btf, c) =>
  btf.struct('counters', 16, [
    { name: 'packets', type: c.u64, offset: 0 },
    { name: 'bytes', type: c.u64, offset: 8 },
  ]);
