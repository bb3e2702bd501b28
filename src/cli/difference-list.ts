/** What differs, as it is found: lines for people, or the list in a JSON document that is never in memory as a whole. */
import { toJson } from '../base/json.js';
import { viewOf } from '../base/raw-bytes.js';
import type { DiffCounts, Difference } from '../ebpf/entries/diff.js';
import type { Codec, Value } from '../obj/codec/index.js';
import type { EntryShape } from '../obj/entries/index.js';
import type { CommandContext } from './context.js';
import { type EntrySink, standardSink } from './entry-sink.js';
import { schemaVersion } from './output.js';
import { cellText } from './page.js';

export class DifferenceList implements Disposable {
  readonly #shape: EntryShape;
  readonly #perCpu: boolean;
  readonly #json: boolean;
  readonly #bigints: 'string' | 'number';
  readonly #head: object;
  readonly #sink: EntrySink;
  #count = 0;

  /** @param head what the JSON document begins with */
  constructor(context: CommandContext, shape: EntryShape, perCpu: boolean, head: object) {
    this.#shape = shape;
    this.#perCpu = perCpu;
    this.#json = context.options.json;
    this.#bigints = context.options.jsonStrings ? 'string' : 'number';
    this.#head = head;
    this.#sink = standardSink(context.output);
  }

  /** Writes all lists of differences. @returns what they come to; undefined when nobody reads on */
  async writeAll(found: AsyncIterator<readonly Difference[], DiffCounts>): Promise<DiffCounts | undefined> {
    try {
      let step = await found.next();
      for (; step.done !== true; step = await found.next())
        if (!(await this.#write(step.value))) return undefined;
      return step.value;
    } finally {
      await found.return?.();
    }
  }

  /** @returns false when nobody reads on */
  async #write(list: readonly Difference[]): Promise<boolean> {
    let text = this.#count === 0 ? this.#opening() : '';
    for (const each of list) {
      text += this.#json ? `${this.#count === 0 ? '' : ','}\n${this.#object(each)}` : this.#line(each);
      this.#count++;
    }
    return this.#sink.write(Buffer.from(text));
  }

  /** Ends the list, and the document with what is known only now. */
  async end(tail: object): Promise<void> {
    if (this.#json) {
      const opening = this.#count === 0 ? this.#opening() : '\n';
      const rest = toJson(tail, { bigints: this.#bigints });
      await this.#sink.write(Buffer.from(`${opening}],${rest.slice(1)}\n`));
    }
    await this.#sink.commit();
  }

  #opening(): string {
    if (!this.#json) return '';
    const head = toJson({ schemaVersion, ...this.#head }, { bigints: this.#bigints });
    return `${head.slice(0, -1)},"differences":[`;
  }

  #line({ kind, key, from, to }: Difference): string {
    const name = this.#text(this.#shape.key, key);
    const [old, next] = [from, to].map((bytes) => (bytes === undefined ? '' : this.#valueText(bytes)));
    const text =
      kind === 'added'
        ? `+ ${name} ${next}`
        : kind === 'removed'
          ? `- ${name} ${old}`
          : `~ ${name} ${old} -> ${next}`;
    return `${cellText(text)}\n`;
  }

  #object({ kind, key, from, to }: Difference): string {
    const value = (bytes: Uint8Array | undefined) => (bytes === undefined ? null : this.#value(bytes));
    return toJson(
      { kind, key: this.#shape.key?.decode(viewOf(key), 0) ?? null, from: value(from), to: value(to) },
      { bigints: this.#bigints },
    );
  }

  #text(codec: Codec | undefined, bytes: Uint8Array): string {
    return codec === undefined ? '' : codec.format(codec.decode(viewOf(bytes), 0));
  }

  #valueText(bytes: Uint8Array): string {
    const value = this.#value(bytes);
    return this.#perCpu ? toJson(value) : this.#shape.value.format(value);
  }

  #value(bytes: Uint8Array): Value {
    const { value, cpus, cpuStride } = this.#shape;
    const view = viewOf(bytes);
    if (!this.#perCpu) return value.decode(view, 0);
    return Array.from({ length: cpus }, (_, cpu) => value.decode(view, cpu * cpuStride));
  }

  [Symbol.dispose](): void {
    this.#sink[Symbol.dispose]();
  }
}
