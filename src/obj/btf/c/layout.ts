import type { BtfComposite, BtfGraph, BtfMember } from '../types.js';

/** Bits that nothing uses but that the compiler must be told of. */
export interface Gap {
  readonly bitOffset: number;
  readonly bits: number;
}

/** How to write a struct or union so that a compiler lays it out as BTF says. */
export interface CLayout {
  /** Bytes; what the compiler will make of the text, which may be less than the original's. */
  readonly align: number;
  readonly packed: boolean;
  /** The members overlap in a way that C does not know: write only the size. */
  readonly opaque: boolean;
  readonly parts: readonly (BtfMember | Gap)[];
}

const pointerSize = 8;

/**
 * Layouts by the rules of the System V ABI, which the BPF target follows: a member is aligned as its type, a bit field
 * lies within one unit of its type, an unnamed bit field does not align the struct.
 */
export class CLayouts {
  readonly #btf: BtfGraph;
  readonly #known = new Map<number, CLayout>();

  constructor(btf: BtfGraph) {
    this.#btf = btf;
  }

  /** Alignment in bytes of the type as the header writes it. */
  alignOf(id: number): number {
    const type = this.#btf.resolve(id);
    switch (type.kind) {
      case 'int':
      case 'enum':
        return type.size;
      case 'float':
        return type.size === 4 || type.size === 8 ? type.size : 1;
      case 'ptr':
        return pointerSize;
      case 'array':
        return this.alignOf(type.element);
      case 'struct':
      case 'union':
        return this.of(type).align;
      default:
        return 1;
    }
  }

  of(type: BtfComposite): CLayout {
    const known = this.#known.get(type.id);
    if (known !== undefined) {
      return known;
    }
    const layout = this.#compute(type);
    this.#known.set(type.id, layout);
    return layout;
  }

  #compute(type: BtfComposite): CLayout {
    const members = [...type.members].sort((a, b) => a.bitOffset - b.bitOffset);
    const natural = members.reduce((align, member) => Math.max(align, this.alignOf(member.type)), 1);
    const packed = type.size % natural !== 0 || members.some((member) => this.#isMisplaced(member));
    const align = packed ? 1 : natural;
    const parts =
      type.kind === 'union' ? this.#unionParts(type, align) : this.#structParts(type, members, packed);
    if (parts === undefined || (members.length === 0 && type.size > 0)) {
      return { align: 1, packed: false, opaque: true, parts: [] };
    }
    return { align, packed, opaque: false, parts };
  }

  #isMisplaced(member: BtfMember): boolean {
    if (member.bitSize === 0) {
      return member.bitOffset % (this.alignOf(member.type) * 8) !== 0;
    }
    return this.#crosses(member, member.bitOffset);
  }

  /** Whether a bit field at this place would lie in two units of its type. */
  #crosses(member: BtfMember, bitOffset: number): boolean {
    const unit = this.#btf.sizeOf(member.type) * 8;
    return Math.floor(bitOffset / unit) !== Math.floor((bitOffset + member.bitSize - 1) / unit);
  }

  #unionParts(type: BtfComposite, align: number): (BtfMember | Gap)[] {
    const largest = type.members.reduce(
      (bytes, member) => Math.max(bytes, Math.ceil(this.#bits(member) / 8)),
      0,
    );
    const isShort = roundUp(largest, align) < type.size;
    return isShort ? [...type.members, { bitOffset: 0, bits: type.size * 8 }] : [...type.members];
  }

  #structParts(
    type: BtfComposite,
    members: readonly BtfMember[],
    packed: boolean,
  ): (BtfMember | Gap)[] | undefined {
    const parts: (BtfMember | Gap)[] = [];
    let end = 0;
    for (const member of members) {
      const placed = this.#place(member, end, packed);
      if (placed > member.bitOffset) {
        return undefined;
      }
      if (placed < member.bitOffset) {
        parts.push({ bitOffset: end, bits: member.bitOffset - end });
      }
      parts.push(member);
      end = member.bitOffset + this.#bits(member);
    }
    const align = packed ? 1 : members.reduce((most, member) => Math.max(most, this.alignOf(member.type)), 1);
    if (roundUp(Math.ceil(end / 8), align) < type.size) {
      parts.push({ bitOffset: end, bits: type.size * 8 - end });
    }
    return parts;
  }

  /** Where the compiler puts a member when the bits up to `end` are in use. */
  #place(member: BtfMember, end: number, packed: boolean): number {
    if (member.bitSize === 0) {
      return roundUp(end, packed ? 8 : this.alignOf(member.type) * 8);
    }
    const crosses = !packed && this.#crosses(member, end);
    return crosses ? roundUp(end, this.#btf.sizeOf(member.type) * 8) : end;
  }

  #bits(member: BtfMember): number {
    return member.bitSize === 0 ? this.#btf.sizeOf(member.type) * 8 : member.bitSize;
  }
}

export function isGap(part: BtfMember | Gap): part is Gap {
  return 'bits' in part;
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
