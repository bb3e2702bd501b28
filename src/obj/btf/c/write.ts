import { badBtf } from '../format.js';
import type { BtfComposite, BtfEnum, BtfGraph, BtfMember, BtfPrototype, BtfType } from '../types.js';
import { CLayouts, type Gap, isGap } from './layout.js';
import { type CNames, identifier, integerWordsOf, memberName } from './names.js';

/** Where a type stands. Anonymous types have no body in a prototype: it would be another type each time. */
interface Place {
  readonly indent: string;
  readonly inPrototype: boolean;
  readonly depth: number;
}

const deepest = 256;
/** Characters of a header, at least and per type: the kernel's needs about 25 per type. */
const fewest = 2 ** 20;
const perType = 2 ** 10;
const most = 2 ** 28;
/** Gaps from this many bytes on are written as an array, smaller ones as unnamed bit fields. */
const largeGap = 64;

const gapUnits = [
  { bits: 64, words: 'long' },
  { bits: 32, words: 'int' },
  { bits: 16, words: 'short' },
  { bits: 8, words: 'char' },
] as const;

const enumModes: Readonly<Record<number, string>> = { 1: 'QI', 2: 'HI', 8: 'DI' };

/** Writes declarations and bodies of types in C. */
export class CWriter {
  readonly #btf: BtfGraph;
  readonly #names: CNames;
  readonly #layouts: CLayouts;
  readonly #writtenEnums = new Set<number>();
  #left: number;

  constructor(btf: BtfGraph, names: CNames) {
    this.#btf = btf;
    this.#names = names;
    this.#layouts = new CLayouts(btf);
    this.#left = Math.min(fewest + perType * btf.count, most);
  }

  /** The declaration of a name with a type, without the semicolon: `int (*name)(void)`. */
  declaration(id: number, name: string): string {
    return this.#declare(id, name, { indent: '', inPrototype: false, depth: 0 });
  }

  /** A struct, union or enum with its body, without the semicolon. */
  definition(type: BtfComposite | BtfEnum): string {
    return this.#definition(type, { indent: '', inPrototype: false, depth: 0 });
  }

  /** Whether an enum's values are in the text already. */
  hasWritten(type: BtfEnum): boolean {
    return this.#writtenEnums.has(type.id);
  }

  #spend(text: string): string {
    this.#left -= text.length + 1;
    if (this.#left < 0) {
      throw badBtf('its types multiply without end when written as C');
    }
    return text;
  }

  /** Follows a type from the name outwards, as C reads. */
  #declare(id: number, name: string, place: Place): string {
    let declarator = name;
    let qualifiers = '';
    let isPointer = false;
    let inner = place;
    let current = this.#btf.type(id);
    for (let step = 0; step < deepest; step++) {
      this.#spend('');
      switch (current.kind) {
        case 'const':
        case 'volatile':
          // The qualifier may be there already, on the element of an array of a qualified type.
          if (!qualifiers.includes(current.kind)) {
            qualifiers += `${current.kind} `;
          }
          current = this.#btf.type(current.target);
          break;
        case 'restrict':
        case 'type_tag':
          // Neither has a meaning for the layout or for CO-RE relocations.
          current = this.#btf.type(current.target);
          break;
        case 'ptr':
          declarator = this.#spend(`*${qualifiers}${declarator}`);
          qualifiers = '';
          isPointer = true;
          current = this.#btf.type(current.target);
          break;
        case 'array':
          declarator = this.#spend(`${isPointer ? `(${declarator})` : declarator}[${current.length}]`);
          isPointer = false;
          current = this.#btf.type(current.element);
          break;
        case 'func_proto':
          declarator = this.#spend(
            `${isPointer ? `(${declarator})` : declarator}(${this.#parameters(current, place)})`,
          );
          isPointer = false;
          // A qualified function type does not exist; its result is another matter.
          qualifiers = '';
          current = this.#btf.type(current.returns);
          inner = { ...place, inPrototype: true };
          break;
        default: {
          const specifier = this.#specifier(current, { ...inner, depth: place.depth + 1 }, isPointer);
          return this.#spend(
            declarator === '' ? `${qualifiers}${specifier}` : `${qualifiers}${specifier} ${declarator}`,
          );
        }
      }
    }
    throw badBtf(`type ${id} is nested more than ${deepest} levels deep`);
  }

  #checkDepth(type: BtfType, place: Place): void {
    if (place.depth > deepest) {
      throw badBtf(`type ${type.id} is nested more than ${deepest} levels deep`);
    }
  }

  #parameters(type: BtfPrototype, place: Place): string {
    this.#checkDepth(type, place);
    const inner = { ...place, inPrototype: true, depth: place.depth + 1 };
    const all = type.parameters.map((parameter) => this.#declare(parameter.type, '', inner));
    if (type.variadic && all.length > 0) {
      all.push('...');
    }
    // Before C23 a prototype of nothing but `...` cannot be written; one without parameters takes any.
    return all.length === 0 && !type.variadic ? 'void' : all.join(', ');
  }

  #specifier(type: BtfType, place: Place, isPointer: boolean): string {
    switch (type.kind) {
      case 'void':
        return 'void';
      case 'int':
        return integerWordsOf(type);
      case 'float':
        return floatName(type.size);
      case 'typedef':
        return this.#names.typedef(type);
      case 'fwd':
        return `${type.of} ${this.#names.tag(type)}`;
      case 'struct':
      case 'union':
      case 'enum':
        if (type.name !== '') {
          return `${type.kind} ${this.#names.tag(type)}`;
        }
        if (place.inPrototype) {
          return isPointer ? 'void' : 'int';
        }
        return this.#definition(type, place);
      default:
        throw badBtf(`type ${type.id}, a ${type.kind}, cannot be declared`);
    }
  }

  #definition(type: BtfComposite | BtfEnum, place: Place): string {
    this.#checkDepth(type, place);
    const head = type.name === '' ? type.kind : `${type.kind} ${this.#names.tag(type)}`;
    return type.kind === 'enum' ? this.#enum(type, head, place) : this.#composite(type, head, place);
  }

  #enum(type: BtfEnum, head: string, place: Place): string {
    this.#writtenEnums.add(type.id);
    const lines = type.values.map(({ name, value }) =>
      this.#spend(`${place.indent}\t${this.#names.ordinary(name)} = ${literal(value)},`),
    );
    if (lines.length === 0) {
      lines.push(
        `${place.indent}\t${this.#names.ordinary(`__no_value_of_enum_${identifier(type.name)}`)} = 0,`,
      );
    }
    const mode = enumModes[type.size];
    const attribute = mode === undefined ? '' : ` __attribute__((mode(${mode})))`;
    return `${head} {\n${lines.join('\n')}\n${place.indent}}${attribute}`;
  }

  #composite(type: BtfComposite, head: string, place: Place): string {
    this.#checkDepth(type, place);
    const layout = this.#layouts.of(type);
    if (layout.opaque) {
      return this.#spend(
        `${head} {\n${place.indent}\tunsigned char __opaque[${type.size}];\n${place.indent}}`,
      );
    }
    if (layout.parts.length === 0) {
      return `${head} {}`;
    }
    const inner = { ...place, indent: `${place.indent}\t`, depth: place.depth + 1 };
    const lines = layout.parts.flatMap((part) =>
      isGap(part) ? this.#gap(part, type) : [this.#member(part, inner)],
    );
    const body = lines.map((line) => this.#spend(`${inner.indent}${line};\n`)).join('');
    return `${head} {\n${body}${place.indent}}${layout.packed ? ' __attribute__((packed))' : ''}`;
  }

  #member(member: BtfMember, place: Place): string {
    const type = this.#btf.resolve(member.type);
    if (member.name === '' && (type.kind === 'struct' || type.kind === 'union')) {
      // Without a tag, even if the type has one: only -fms-extensions would take `struct tag;` for a member.
      return this.#composite(type, type.kind, place);
    }
    const name = member.name === '' ? `__unnamed_at_${member.bitOffset}` : memberName(member.name);
    if (member.bitSize === 0) {
      return this.#declare(member.type, name, place);
    }
    // Compilers refuse a wider truth value than one bit; only the bytes matter then.
    const isWideBool = type.kind === 'int' && type.bool && member.bitSize > 1;
    const declared = isWideBool ? `unsigned char ${name}` : this.#declare(member.type, name, place);
    return `${declared}: ${member.bitSize}`;
  }

  #gap(gap: Gap, type: BtfComposite): string[] {
    if (type.kind === 'union') {
      return [`unsigned char __size_of_union[${type.size}]`];
    }
    const lines: string[] = [];
    const end = gap.bitOffset + gap.bits;
    let at = gap.bitOffset;
    if (at % 8 !== 0) {
      const bits = Math.min(8 - (at % 8), gap.bits);
      lines.push(`char: ${bits}`);
      at += bits;
    }
    if (end - at >= largeGap * 8) {
      const bytes = Math.floor((end - at) / 8);
      lines.push(`unsigned char __padding_at_${at / 8}[${bytes}]`);
      at += bytes * 8;
    }
    while (at < end) {
      const unit = gapUnits.find(({ bits }) => at % bits === 0 && at + bits <= end);
      const bits = unit?.bits ?? end - at;
      lines.push(`${unit?.words ?? 'char'}: ${bits}`);
      at += bits;
    }
    return lines;
  }
}

/** Floating types that the BPF target does not have are bytes, declared once at the top of the header. */
export function floatName(size: number): string {
  if (size === 4 || size === 8) {
    return size === 4 ? 'float' : 'double';
  }
  return `__float_of_${size}_bytes`;
}

function literal(value: bigint): string {
  if (value >= -(2n ** 31n) && value < 2n ** 32n) {
    return String(value);
  }
  if (value === -(2n ** 63n)) {
    return `(${value + 1n}LL - 1)`;
  }
  return value < 0n ? `${value}LL` : `${value}ULL`;
}
