/** The leaves of a value as columns of CSV. */

import { markGiven } from './given-bits.js';
import type { TextSink } from './text-sink.js';
import type { TextSource } from './text-source.js';
import { type CodecColumn, clear, type Form, within } from './value.js';

/** @param named makes an error of the codec's out of one that tells a path. */
export function columnsOf(form: Form, named: (error: unknown) => unknown): CodecColumn[] {
  const columns: CodecColumn[] = [];
  const add = (part: Form, base: number, path: string): void => {
    if (part.shown === undefined || part.shown.length === 0) {
      columns.push(new LeafColumn(part, base, path, named));
      return;
    }
    for (const member of part.shown) {
      add(member.form, base + member.offset, path === '' ? member.name : `${path}.${member.name}`);
    }
  };
  add(form, 0, '');
  return columns;
}

class LeafColumn implements CodecColumn {
  readonly path: string;
  readonly csvLimit: number;
  readonly #form: Form;
  readonly #base: number;
  readonly #named: (error: unknown) => unknown;

  constructor(form: Form, base: number, path: string, named: (error: unknown) => unknown) {
    this.path = path;
    this.csvLimit = form.text.csvLimit;
    this.#form = form;
    this.#base = base;
    this.#named = named;
  }

  writeCsv(view: DataView, offset: number, out: TextSink): void {
    out.at = this.#form.text.putCsv(view, offset + this.#base, out.data, out.at, out);
  }

  readCsv(source: TextSource, view: DataView, offset: number): boolean {
    const { bytes, at, end } = source;
    const next = this.#form.text.takeCsv(bytes, at, end, view, offset + this.#base, source);
    if (next < 0) return false;
    source.at = next;
    return true;
  }

  markGiven(mask: DataView, offset: number): void {
    markGiven(this.#form, undefined, mask, offset + this.#base);
  }

  encodeText(text: string, view: DataView, offset: number): void {
    const at = offset + this.#base;
    try {
      // Whatever was read of the text before it turned out to be another form.
      if (this.#form.isBits !== true) clear(view, at, this.#form.size);
      this.#form.write(view, at, text);
    } catch (error) {
      throw this.#named(this.path === '' ? error : within(error, `.${this.path}`));
    }
  }
}
