/** The bytes of a text file as they come: what is read already goes, what is not yet complete stays. */
import { isUtf8 } from 'node:buffer';
import type { ErrorContext, NetkitError } from '../../base/errors.js';
import { TextSource } from '../codec/index.js';
import { firstBadByte, type Place, problemAt, unitsIn } from './place.js';

/** Bytes that one record or line may have: far above what any entry needs, and what keeps memory bounded. */
export const recordLimit = 16 * 1024 * 1024;

const byteOrderMark = [0xef, 0xbb, 0xbf];

/** Chunks of any size, put together; knows the line and column of each place that is still there. */
export class Intake {
  /** Replaced when it grows or moves: take it anew after each `append`. */
  source = new TextSource(new Uint8Array(64 * 1024));
  /** Where the next byte to be read is; all before it may go. */
  start = 0;
  /** Behind the last byte that came. */
  end = 0;
  /** No more bytes will come. */
  complete = false;
  readonly file: string | undefined;
  /** The line that begins at `#lineStart`, from 1. */
  #line = 1;
  #lineStart = 0;
  /** UTF-16 units of that line which are gone. */
  #unitsGone = 0;
  #begun = false;
  /** The first line feed behind what was last asked for; -1 when it is not known. */
  #lineFeed = -1;

  constructor(file: string | undefined) {
    this.file = file;
  }

  get bytes(): Uint8Array {
    return this.source.bytes;
  }

  get line(): number {
    return this.#line;
  }

  append(chunk: Uint8Array): void {
    if (this.end + chunk.length > this.bytes.length) this.#makeRoom(chunk.length);
    this.bytes.set(chunk, this.end);
    if (this.#lineFeed >= this.end) this.#lineFeed = -1;
    this.end += chunk.length;
    this.source.end = this.end;
  }

  /** Skips a byte order mark. @returns false while too few bytes are there to know */
  begin(): boolean {
    if (this.#begun) return true;
    for (const [index, byte] of byteOrderMark.entries()) {
      if (index >= this.end && !this.complete) return false;
      if (this.bytes[index] !== byte) {
        this.#begun = true;
        return true;
      }
    }
    this.start = byteOrderMark.length;
    this.#lineStart = this.start;
    this.#begun = true;
    return true;
  }

  /** A new line begins at this place. */
  newLine(at: number): void {
    this.#line++;
    this.#lineStart = at;
    this.#unitsGone = 0;
  }

  /** The place of the first line feed from here on; the end when there is none. Cheap for places that go up. */
  lineFeedFrom(at: number): number {
    if (this.#lineFeed < at) {
      const found = this.bytes.indexOf(0x0a, at);
      this.#lineFeed = found < 0 ? this.end : Math.min(found, this.end);
    }
    return this.#lineFeed;
  }

  /** Counts the lines that begin between two places. */
  newLines(from: number, until: number): void {
    const { bytes } = this;
    for (let at = from; at < until; at++) if (bytes[at] === 0x0a) this.newLine(at + 1);
  }

  /** Line and column of a place at or behind the beginning of the current line. */
  placeOf(at: number): Place {
    const { bytes } = this;
    let line = this.#line;
    let lineStart = this.#lineStart;
    let gone = this.#unitsGone;
    for (let next = lineStart; next < at; next++) {
      if (bytes[next] !== 0x0a) continue;
      line++;
      lineStart = next + 1;
      gone = 0;
    }
    return { line, column: gone + unitsIn(bytes.subarray(lineStart, at)) + 1 };
  }

  /** An error at a place in the file. */
  problem(at: number, problem: string, context: ErrorContext = {}): NetkitError {
    return problemAt(this.file, this.placeOf(at), problem, context);
  }

  /** The text of some bytes. @throws NetkitError `bad-value` when they are no UTF-8 */
  text(from: number, until: number): string {
    const { buffer, byteOffset } = this.bytes;
    const bytes = Buffer.from(buffer, byteOffset + from, until - from);
    if (isUtf8(bytes)) return bytes.toString('utf8');
    const bad = from + firstBadByte(bytes);
    const byte = (this.bytes[bad] ?? 0).toString(16).padStart(2, '0');
    throw this.problem(bad, `the byte 0x${byte} is not UTF-8 text`);
  }

  /** @throws NetkitError `bad-value` when what is not yet complete is too long already */
  checkLength(from: number, until: number, what: string): void {
    if (until - from <= recordLimit) return;
    throw this.problem(from, `${what} is longer than ${recordLimit / 1024 / 1024} MB`);
  }

  /** Moves what is left to the front, or into more memory where the front has too little. */
  #makeRoom(count: number): void {
    const kept = this.end - this.start;
    const needed = kept + count;
    const old = this.bytes;
    // Moving a lot for a little would cost quadratic time when a long record comes in small chunks.
    const room = needed * 2 > old.length ? new Uint8Array(Math.max(needed * 2, old.length)) : old;
    if (this.#lineStart < this.start) {
      this.#unitsGone += unitsIn(old.subarray(this.#lineStart, this.start));
      this.#lineStart = this.start;
    }
    room.set(old.subarray(this.start, this.end));
    if (room !== old) this.source = new TextSource(room);
    this.#lineStart -= this.start;
    this.#lineFeed = -1;
    this.start = 0;
    this.end = kept;
    this.source.end = kept;
  }
}
