import { BtfStrings } from './strings.js';
import type { TypeTable } from './table.js';

/**
 * Ids of the types of one table by the hash of their name, in chains: the kernel's 150,000 types are indexed in a few
 * milliseconds because no name is decoded.
 */
export class NameIndex {
  readonly #first: number;
  readonly #mask: number;
  /** Id of the first type in each chain, and of the next one after each type; 0 ends a chain. */
  readonly #heads: Uint32Array;
  readonly #next: Uint32Array;

  constructor(table: TypeTable, strings: BtfStrings) {
    const own = table.count - table.first;
    const buckets = 2 ** Math.ceil(Math.log2(own + 2));
    this.#first = table.first;
    this.#mask = buckets - 1;
    this.#heads = new Uint32Array(buckets);
    this.#next = new Uint32Array(own);
    for (let id = table.count - 1; id >= table.first; id--) {
      const offset = table.word(id, 0);
      if (strings.isEmptyAt(offset)) {
        continue;
      }
      const bucket = strings.hashAt(offset) & this.#mask;
      this.#next[id - table.first] = this.#heads[bucket] ?? 0;
      this.#heads[bucket] = id;
    }
  }

  /** Ids of types that may have this name, lowest first. */
  *candidates(name: string): Generator<number> {
    let id = this.#heads[BtfStrings.hashOf(name) & this.#mask] ?? 0;
    while (id !== 0) {
      yield id;
      id = this.#next[id - this.#first] ?? 0;
    }
  }
}
