/** One `{"key":…,"value":…}` from text into a batch. */
import type { JsonObject, JsonValue } from '../../base/json.js';
import { suggestion } from '../../base/suggest.js';
import { type Codec, TextSink, type TextSource, type Value } from '../codec/index.js';
import type { EntryShape } from './batch.js';
import { allGiven, type EntryBuffer } from './entry-buffer.js';
import type { Intake } from './intake.js';
import { nameInJson, placeInJson } from './json-place.js';
import { checkedValue, misplaced, recordOf, startOf } from './json-slow.js';
import { Spread } from './spread.js';
import type { EntryReaderOptions } from './streams.js';

const quote = 0x22;
const lineFeed = 0x0a;

const keyPart = 1;
const valuePart = 2;
const keyRest = Buffer.from('ey"');
const valueRest = Buffer.from('alue"');

export class JsonRecords {
  /** Did a line begin between the parts of the last record that `take` accepted? */
  hasLines = false;
  /** May lines begin within a key or value? `take` does not look for them there. */
  readonly mayHaveLines: boolean;
  readonly #shape: EntryShape;
  readonly #batch: EntryBuffer;
  readonly #wanted: number;
  /** How many `[` the JSON of one value begins with: one more, and there is a value for each CPU. */
  readonly #depth: number;
  readonly #spread: Spread;
  readonly #all: Uint8Array | undefined;
  readonly #givenView: DataView | undefined;

  constructor(shape: EntryShape, batch: EntryBuffer, { single }: EntryReaderOptions) {
    this.#shape = shape;
    this.#batch = batch;
    this.#wanted = shape.key === undefined ? valuePart : keyPart | valuePart;
    const text = textOfZero(shape.value);
    this.#depth = /^\[*/.exec(text)?.[0].length ?? 0;
    this.#spread = new Spread(shape, single);
    this.#all = batch.given === undefined ? undefined : allGiven(shape);
    this.#givenView = batch.given === undefined ? undefined : new DataView(batch.given.buffer);
    const keyText = shape.key === undefined ? '' : textOfZero(shape.key);
    this.mayHaveLines = shape.cpus > 1 || isComposite(text) || isComposite(keyText);
  }

  /**
   * The fast way, for the form in which netkit writes: reads the record at `start` into the batch's next entry.
   * @returns the place behind it, or -1: `read` then either accepts it or knows what is wrong
   */
  take(source: TextSource, start: number, end: number): number {
    const { bytes } = source;
    if (start >= end || bytes[start] !== 0x7b) return -1;
    this.hasLines = false;
    let at = start + 1;
    let seen = 0;
    for (;;) {
      at = this.#space(bytes, at, end);
      if (at + 5 > end || bytes[at] !== quote) return -1;
      const part = bytes[at + 1] === 0x6b ? keyPart : valuePart;
      if ((seen & part) !== 0 || (this.#wanted & part) === 0) return -1;
      seen |= part;
      at = part === keyPart ? expect(bytes, at + 2, keyRest) : this.#value(bytes, at + 1);
      if (at < 0) return -1;
      at = this.#space(bytes, at, end);
      if (at >= end || bytes[at] !== 0x3a) return -1;
      at = this.#space(bytes, at + 1, end);
      if (at >= end) return -1;
      source.at = at;
      if (part === keyPart ? !this.#takeKey(source) : !this.#takeValue(source, end)) return -1;
      at = this.#space(bytes, source.at, end);
      if (at >= end) return -1;
      const next = bytes[at++];
      if (next === 0x2c) continue;
      if (next !== 0x7d || seen !== this.#wanted) return -1;
      // What is in the form that netkit writes has all members.
      if (this.#all !== undefined)
        this.#batch.given?.set(this.#all, this.#batch.count * this.#shape.valueStride);
      return at;
    }
  }

  #value(bytes: Uint8Array, at: number): number {
    return bytes[at] === 0x76 ? expect(bytes, at + 1, valueRest) : -1;
  }

  #takeKey(source: TextSource): boolean {
    const { key, keySize } = this.#shape;
    return key?.readJson(source, this.#batch.keyView, this.#batch.count * keySize) ?? false;
  }

  #takeValue(source: TextSource, end: number): boolean {
    const { value, valueStride, cpus } = this.#shape;
    const offset = this.#batch.count * valueStride;
    return cpus === 1
      ? value.readJson(source, this.#batch.valueView, offset)
      : this.#takeCpus(source, end, offset);
  }

  #takeCpus(source: TextSource, end: number, offset: number): boolean {
    const { value, cpus, cpuStride } = this.#shape;
    const { bytes } = source;
    const { valueView } = this.#batch;
    if (!this.#isPerCpu(bytes, source.at, end)) {
      if (!value.readJson(source, valueView, offset)) return false;
      this.#spread.over(this.#batch, offset);
      return true;
    }
    for (let cpu = 0; cpu < cpus; cpu++) {
      // Over the opening bracket, then over a comma each.
      if (bytes[source.at] !== (cpu === 0 ? 0x5b : 0x2c)) return false;
      source.at = skipSpace(bytes, source.at + 1, end);
      if (!value.readJson(source, valueView, offset + cpu * cpuStride)) return false;
      source.at = skipSpace(bytes, source.at, end);
      if (source.at >= end) return false;
    }
    return bytes[source.at++] === 0x5d;
  }

  #isPerCpu(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    for (let depth = 0; depth <= this.#depth; depth++) {
      if (at >= end || bytes[at] !== 0x5b) return false;
      at = skipSpace(bytes, at + 1, end);
    }
    return true;
  }

  /**
   * The slow way: reads the record between two places of the file into the batch's next entry.
   * @throws NetkitError `bad-value` with line and column
   */
  read(intake: Intake, start: number, until: number): void {
    const text = intake.text(start, until);
    const record = recordOf(intake, start, text);
    this.#checkMembers(intake, start, text, record);
    const { key, keySize, value, valueStride, cpus, cpuStride } = this.#shape;
    const { keyView, valueView, count } = this.#batch;
    const write = (
      path: (string | number)[],
      codec: Codec,
      given: JsonValue | undefined,
      at: number,
    ): void => {
      try {
        const checked = checkedValue(given, path);
        codec.encode(checked, path[0] === 'key' ? keyView : valueView, at);
        if (path[0] !== 'key') this.#markGiven(checked, at);
      } catch (error) {
        throw misplaced(intake, start, text, path, error);
      }
    };
    if (key !== undefined) write(['key'], key, record.key, count * keySize);
    const offset = count * valueStride;
    const each = record.value;
    if (cpus === 1) {
      write(['value'], value, each, offset);
    } else if (Array.isArray(each) && nesting(each) > this.#depth) {
      if (each.length !== cpus) {
        throw intake.problem(
          startOf(start, text, placeInJson(text, ['value'])),
          `value: ${each.length} values are given, one a CPU, and there are ${cpus} possible CPUs`,
          { hint: 'a single value is taken as the sum over all CPUs' },
        );
      }
      for (const [cpu, item] of each.entries()) write(['value', cpu], value, item, offset + cpu * cpuStride);
    } else {
      write(['value'], value, each, offset);
      this.#spread.over(this.#batch, offset);
    }
  }

  /** The fast way may have begun with another form of the record. */
  #markGiven(value: Value, at: number): void {
    if (this.#givenView === undefined) return;
    const { value: codec } = this.#shape;
    this.#batch.given?.fill(0, at, at + codec.size);
    codec.markGiven(value, this.#givenView, at);
  }

  #checkMembers(intake: Intake, start: number, text: string, record: JsonObject): void {
    const names = this.#wanted === valuePart ? ['value'] : ['key', 'value'];
    for (const name of Object.keys(record)) {
      if (names.includes(name)) continue;
      const problem =
        name === 'key'
          ? 'the record has a key, and this map has none'
          : `a record has no member '${name}': it is ${formOf(names)}`;
      throw intake.problem(startOf(start, text, nameInJson(text, name)), problem, {
        hint: name === 'key' ? undefined : suggestion(name, names),
      });
    }
    for (const name of names) {
      if (Object.hasOwn(record, name)) continue;
      throw intake.problem(start, `this record has no ${name}: it must be ${formOf(names)}`);
    }
  }

  /** Where a token follows, white space skipped. */
  #space(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte > 0x20 || (byte !== 0x20 && byte !== lineFeed && byte !== 0x0d && byte !== 0x09)) break;
      if (byte === lineFeed) this.hasLines = true;
    }
    return at;
  }
}

/** `{"key":…,"value":…}` */
function formOf(names: readonly string[]): string {
  return `{${names.map((name) => `"${name}":…`).join(',')}}`;
}

function textOfZero(codec: Codec): string {
  const sink = new TextSink(codec.jsonLimit);
  codec.writeJson(new DataView(new ArrayBuffer(codec.size)), 0, sink);
  return Buffer.from(sink.view()).toString();
}

function isComposite(text: string): boolean {
  return text.startsWith('{') || text.startsWith('[');
}

function nesting(value: JsonValue | undefined): number {
  let depth = 0;
  for (let at = value; Array.isArray(at); at = at[0]) depth++;
  return depth;
}

function expect(bytes: Uint8Array, at: number, text: Uint8Array): number {
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text[index]) return -1;
  return at + text.length;
}

function skipSpace(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== lineFeed && byte !== 0x0d && byte !== 0x09) return at;
    at++;
  }
  return at;
}
