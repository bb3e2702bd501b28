/** From the bytes of a batch to its commands, each with the line that it begins in. */
import { isAscii } from 'node:buffer';
import { NetkitError } from '../../base/errors.js';
import { plainWords, WordSplitter } from './words.js';

/** Bytes of the longest line that is read, however many it is continued over. The largest value of a map, as hex, fits. */
export const longestLine = 16 << 20;

const lineFeed = 0x0a;
const byteOrderMark = [0xef, 0xbb, 0xbf] as const;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** One command of a batch, or why a line is none. */
export interface BatchLine {
  /** Where it begins, from 1. */
  readonly line: number;
  /** As it was written, continuations joined. */
  readonly text: string;
  /** At least one. Empty when there is a problem. */
  readonly words: readonly string[];
  readonly problem?: NetkitError | undefined;
}

/** A line that needs no joining: its text is cut out only when somebody wants it. */
class PlainLine implements BatchLine {
  readonly line: number;
  readonly words: readonly string[];
  readonly #block: string;
  readonly #start: number;
  readonly #end: number;

  constructor(line: number, words: readonly string[], block: string, start: number, end: number) {
    this.line = line;
    this.words = words;
    this.#block = block;
    this.#start = start;
    this.#end = end;
  }

  get problem(): undefined {
    return undefined;
  }

  get text(): string {
    return this.#block.slice(this.#start, this.#end);
  }
}

/** A command that is not complete yet: its last line ended in a backslash. */
interface OpenCommand {
  readonly line: number;
  readonly splitter: WordSplitter;
  text: string;
}

/** Takes chunks of bytes as they come and gives the commands that are complete in them. Memory stays at a line's. */
export class LineReader {
  #line = 0;
  #atStart = true;
  /** Bytes since the last line end. */
  #rest: Uint8Array[] = [];
  #restLength = 0;
  /** Within a line that is too long: everything up to its end is skipped. */
  #skipping = false;
  #open: OpenCommand | undefined;

  /** The commands that end in this chunk or before. The chunk may be overwritten afterwards. */
  *push(given: Uint8Array): Generator<BatchLine> {
    let chunk = given;
    if (this.#skipping) {
      const end = chunk.indexOf(lineFeed);
      if (end < 0) return;
      this.#skipping = false;
      chunk = chunk.subarray(end + 1);
    }
    const end = chunk.lastIndexOf(lineFeed) + 1;
    if (end > 0) {
      const first = chunk.indexOf(lineFeed) + 1;
      if (this.#rest.length > 0) {
        const line = Buffer.concat([...this.#rest, chunk.subarray(0, first)]);
        this.#keep(undefined);
        yield* this.#block(line);
        yield* this.#block(chunk.subarray(first, end));
      } else yield* this.#block(chunk.subarray(0, end));
    }
    this.#keep(chunk.subarray(end));
    if (this.#restLength > longestLine) {
      this.#keep(undefined);
      this.#skipping = true;
      yield this.#tooLong();
    }
  }

  /** The command of a last line without a line end. */
  *end(): Generator<BatchLine> {
    if (this.#restLength > 0) {
      const line = Buffer.concat(this.#rest);
      this.#keep(undefined);
      yield* this.#block(line);
    }
    if (this.#open === undefined) return;
    const { line, text, splitter } = this.#open;
    this.#open = undefined;
    yield* some({ line, text, words: splitter.end() });
  }

  #keep(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) {
      this.#rest = [];
      this.#restLength = 0;
    } else if (bytes.length > 0) {
      // `slice` of a Buffer would share its memory.
      this.#rest.push(new Uint8Array(bytes));
      this.#restLength += bytes.length;
    }
  }

  *#block(given: Uint8Array): Generator<BatchLine> {
    const bytes = this.#atStart ? withoutMark(given) : given;
    this.#atStart = false;
    const text = textOf(bytes);
    if (text === undefined) {
      yield* this.#eachByItself(bytes);
      return;
    }
    for (let at = 0; at < text.length; ) {
      const feed = text.indexOf('\n', at);
      const end = feed < 0 ? text.length : feed;
      this.#line++;
      const last = end > at && text.charCodeAt(end - 1) === 0x0d ? end - 1 : end;
      const words = this.#open === undefined ? plainWords(text, at, last) : undefined;
      if (words === undefined) yield* this.#slowly(text.slice(at, last));
      else if (words.length > 0) yield new PlainLine(this.#line, words, text, at, last);
      at = end + 1;
    }
  }

  /** Lines of which at least one is no UTF-8. */
  *#eachByItself(bytes: Uint8Array): Generator<BatchLine> {
    for (let at = 0; at < bytes.length; ) {
      const feed = bytes.indexOf(lineFeed, at);
      const end = feed < 0 ? bytes.length : feed + 1;
      const line = bytes.subarray(at, end);
      at = end;
      if (textOf(line) === undefined) {
        this.#line++;
        yield this.#refused('the line is not text in UTF-8');
      } else yield* this.#block(line);
    }
  }

  *#slowly(text: string): Generator<BatchLine> {
    if (text.includes('\0')) {
      yield this.#refused('the line holds a NUL character');
      return;
    }
    if (text.length > longestLine || (this.#open?.text.length ?? 0) + text.length > longestLine) {
      yield this.#tooLong();
      return;
    }
    const open = this.#open ?? { line: this.#line, splitter: new WordSplitter(), text: '' };
    try {
      const goesOn = open.splitter.push(text);
      open.text += goesOn ? text.slice(0, -1) : text;
      this.#open = goesOn ? open : undefined;
      if (!goesOn) yield* some({ line: open.line, text: open.text, words: open.splitter.end() });
    } catch (error) {
      if (!(error instanceof NetkitError)) throw error;
      this.#open = undefined;
      yield { line: open.line, text: open.text + text, words: [], problem: error };
    }
  }

  #tooLong(): BatchLine {
    if (this.#skipping) this.#line++;
    return this.#refused(`the line is longer than ${longestLine >> 20} MiB`);
  }

  #refused(problem: string): BatchLine {
    const line = this.#open?.line ?? this.#line;
    this.#open = undefined;
    return { line, text: '', words: [], problem: new NetkitError('usage', problem) };
  }
}

/** How many commands there are, lines that are none but should be included. */
export async function countCommands(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  const reader = new LineReader();
  let count = 0;
  for await (const chunk of chunks) for (const _ of reader.push(chunk)) count++;
  for (const _ of reader.end()) count++;
  return count;
}

function* some(line: BatchLine): Generator<BatchLine> {
  if (line.words.length > 0) yield line;
}

/** Undefined when the bytes are no UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function withoutMark(bytes: Uint8Array): Uint8Array {
  return byteOrderMark.every((byte, index) => bytes[index] === byte) ? bytes.subarray(3) : bytes;
}
