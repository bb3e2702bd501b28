/** Keys that come twice. */
import { NetkitError } from '../../base/errors.js';
import type { EntryBatch, EntryShape } from '../../obj/entries/batch.js';
import { KeyTable } from '../../obj/entries/key-table.js';
import { located } from './failure.js';
import type { EntrySource, SourceBatch } from './source.js';

/** All keys so far, in about 10 bytes each; values without keys are never the same. */
export class SeenKeys {
  readonly #table: KeyTable | undefined;
  readonly #keySize: number;

  constructor(shape: EntryShape) {
    this.#keySize = shape.keySize;
    this.#table = shape.keySize === 0 ? undefined : new KeyTable(shape.keySize);
  }

  /** @returns the index of the first entry whose key came before; `count` when there is none */
  add({ count, keys }: EntryBatch): number {
    const table = this.#table;
    if (table === undefined) return count;
    for (let index = 0; index < count; index++) if (!table.add(keys, index * this.#keySize)) return index;
    return count;
  }
}

/** The error for a key that came before, with both places where the source can be read again. */
export async function duplicateKey(
  shape: EntryShape,
  source: EntrySource,
  batch: SourceBatch,
  index: number,
): Promise<unknown> {
  const { keySize, key: codec } = shape;
  const key = Buffer.from(batch.keys.slice(index * keySize, (index + 1) * keySize));
  const line = batch.lines?.[index] ?? 0;
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  const text = codec === undefined ? key.toString('hex') : codec.format(codec.decode(view, 0));
  const first = source.repeatable ? await firstLine(source, key) : undefined;
  const where =
    first === undefined ? 'stands there already' : `stands in ${source.unit ?? 'entry'} ${first} already`;
  const error = new NetkitError('bad-value', `the key ${text} ${where}`, {
    details: { key: text, ...(first === undefined ? {} : { first }) },
  });
  return located(error, source, line);
}

/** Where a key stands for the first time. */
async function firstLine(source: EntrySource, key: Buffer): Promise<number | undefined> {
  for await (const { count, keys, lines } of source.read()) {
    for (let index = 0; index < count; index++) {
      const at = index * key.length;
      if (key.compare(keys, at, at + key.length) === 0) return lines?.[index];
    }
  }
  return undefined;
}
