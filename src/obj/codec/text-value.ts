/** Values that are short texts (addresses, prefixes), by the functions that write and read that text in bytes. */
import type { BareText } from './text-form.js';
import { TextSink } from './text-sink.js';
import { TextSource } from './text-source.js';
import { clear, type Form } from './value.js';

/** Longer texts are left to the slow way. */
const lengthLimit = 64;

const scratch = Buffer.alloc(lengthLimit);
const source = new TextSource(scratch);
const sink = new TextSink(lengthLimit);

/** The text as a string. */
export function readText({ limit, put }: BareText): (view: DataView, offset: number) => string {
  if (limit > lengthLimit) {
    return (view, offset) => {
      const bytes = Buffer.alloc(limit);
      const data = new DataView(bytes.buffer, bytes.byteOffset, limit);
      return bytes.toString('latin1', 0, put(view, offset, data, 0, sink));
    };
  }
  return (view, offset) => scratch.toString('latin1', 0, put(view, offset, source.data, 0, sink));
}

/** Writes a string that is in the form that `readText` gives; every other value goes to `slow`. */
export function writeText({ take }: BareText, size: number, slow: Form['write']): Form['write'] {
  return (view, offset, value) => {
    if (typeof value === 'string' && value.length <= lengthLimit) {
      const { length } = value;
      let all = 0;
      for (let index = 0; index < length; index++) {
        const code = value.charCodeAt(index);
        all |= code;
        scratch[index] = code;
      }
      if (all < 128 && take(scratch, 0, length, view, offset, source) === length) return;
      clear(view, offset, size);
    }
    slow(view, offset, value);
  };
}
