/** JSON: an array of entries, or an object with such an array under `entries`, as `map dump --json` writes it. */
import type { EntryShape } from './batch.js';
import { recordLimit } from './intake.js';
import { JsonExtent } from './json-extent.js';
import { JsonRecords } from './json-record.js';
import { parsed } from './json-slow.js';
import type { EntryReaderOptions } from './streams.js';
import { TextReader } from './text-reader.js';

/** What may come next, white space aside. */
type State =
  | 'document'
  | 'first-member'
  | 'member'
  | 'colon'
  | 'member-value'
  | 'behind-member'
  | 'first-entry'
  | 'entry'
  | 'behind-entry'
  | 'nothing';

const expected: Readonly<Record<State, string>> = {
  document: 'an array of entries, or an object with one under "entries"',
  'first-member': "a member name in double quotes or '}'",
  member: 'a member name in double quotes',
  colon: "':'",
  'member-value': 'a value',
  'behind-member': "',' or '}'",
  'first-entry': 'an entry such as {"key":…,"value":…}, or \']\'',
  entry: 'an entry such as {"key":…,"value":…}',
  'behind-entry': "',' or ']'",
  nothing: 'the end of the file',
};

export class JsonReader extends TextReader {
  readonly #records: JsonRecords;
  readonly #extent = new JsonExtent();
  #state: State = 'document';
  /** The entries stand in an object. */
  #inObject = false;
  #member = '';
  readonly #members = new Set<string>();

  constructor(shape: EntryShape, options: EntryReaderOptions) {
    super(shape, options);
    this.#records = new JsonRecords(shape, this.batch, options);
  }

  protected override checkEnd(): void {
    if (this.#state !== 'nothing') throw this.#cut();
  }

  protected override fill(): boolean {
    const intake = this.intake;
    if (!intake.begin()) return false;
    while (!this.batch.isFull) {
      this.#skipSpace();
      if (intake.start >= intake.end) return false;
      const byte = intake.bytes[intake.start] ?? 0;
      if (byte === 0x7b && (this.#state === 'entry' || this.#state === 'first-entry')) {
        if (!this.#entry()) return false;
      } else if (!this.#step(byte)) {
        return false;
      }
    }
    return true;
  }

  #skipSpace(): void {
    const intake = this.intake;
    const { bytes, end } = intake;
    let at = intake.start;
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte === 0x0a) intake.newLine(at + 1);
      else if (byte !== 0x20 && byte !== 0x0d && byte !== 0x09) break;
    }
    intake.start = at;
  }

  /** @returns false while its end is missing */
  #entry(): boolean {
    const intake = this.intake;
    const { source, end } = intake;
    const start = intake.start;
    const batch = this.batch;
    let behind = -1;
    if (this.#extent.isUnderWay) {
      behind = this.#find(start);
      if (behind < 0) return false;
    }
    const taken = this.#records.take(source, start, end);
    if (taken >= 0 && taken - start <= recordLimit) {
      batch.lines[batch.count++] = intake.line;
      const { hasLines, mayHaveLines } = this.#records;
      if (hasLines || (mayHaveLines && intake.lineFeedFrom(start) < taken)) intake.newLines(start, taken);
      this.#leave(taken, 'behind-entry');
      return true;
    }
    if (behind < 0) behind = this.#find(start);
    if (behind < 0) return false;
    this.#records.read(intake, start, behind);
    batch.lines[batch.count++] = intake.line;
    intake.newLines(start, behind);
    this.#leave(behind, 'behind-entry');
    return true;
  }

  /** The place behind the value at `start`, -1 while it is missing. */
  #find(start: number): number {
    const intake = this.intake;
    let behind = this.#extent.find(intake.bytes, start, intake.end);
    intake.checkLength(start, behind < 0 ? intake.end : behind, 'what begins here');
    // A number has no end of its own: the file's end is one.
    const byte = intake.bytes[start];
    const isWord = byte !== 0x7b && byte !== 0x5b && byte !== 0x22;
    if (behind < 0 && intake.complete && isWord) behind = intake.end;
    if (behind >= 0) this.#extent.reset();
    return behind;
  }

  #leave(behind: number, state: State): true {
    this.intake.start = behind;
    this.#state = state;
    return true;
  }

  /** Goes on over anything but an entry. @returns false while something is missing */
  #step(byte: number): boolean {
    const next = this.intake.start + 1;
    const character = String.fromCharCode(byte);
    switch (this.#state) {
      case 'document':
        if (character === '[') return this.#leave(next, 'first-entry');
        if (character !== '{') break;
        this.#inObject = true;
        return this.#leave(next, 'first-member');
      case 'first-member':
      case 'member':
        if (character === '"') return this.#memberName();
        if (character !== '}' || this.#state === 'member') break;
        return this.#close(next);
      case 'colon':
        if (character !== ':') break;
        return this.#leave(next, 'member-value');
      case 'member-value':
        return this.#memberValue(character);
      case 'behind-member':
        if (character === ',') return this.#leave(next, 'member');
        if (character !== '}') break;
        return this.#close(next);
      case 'first-entry':
      case 'behind-entry':
        if (character === ']') return this.#leave(next, this.#inObject ? 'behind-member' : 'nothing');
        if (character !== ',' || this.#state === 'first-entry') break;
        return this.#leave(next, 'entry');
      default:
        break;
    }
    return this.#refuse();
  }

  #memberName(): boolean {
    const intake = this.intake;
    const { start } = intake;
    const behind = this.#find(start);
    if (behind < 0) return false;
    this.#member = String(parsed(intake, start, intake.text(start, behind)));
    if (this.#members.has(this.#member)) {
      throw intake.problem(start, `member ${JSON.stringify(this.#member)} stands here twice`);
    }
    this.#members.add(this.#member);
    return this.#leave(behind, 'colon');
  }

  #memberValue(character: string): boolean {
    const intake = this.intake;
    const { start } = intake;
    if (this.#member === 'entries') {
      if (character === '[') return this.#leave(start + 1, 'first-entry');
      throw intake.problem(start, '"entries" must be an array of entries');
    }
    const behind = this.#find(start);
    if (behind < 0) return false;
    parsed(intake, start, intake.text(start, behind));
    intake.newLines(start, behind);
    return this.#leave(behind, 'behind-member');
  }

  #close(behind: number): boolean {
    if (this.#members.has('entries')) return this.#leave(behind, 'nothing');
    const isEntry = this.#members.has('value');
    throw this.intake.problem(behind - 1, 'this object has no member "entries", an array of entries', {
      hint: isEntry ? 'one entry a line is read from a file named .ndjson' : undefined,
    });
  }

  /** @returns false while the whole character is not there */
  #refuse(): false {
    const { start, bytes, end, complete } = this.intake;
    const lead = bytes[start] ?? 0;
    const behind = start + (lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);
    if (behind > end && !complete) return false;
    const found = this.intake.text(start, Math.min(behind, end));
    throw this.intake.problem(start, `expected ${expected[this.#state]}, found ${JSON.stringify(found)}`);
  }

  #cut(): Error {
    const { start, end } = this.intake;
    if (this.#state === 'document') return this.intake.problem(end, 'the file is empty');
    const where =
      start < end
        ? `in the middle of what begins in line ${this.intake.line}`
        : `where ${expected[this.#state]} must follow`;
    return this.intake.problem(end, `the file ends ${where}: it was cut`);
  }
}
