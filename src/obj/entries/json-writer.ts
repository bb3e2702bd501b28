/** Entries as JSON, an entry a line in an array, and as NDJSON. */
import { toJson } from '../../base/json.js';
import { TextSink, type Value } from '../codec/index.js';
import type { EntryBatch, EntryShape } from './batch.js';
import type { EntryWriter, EntryWriterOptions } from './streams.js';
import { sumOverCpus } from './sum.js';
import { ViewCache } from './view-cache.js';

const comma = 0x2c;
const lineFeed = 0x0a;
const keyName = Buffer.from('{"key":');
const firstValueName = Buffer.from('{"value":');
const valueName = Buffer.from(',"value":');
/** Bytes around key and value. */
const frame = 32;

export class JsonWriter implements EntryWriter {
  readonly #shape: EntryShape;
  readonly #isArray: boolean;
  readonly #sums: boolean;
  readonly #sink: TextSink;
  readonly #limit: number;
  readonly #keyViews = new ViewCache();
  readonly #valueViews = new ViewCache();
  #isFirst = true;

  constructor(shape: EntryShape, format: 'json' | 'ndjson', options: EntryWriterOptions) {
    this.#shape = shape;
    this.#isArray = format === 'json';
    this.#sums = shape.cpus > 1 && options.sumOverCpus === true;
    this.#sink = new TextSink(64 * 1024, { wideAsText: options.wideAsText ?? false });
    this.#limit = frame + (shape.key?.jsonLimit ?? 0) + (shape.value.jsonLimit + 1) * shape.cpus;
  }

  head(): Uint8Array {
    this.#sink.clear();
    if (this.#isArray) this.#sink.ascii('[');
    return this.#sink.view();
  }

  batch(batch: EntryBatch): Uint8Array {
    const sink = this.#sink;
    sink.clear();
    const { key, value, keySize, valueStride, cpus } = this.#shape;
    const keys = this.#keyViews.of(batch.keys);
    const values = this.#valueViews.of(batch.values);
    for (let index = 0; index < batch.count; index++) {
      sink.reserve(this.#limit);
      if (this.#isArray) this.#separate();
      if (key === undefined) {
        put(sink, firstValueName);
      } else {
        put(sink, keyName);
        key.writeJson(keys, index * keySize, sink);
        put(sink, valueName);
      }
      if (cpus === 1) value.writeJson(values, index * valueStride, sink);
      else this.#cpus(values, index * valueStride);
      sink.bytes[sink.at++] = 0x7d;
      if (!this.#isArray) sink.bytes[sink.at++] = lineFeed;
    }
    return sink.view();
  }

  tail(): Uint8Array {
    this.#sink.clear();
    if (this.#isArray) this.#sink.ascii(this.#isFirst ? ']\n' : '\n]\n');
    return this.#sink.view();
  }

  #separate(): void {
    const sink = this.#sink;
    if (!this.#isFirst) sink.bytes[sink.at++] = comma;
    this.#isFirst = false;
    sink.bytes[sink.at++] = lineFeed;
  }

  /** The sum, or `[…]` of one value a CPU. */
  #cpus(values: DataView, offset: number): void {
    const { value, cpus, cpuStride } = this.#shape;
    const sink = this.#sink;
    if (this.#sums) {
      const each: Value[] = [];
      for (let cpu = 0; cpu < cpus; cpu++) each.push(value.decode(values, offset + cpu * cpuStride));
      const sum = sumOverCpus(each);
      if (sum !== undefined) {
        sink.utf8(toJson(sum, { bigints: sink.wideAsText ? 'string' : 'number' }));
        sink.reserve(frame);
        return;
      }
    }
    for (let cpu = 0; cpu < cpus; cpu++) {
      sink.bytes[sink.at++] = cpu === 0 ? 0x5b : comma;
      value.writeJson(values, offset + cpu * cpuStride, sink);
    }
    sink.bytes[sink.at++] = 0x5d;
  }
}

function put(sink: TextSink, text: Uint8Array): void {
  const { bytes, at } = sink;
  for (let index = 0; index < text.length; index++) bytes[at + index] = text[index] ?? 0;
  sink.at = at + text.length;
}
