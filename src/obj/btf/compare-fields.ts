/** Types as comparing needs them: without typedefs, anonymous members in their place. */
import { addressKind, saysIpv6 } from '../codec/named.js';
import type { BtfReference } from './subset.js';
import type { BtfEnum, BtfGraph, BtfType } from './types.js';

/** A field of a value. */
export interface LaidOut extends BtfReference {
  /** From the start of the value. */
  readonly bitOffset: number;
  /** Width of a bit field, else 0. */
  readonly bitSize: number;
}

export type Fields =
  | {
      readonly kind: 'composite';
      readonly word: 'struct' | 'union';
      readonly members: ReadonlyMap<string, LaidOut>;
    }
  | { readonly kind: 'array'; readonly element: BtfReference; readonly length: number }
  | { readonly kind: 'leaf'; readonly meaning: Meaning };

/** What a type consists of. */
export function fieldsOf(field: LaidOut): Fields {
  const { btf, id } = field;
  const type = btf.resolve(id);
  switch (type.kind) {
    case 'struct':
    case 'union': {
      const members = new Map<string, LaidOut>();
      collect(btf, type, field.bitOffset, members);
      return { kind: 'composite', word: type.kind, members };
    }
    case 'datasec': {
      const members = type.variables.map((variable): [string, LaidOut] => [
        btf.type(variable.type).name,
        { btf, id: variable.type, bitOffset: field.bitOffset + variable.offset * 8, bitSize: 0 },
      ]);
      return { kind: 'composite', word: 'struct', members: new Map(members) };
    }
    case 'var':
      return fieldsOf({ ...field, id: type.type });
    case 'array':
      return { kind: 'array', element: { btf, id: type.element }, length: type.length };
    default:
      return { kind: 'leaf', meaning: new Meaning(btf, id, type) };
  }
}

/** Members by name; those of anonymous structs and unions as if they were the outer one's own. */
function collect(
  btf: BtfGraph,
  type: Extract<BtfType, { kind: 'struct' | 'union' }>,
  base: number,
  members: Map<string, LaidOut>,
): void {
  for (const member of type.members) {
    const bitOffset = base + member.bitOffset;
    const inner = btf.resolve(member.type);
    // Bits without a name are padding.
    if (member.name !== '') {
      members.set(member.name, { btf, id: member.type, bitOffset, bitSize: member.bitSize });
    } else if (inner.kind === 'struct' || inner.kind === 'union') {
      collect(btf, inner, bitOffset, members);
    }
  }
}

/** What the bytes of a field say. */
export class Meaning {
  readonly #type: BtfType;
  readonly #size: number;
  readonly #isNetworkOrder: boolean;

  constructor(btf: BtfGraph, id: number, type: BtfType) {
    this.#type = type;
    this.#size = btf.sizeOf(id);
    this.#isNetworkOrder = isNetworkOrder(btf, id);
  }

  /** Do the same bytes mean the same by the new type? */
  accepts(next: Meaning): boolean {
    const [old, other] = [this.#type, next.#type];
    if (this.#size !== next.#size || this.#isNetworkOrder !== next.#isNetworkOrder) return false;
    if (old.kind === 'int' && other.kind === 'int') {
      return (
        old.bits === other.bits &&
        old.bitOffset === other.bitOffset &&
        old.bool === other.bool &&
        // Characters are signed on some machines.
        (old.signed === other.signed || (this.#size === 1 && (isCharacter(old) || isCharacter(other))))
      );
    }
    if (old.kind === 'enum' && other.kind === 'enum') return hasAll(old, other);
    return old.kind === other.kind && (old.kind === 'float' || old.kind === 'ptr');
  }
}

function isCharacter(type: BtfType): boolean {
  return type.name === 'char';
}

function hasAll(old: BtfEnum, next: BtfEnum): boolean {
  const values = new Map(next.values.map(({ name, value }) => [name, value]));
  return old.values.every(({ name, value }) => values.get(name) === value);
}

/** `__be32` and the like somewhere among the typedefs. */
function isNetworkOrder(btf: BtfGraph, id: number): boolean {
  let type = btf.type(id);
  while ('target' in type && type.kind !== 'ptr' && type.kind !== 'decl_tag') {
    if (type.kind === 'typedef' && /^__be(16|32|64)$/.test(type.name)) return true;
    type = btf.type(type.target);
  }
  return false;
}

/** Is an array an address, by its own name, its type's, or that of a struct around it? */
export function isAddress({ btf, id }: BtfReference, path: string): boolean {
  const names = path.split('.');
  let type = btf.type(id);
  for (; 'target' in type; type = btf.type(type.target)) names.push(type.name);
  const size = btf.sizeOf(id);
  if (type.kind !== 'array' || (btf.sizeOf(type.element) !== 1 && !names.some(saysIpv6))) return false;
  return names.some((name) => addressKind(name, size) !== undefined);
}

/** The C spelling; for a bit field with its width, as in `__u32:3`. */
export function describeType({ btf, id, bitSize }: LaidOut): string {
  const name = btf.nameOf(id);
  return bitSize === 0 ? name : `${name}:${bitSize}`;
}
