/** Whether values of one type can become values of another by copying bytes: for moving a map's entries to its successor. */
import { describeType, type Fields, fieldsOf, isAddress, type LaidOut } from './compare-fields.js';
import { badBtf } from './format.js';
import type { BtfReference } from './subset.js';

/** Where a field stands in a value. */
export interface FieldPlace {
  /** Bytes from the start of the value; of a bit field those before its first byte. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** The C spelling of its type. */
  readonly type: string;
}

/** One field that the two types do not share; undefined on the side that does not have it. */
export interface FieldDifference {
  /** `limits.rate`; empty for the value as a whole. */
  readonly path: string;
  readonly from: FieldPlace | undefined;
  readonly to: FieldPlace | undefined;
}

export interface TypeComparison {
  /**
   * `same`: every byte means the same. `grown`: the first `prefix` bytes do, and behind them the new type has more:
   * members added at the end, or a longer array there that is no address. `different`: neither.
   */
  readonly verdict: 'same' | 'grown' | 'different';
  /** Bytes to copy; what follows in the new type is zero. 0 when different. */
  readonly prefix: number;
  /** When different, all that differs; when grown, what is new. Empty when same. */
  readonly differences: readonly FieldDifference[];
}

/**
 * Compares the layouts of two types, field by field: names, places, widths, signs, byte orders and the values of
 * enumerators must agree; names of types need not. Enumerators may be added.
 * @throws NetkitError `bad-object` for a type that has no size
 */
export function compareTypes(from: BtfReference, to: BtfReference): TypeComparison {
  const comparison = new Comparison();
  const root = (type: BtfReference): LaidOut => ({ ...type, bitOffset: 0, bitSize: 0 });
  comparison.compare(root(from), root(to), '');
  return comparison.result(from.btf.sizeOf(from.id), to.btf.sizeOf(to.id));
}

/** Fields visited in one comparison; nesting by value can double them with every level. */
const visitLimit = 200_000;

class Comparison {
  readonly #different: FieldDifference[] = [];
  /** What the new type has more. */
  readonly #added: { readonly field: FieldDifference; readonly bitOffset: number }[] = [];
  /** Where the old type's fields end, in bits; padding behind them does not count. */
  #oldEnd = 0;
  /** How many unions the field stands in: none of their members is at the end. */
  #unions = 0;
  #visits = 0;

  result(fromSize: number, toSize: number): TypeComparison {
    const prefix = Math.ceil(this.#oldEnd / 8);
    const added = this.#added.map(({ field }) => field);
    // What stands in the old type's padding is not behind its fields.
    const isInside = this.#added.some(({ bitOffset }) => bitOffset < prefix * 8);
    if (this.#different.length > 0 || isInside) {
      return { verdict: 'different', prefix: 0, differences: [...this.#different, ...added] };
    }
    if (added.length === 0 && fromSize === toSize)
      return { verdict: 'same', prefix: toSize, differences: [] };
    return { verdict: 'grown', prefix, differences: added };
  }

  /** Compares two fields of one path. */
  compare(from: LaidOut, to: LaidOut, path: string): void {
    if (++this.#visits > visitLimit) throw badBtf(`${from.btf.nameOf(from.id)} has too many members`);
    const [old, next] = [fieldsOf(from), fieldsOf(to)];
    if (old.kind === 'composite' && next.kind === 'composite' && old.word === next.word) {
      const depth = old.word === 'union' ? 1 : 0;
      this.#unions += depth;
      this.#members(old, next, path);
      this.#unions -= depth;
      return;
    }
    const end = from.bitOffset + (from.bitSize || from.btf.sizeOf(from.id) * 8);
    this.#oldEnd = Math.max(this.#oldEnd, end);
    if (old.kind === 'array' && next.kind === 'array' && this.#isArray(old, next, from, to, path)) return;
    const isSame = old.kind === 'leaf' && next.kind === 'leaf' && old.meaning.accepts(next.meaning);
    if (!isSame || from.bitOffset !== to.bitOffset || from.bitSize !== to.bitSize) {
      this.#different.push({ path, from: placeOf(from), to: placeOf(to) });
    }
  }

  /** Compares the members of two structs, or of two unions. */
  #members(
    old: Extract<Fields, { kind: 'composite' }>,
    next: Extract<Fields, { kind: 'composite' }>,
    path: string,
  ): void {
    const named = (name: string): string => (path === '' ? name : `${path}.${name}`);
    for (const [name, member] of old.members) {
      const other = next.members.get(name);
      if (other !== undefined) {
        this.compare(member, other, named(name));
        continue;
      }
      this.#different.push({ path: named(name), from: placeOf(member), to: undefined });
    }
    for (const [name, member] of next.members) {
      if (old.members.has(name)) continue;
      const field = { path: named(name), from: undefined, to: placeOf(member) };
      this.#added.push({ field, bitOffset: member.bitOffset });
    }
  }

  /** Two arrays that begin at one place and have the same elements; the new one may be longer. @returns false when that is not so */
  #isArray(
    old: Extract<Fields, { kind: 'array' }>,
    next: Extract<Fields, { kind: 'array' }>,
    from: LaidOut,
    to: LaidOut,
    path: string,
  ): boolean {
    if (from.bitOffset !== to.bitOffset || next.length < old.length) return false;
    const elements = compareTypes(old.element, next.element);
    if (elements.verdict !== 'same') {
      if (!elements.differences.some(({ path: inner }) => inner !== '')) return false;
      for (const each of elements.differences) this.#different.push(within(each, path, from.bitOffset / 8));
      return true;
    }
    if (next.length > old.length) {
      // An IPv4 address with zeros behind is not that address in IPv6.
      if (this.#unions > 0 || isAddress(from, path) || isAddress(to, path)) return false;
      const bitOffset = from.bitOffset + from.btf.sizeOf(from.id) * 8;
      this.#added.push({ field: { path, from: placeOf(from), to: placeOf(to) }, bitOffset });
    }
    return true;
  }
}

function placeOf(field: LaidOut): FieldPlace {
  const { btf, id, bitOffset, bitSize } = field;
  const size = bitSize === 0 ? btf.sizeOf(id) : Math.ceil(((bitOffset % 8) + bitSize) / 8);
  return { offset: Math.floor(bitOffset / 8), size, type: describeType(field) };
}

/** A difference between the elements of two arrays, told for the first ones. */
function within({ path, from, to }: FieldDifference, array: string, offset: number): FieldDifference {
  const moved = (place: FieldPlace | undefined): FieldPlace | undefined =>
    place === undefined ? undefined : { ...place, offset: offset + place.offset };
  return { path: `${array}[0].${path}`, from: moved(from), to: moved(to) };
}
