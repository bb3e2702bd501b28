/** NDJSON: one entry a line, blank lines between them at will. */
import type { EntryShape } from './batch.js';
import { recordLimit } from './intake.js';
import { JsonRecords } from './json-record.js';
import type { EntryReaderOptions } from './streams.js';
import { TextReader } from './text-reader.js';

const lineFeed = 0x0a;

export class NdjsonReader extends TextReader {
  readonly #records: JsonRecords;
  /** Bytes of the current line in which there is no line end. */
  #searched = 0;

  constructor(shape: EntryShape, options: EntryReaderOptions) {
    super(shape, options);
    this.#records = new JsonRecords(shape, this.batch, options);
  }

  protected override checkEnd(): void {
    // The file may end behind any line.
  }

  protected override fill(): boolean {
    const intake = this.intake;
    if (!intake.begin()) return false;
    const { source, end, complete } = intake;
    const { bytes } = source;
    const batch = this.batch;
    const records = this.#records;
    while (!batch.isFull) {
      const at = intake.start;
      if (at >= end) return false;
      // A line that was too short before is tried again only when all of it is there.
      const behind =
        this.#searched > 0 ? -1 : restOfLine(bytes, records.take(source, at, end), end, complete);
      if (behind < 0 || behind - at > recordLimit || this.#hasLines(at, behind)) {
        if (!this.#readLine(at)) return false;
        continue;
      }
      batch.lines[batch.count++] = intake.line;
      intake.newLine(behind);
      intake.start = behind;
    }
    return true;
  }

  /** Is there a line end in the record, not only behind it? */
  #hasLines(at: number, behind: number): boolean {
    const { hasLines, mayHaveLines } = this.#records;
    return hasLines || (mayHaveLines && this.intake.lineFeedFrom(at) < behind - 1);
  }

  /** Reads a line the slow way. @returns false while its end is missing */
  #readLine(at: number): boolean {
    const intake = this.intake;
    const { bytes, end } = intake;
    const found = bytes.subarray(0, end).indexOf(lineFeed, at + this.#searched);
    const lineEnd = found < 0 ? end : found;
    intake.checkLength(at, lineEnd, 'this line');
    if (found < 0 && !intake.complete) {
      this.#searched = end - at;
      return false;
    }
    this.#searched = 0;
    const [from, until] = trimmed(bytes, at, lineEnd);
    if (from < until) {
      this.#refuseArray(from);
      this.#records.read(intake, from, until);
      this.batch.lines[this.batch.count++] = intake.line;
    }
    intake.start = found < 0 ? end : found + 1;
    if (found >= 0) intake.newLine(found + 1);
    return true;
  }

  #refuseArray(at: number): void {
    if (this.intake.bytes[at] !== 0x5b) return;
    throw this.intake.problem(at, 'an array stands here: NDJSON has one entry, {"key":…,"value":…}, a line', {
      hint: 'a JSON array of entries is read from a file named .json',
    });
  }
}

/** The place behind the line end after a record, -1 when something else or nothing follows. */
function restOfLine(bytes: Uint8Array, start: number, end: number, complete: boolean): number {
  if (start < 0) return -1;
  let at = start;
  while (at < end) {
    const byte = bytes[at++];
    if (byte === lineFeed) return at;
    if (byte !== 0x0d && byte !== 0x20 && byte !== 0x09) return -1;
  }
  return complete ? at : -1;
}

function trimmed(bytes: Uint8Array, start: number, end: number): [number, number] {
  const isSpace = (at: number): boolean => bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === 0x0d;
  let from = start;
  let until = end;
  while (from < until && isSpace(from)) from++;
  while (until > from && isSpace(until - 1)) until--;
  return [from, until];
}
