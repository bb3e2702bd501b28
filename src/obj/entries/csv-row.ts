/** Rows of CSV (RFC 4180) by way of text: slower than straight from the bytes, and able to say what is wrong where. */
import type { Intake } from './intake.js';

const quote = 0x22;
const comma = 0x2c;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Finds the end of a row, in pieces as they come. */
export class RowExtent {
  #seen = 0;
  /** Where in a field the next byte stands. */
  #place: 'start' | 'plain' | 'quoted' | 'behind-quote' = 'start';

  reset(): void {
    this.#seen = 0;
    this.#place = 'start';
  }

  get isUnderWay(): boolean {
    return this.#seen > 0;
  }

  /** The place of the line feed that ends the row which begins at `start`, or -1 while it is missing. */
  find(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start + this.#seen; at < end; at++) {
      const byte = bytes[at];
      if (this.#place === 'quoted') {
        if (byte === quote) this.#place = 'behind-quote';
      } else if (byte === lineFeed) {
        return at;
      } else if (byte === quote && this.#place !== 'plain') {
        // A doubled quote goes on with the field.
        this.#place = 'quoted';
      } else {
        this.#place = byte === comma ? 'start' : 'plain';
      }
    }
    this.#seen = end - start;
    return -1;
  }
}

/** A field as it was meant: without its quotes. */
export interface Field {
  readonly text: string;
  /** Its place in the file, quotes included. */
  readonly at: number;
}

/**
 * The fields of the row between two places.
 * @throws NetkitError `bad-value` for quotes that do not belong, and for what is no UTF-8
 */
export function fieldsOf(intake: Intake, start: number, rowEnd: number): Field[] {
  const { bytes } = intake;
  const end = rowEnd > start && bytes[rowEnd - 1] === carriageReturn ? rowEnd - 1 : rowEnd;
  const fields: Field[] = [];
  let at = start;
  for (;;) {
    const behind = bytes[at] === quote && at < end ? quotedEnd(intake, at, end) : plainEnd(intake, at, end);
    const isQuoted = behind > at && bytes[at] === quote;
    const text = isQuoted ? intake.text(at + 1, behind - 1).replaceAll('""', '"') : intake.text(at, behind);
    fields.push({ text, at });
    if (behind >= end) return fields;
    at = behind + 1;
  }
}

function plainEnd(intake: Intake, start: number, end: number): number {
  const { bytes } = intake;
  let at = start;
  for (; at < end && bytes[at] !== comma; at++) {
    if (bytes[at] !== quote) continue;
    throw intake.problem(
      at,
      'a double quote within a field: the whole field must stand in quotes, and this one twice',
    );
  }
  return at;
}

function quotedEnd(intake: Intake, start: number, end: number): number {
  const { bytes } = intake;
  for (let at = start + 1; at < end; at++) {
    if (bytes[at] !== quote) continue;
    if (bytes[at + 1] === quote && at + 1 < end) {
      at++;
      continue;
    }
    if (at + 1 < end && bytes[at + 1] !== comma) {
      throw intake.problem(at + 1, 'text behind the double quote that ends a field');
    }
    return at + 1;
  }
  throw intake.problem(start, 'a field begins with a double quote, and no other one ends it');
}
