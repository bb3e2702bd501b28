/** Records and changes as lines: JSON documents, or text in columns for people. */
import { toJson } from '../../base/json.js';
import type { EventBatch } from '../../ebpf/event-batch.js';
import type { MapChange } from '../../ebpf/map-changes.js';
import type { Codec, Value } from '../../obj/codec/index.js';
import { TextSink } from '../../obj/codec/text-sink.js';
import { schemaVersion } from '../output.js';
import { cellText } from '../page.js';
import type { DocumentOf } from '../schema/index.js';

/** What a watch prints. Bytes are good until the next call. */
export interface Lines {
  records(batch: EventBatch): Uint8Array;
  change(change: MapChange): Uint8Array;
}

type Document = DocumentOf<'map watch'>;

const nothing: Document = {
  event: 'record',
  cpu: null,
  key: null,
  value: null,
  before: null,
  lost: null,
};

export class JsonLines implements Lines {
  readonly #out: TextSink;
  readonly #bigints: 'string' | 'number';

  constructor(wideAsText: boolean) {
    this.#out = new TextSink(1 << 16, { wideAsText });
    this.#bigints = wideAsText ? 'string' : 'number';
  }

  /** Straight from bytes to bytes: of a fast buffer there are millions a second. */
  records(batch: EventBatch): Uint8Array {
    const out = this.#out;
    const [before, after] = aroundValue({ ...nothing, cpu: batch.cpu ?? null });
    out.clear();
    for (let index = 0; index < batch.length; index++) {
      out.append(before);
      batch.writeJson(index, out);
      out.append(after);
    }
    return out.view();
  }

  change({ kind, key, before, now }: MapChange): Uint8Array {
    return Buffer.from(
      this.#line({ ...nothing, event: kind, key, before: before ?? null, value: now ?? null }),
    );
  }

  lost(lost: number): Uint8Array {
    return Buffer.from(this.#line({ ...nothing, event: 'lost', lost }));
  }

  #line(document: Document): string {
    return `${toJson({ schemaVersion, ...document }, { bigints: this.#bigints })}\n`;
  }
}

/** The bytes of a line before and after its value. */
function aroundValue(document: Document): readonly [Uint8Array, Uint8Array] {
  const mark = '"value":';
  const line = toJson({ schemaVersion, ...document, value: 0 });
  const at = line.indexOf(mark) + mark.length;
  return [Buffer.from(line.slice(0, at)), Buffer.from(`${line.slice(at + 1)}\n`)];
}

/** The longest of what a change is called. */
const kindWidth = 'changed'.length;
/** Wider columns would mostly be empty: they grow with what comes. */
const widestAhead = 20;

/** Columns as wide as their type may need, or as what they have had so far. */
class Columns {
  readonly #widths: number[] = [];

  /** @param widths what is known beforehand; lines that are printed cannot be aligned afterwards */
  expect(widths: readonly number[]): void {
    widths.forEach((width, column) => {
      this.#widths[column] = Math.max(this.#widths[column] ?? 0, width);
    });
  }

  line(cells: readonly string[]): string {
    const padded = cells.map((cell, column) => {
      const width = Math.max(this.#widths[column] ?? 0, cell.length);
      this.#widths[column] = width;
      return cell.padEnd(width);
    });
    return `${padded.join('  ').trimEnd()}\n`;
  }
}

export class TextLines implements Lines {
  readonly #codec: Codec | undefined;
  readonly #keyCodec: Codec | undefined;
  readonly #columns = new Columns();
  #begun = false;

  /** @param codec of records or values @param keyCodec of the keys of changes */
  constructor(codec: Codec | undefined, keyCodec?: Codec) {
    this.#codec = codec;
    this.#keyCodec = keyCodec;
    // Of records the first column is another one.
    if (keyCodec !== undefined) this.#columns.expect([kindWidth]);
  }

  records(batch: EventBatch): Uint8Array {
    let text = '';
    for (let index = 0; index < batch.length; index++) text += this.#record(batch, index);
    return Buffer.from(text);
  }

  change({ kind, key, before, now }: MapChange): Uint8Array {
    const values = [before, now].flatMap((value) => (value === undefined ? [] : this.#format(value)));
    return Buffer.from(this.#columns.line([kind, this.#formatKey(key), values.join(' -> ')]));
  }

  #record(batch: EventBatch, index: number): string {
    const value = batch.at(index);
    const cpu = batch.cpu === undefined ? [] : [String(batch.cpu)];
    if (!batch.fits(index)) return `${[...cpu, String(value)].join('  ')}\n`;
    const members = typeof value === 'object' && !Array.isArray(value) ? value : { value };
    const head = this.#begun ? '' : this.#head(Object.keys(members), cpu.length > 0);
    return (
      head + this.#columns.line([...cpu, ...Object.values(members).map((member) => this.#format(member))])
    );
  }

  #head(names: readonly string[], withCpu: boolean): string {
    this.#begun = true;
    const leaves = new Map(this.#codec?.columns.map(({ path, csvLimit }) => [path, csvLimit]));
    const widths = names
      .map((name) => leaves.get(name) ?? 0)
      .map((width) => (width > widestAhead ? 0 : width));
    this.#columns.expect([...(withCpu ? ['CPU'.length] : []), ...widths]);
    return this.#columns.line([
      ...(withCpu ? ['CPU'] : []),
      ...names.map((name) => cellText(name.toUpperCase())),
    ]);
  }

  #format(value: Value): string {
    return cellText(this.#codec?.format(value) ?? String(value));
  }

  #formatKey(key: Value): string {
    return cellText(this.#keyCodec?.format(key) ?? String(key));
  }
}
