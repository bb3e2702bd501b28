import { badBtf, isModifier, Kind, kindFlagOf, kindOf, recordWords, vlenOf } from './format.js';
import type { TypeTable } from './table.js';

/** The deepest nesting by value that is accepted. Compilers and kernels stay far below; the verifier refuses 32. */
const deepest = 256;
const largest = 0xffff_ffff;
const pointerSize = 8;

/** Where a member lies in its struct, in bits; the size is 0 for what is no bit field. */
export interface MemberBits {
  readonly bitOffset: number;
  readonly bitSize: number;
}

/**
 * Sizes, and the types behind modifiers, of all types of a table: computed once, depth first and without recursion, so
 * that a graph which contains itself by value is found out and every later walk over values is bounded.
 */
export class Layout {
  readonly #table: TypeTable;
  readonly #base: Layout | undefined;
  /** Bytes, NaN for types without a size. */
  readonly #sizes: Float64Array;
  readonly #resolved: Uint32Array;
  /** 0 until the type is done, then one more than the deepest of the types that it contains. */
  readonly #depths: Uint16Array;

  /** @throws NetkitError `bad-object` for cycles, impossible sizes, and members that lie outside their struct */
  constructor(table: TypeTable, base?: Layout) {
    const own = table.count - table.first;
    this.#table = table;
    this.#base = base;
    this.#sizes = new Float64Array(own);
    this.#resolved = new Uint32Array(own);
    this.#depths = new Uint16Array(own);
    this.#visitAll();
  }

  /** Bytes, NaN for a type without a size. */
  sizeOf(id: number): number {
    if (id >= this.#table.first) {
      return this.#sizes[id - this.#table.first] ?? Number.NaN;
    }
    return this.#base === undefined ? Number.NaN : this.#base.sizeOf(id);
  }

  /** Id of the type behind modifiers. */
  resolve(id: number): number {
    if (id >= this.#table.first) {
      return this.#resolved[id - this.#table.first] ?? 0;
    }
    return this.#base === undefined ? id : this.#base.resolve(id);
  }

  #depthOf(id: number): number {
    if (id >= this.#table.first) {
      return this.#depths[id - this.#table.first] ?? 0;
    }
    return this.#base === undefined ? 1 : this.#base.#depthOf(id);
  }

  #visitAll(): void {
    const { first, count } = this.#table;
    const isOpen = new Uint8Array(count - first);
    const path: number[] = [];
    const nextEdge: number[] = [];
    for (let root = first; root < count; root++) {
      if (this.#depthOf(root) !== 0) {
        continue;
      }
      path.push(root);
      nextEdge.push(0);
      isOpen[root - first] = 1;
      while (path.length > 0) {
        const top = path.length - 1;
        const id = path[top] ?? 0;
        const edge = nextEdge[top] ?? 0;
        if (edge >= this.#edges(id)) {
          this.#finish(id);
          isOpen[id - first] = 0;
          path.pop();
          nextEdge.pop();
          continue;
        }
        nextEdge[top] = edge + 1;
        const target = this.#edge(id, edge);
        if (this.#depthOf(target) !== 0) {
          continue;
        }
        if (isOpen[target - first] === 1) {
          throw badBtf(`type ${target} contains itself`);
        }
        isOpen[target - first] = 1;
        path.push(target);
        nextEdge.push(0);
      }
    }
  }

  /** How many types a type contains by value. */
  #edges(id: number): number {
    const info = this.#table.word(id, 1);
    const kind = kindOf(info);
    if (kind === Kind.struct || kind === Kind.union || kind === Kind.datasec) {
      return vlenOf(info);
    }
    return kind === Kind.array || kind === Kind.variable || isModifier(kind) ? 1 : 0;
  }

  #edge(id: number, index: number): number {
    const kind = this.#table.kind(id);
    if (kind === Kind.struct || kind === Kind.union) {
      return this.#table.word(id, recordWords + index * 3 + 1);
    }
    if (kind === Kind.datasec) {
      return this.#table.word(id, recordWords + index * 3);
    }
    return this.#table.word(id, kind === Kind.array ? recordWords : 2);
  }

  #finish(id: number): void {
    const table = this.#table;
    const at = id - table.first;
    let depth = 1;
    const edges = this.#edges(id);
    for (let index = 0; index < edges; index++) {
      depth = Math.max(depth, this.#depthOf(this.#edge(id, index)) + 1);
    }
    if (depth > deepest) {
      throw badBtf(`type ${id} is nested more than ${deepest} levels deep`);
    }
    const info = table.word(id, 1);
    const kind = kindOf(info);
    this.#depths[at] = depth;
    this.#resolved[at] = isModifier(kind) ? this.resolve(table.word(id, 2)) : id;
    this.#sizes[at] = this.#measure(id, kind);
    if (kind === Kind.struct || kind === Kind.union) {
      this.#checkMembers(id, kind === Kind.union, kindFlagOf(info));
    }
  }

  #measure(id: number, kind: number): number {
    const table = this.#table;
    switch (kind) {
      case Kind.int:
      case Kind.float:
      case Kind.struct:
      case Kind.union:
      case Kind.enum:
      case Kind.enum64:
      case Kind.datasec:
        return table.word(id, 2);
      case Kind.ptr:
        return pointerSize;
      case Kind.array: {
        const size = this.sizeOf(table.word(id, recordWords)) * table.word(id, recordWords + 2);
        if (size > largest) {
          throw badBtf(`type ${id} is an array of ${size} bytes`);
        }
        return size;
      }
      default:
        return kind === Kind.variable || isModifier(kind) ? this.sizeOf(table.word(id, 2)) : Number.NaN;
    }
  }

  #checkMembers(id: number, isUnion: boolean, kindFlag: boolean): void {
    const table = this.#table;
    const available = table.word(id, 2) * 8;
    const end = table.start(id) + recordWords + table.vlen(id) * 3;
    for (let at = table.start(id) + recordWords; at < end; at += 3) {
      const type = table.words[at + 1] ?? 0;
      const { bitOffset, bitSize } = this.memberBits(type, table.words[at + 2] ?? 0, kindFlag);
      const size = this.sizeOf(type);
      const resolved = table.kind(this.resolve(type));
      const integral = resolved === Kind.int || resolved === Kind.enum || resolved === Kind.enum64;
      const fits =
        bitSize === 0
          ? bitOffset % 8 === 0 && bitOffset + size * 8 <= available
          : integral && bitSize <= size * 8 && bitOffset + bitSize <= available;
      // NaN, the size of a type without one, fails both comparisons.
      if (!fits || (isUnion && bitOffset !== 0) || !(size >= 0)) {
        throw badBtf(`member ${(at - table.start(id) - recordWords) / 3} of type ${id} does not fit into it`);
      }
    }
  }

  /** Reads a member's third word, which depends on the struct's kind flag. */
  memberBits(type: number, word: number, kindFlag: boolean): MemberBits {
    const bitSize = kindFlag ? word >>> 24 : 0;
    const bitOffset = kindFlag ? word & 0xffffff : word;
    if (bitSize !== 0) {
      return { bitOffset, bitSize };
    }
    // Before structs told the width of their bit fields, an integer type of that width did.
    const encoding = this.#intEncoding(type);
    const bits = encoding & 0xff;
    const isWhole = encoding === 0 || (bits === this.sizeOf(type) * 8 && bitOffset % 8 === 0);
    return isWhole
      ? { bitOffset, bitSize: 0 }
      : { bitOffset: bitOffset + ((encoding >>> 16) & 0xff), bitSize: bits };
  }

  /** The encoding word of the integer behind a type, 0 when there is none. */
  #intEncoding(type: number): number {
    const id = this.resolve(type);
    if (id < this.#table.first) {
      return this.#base === undefined ? 0 : this.#base.#intEncoding(id);
    }
    return this.#table.kind(id) === Kind.int ? this.#table.word(id, recordWords) : 0;
  }
}
