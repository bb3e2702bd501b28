import { badBtf, Kind, kindFlagOf, kindOf, recordWords, tailWords, vlenOf } from './format.js';

/** Where each type record of one BTF blob begins, and access to its words by type id. Knows nothing of their meaning. */
export class TypeTable {
  /** Id of the first type of this blob: 1, or the number of types in the base (void included) when split. */
  readonly first: number;
  /** Ids are below this. */
  readonly count: number;
  readonly base: TypeTable | undefined;
  readonly words: Uint32Array;
  readonly #starts: Uint32Array;

  /** @throws NetkitError `bad-object` for an unknown kind and for records that do not fill the section exactly */
  constructor(words: Uint32Array, base?: TypeTable) {
    this.words = words;
    this.base = base;
    this.first = base?.count ?? 1;
    this.#starts = recordStarts(words, this.first);
    this.count = this.first + this.#starts.length;
  }

  /** Index into `words` of an own type's record. */
  start(id: number): number {
    const start = this.#starts[id - this.first];
    if (start === undefined) {
      throw badBtf(`there is no type ${id}`);
    }
    return start;
  }

  /** A word of an own type's record, counted from the record's beginning. */
  word(id: number, index: number): number {
    return this.words[this.start(id) + index] ?? 0;
  }

  /** Kind number of any type, void and the base's included. */
  kind(id: number): number {
    if (id >= this.first) {
      return kindOf(this.word(id, 1));
    }
    return this.base === undefined ? Kind.void : this.base.kind(id);
  }

  kindFlag(id: number): boolean {
    return kindFlagOf(this.word(id, 1));
  }

  vlen(id: number): number {
    return vlenOf(this.word(id, 1));
  }
}

function recordStarts(words: Uint32Array, first: number): Uint32Array {
  const starts = new Uint32Array(Math.floor(words.length / recordWords));
  let count = 0;
  let at = 0;
  while (at < words.length) {
    const info = words[at + 1] ?? 0;
    const kind = kindOf(info);
    const tail = tailWords[kind];
    if (tail === undefined || kind === Kind.void) {
      throw badBtf(`type ${first + count} is of kind ${kind}, which is not known`);
    }
    const end = at + recordWords + tail.fixed + tail.each * vlenOf(info);
    if (end > words.length) {
      throw badBtf(`type ${first + count} reaches beyond the type section`);
    }
    starts[count++] = at;
    at = end;
  }
  return starts.slice(0, count);
}
