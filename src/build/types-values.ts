/** The TypeScript of value types: what reading gives, and what writing takes. */
import {
  type CompositeValue,
  type DescriptorValue,
  type EnumValue,
  type MemberPart,
  membersOf,
  type Part,
  type PrefixValue,
  type ValueType,
} from '../obj/value-types/value-type.js';
import { commentText, literal, propertyName, type TypeNames } from './types-names.js';

/** `read`: what comes out; `write`: what goes in. */
export type Direction = 'read' | 'write';

/** Longer lines are broken, as formatters do. */
const lineWidth = 110;
/** Elements of an array that are written one by one; longer ones are arrays of any length. */
const longestTuple = 8;
/** Alternatives of unions are told apart up to here: the compiler multiplies those of one struct. */
const mostCombinations = 64;
const mostAlternatives = 16;
const mostMembers = 200;

/** Writes the types of values, and declares the structs and enums that they are made of. */
export class ValueWriter {
  /** Names of netkit's own types in use. */
  readonly imports = new Set<string>();
  /** Whole declarations, in the order in which they were first needed. */
  readonly declarations: string[] = [];
  readonly #names: TypeNames;
  readonly #enums = new Map<EnumValue, string>();
  readonly #composites = new Map<string, Map<CompositeValue, string>>();

  constructor(names: TypeNames) {
    this.#names = names;
  }

  /**
   * The type of a value.
   * @param place what an anonymous struct or enum is named after
   */
  text(type: ValueType, direction: Direction, place: string): string {
    switch (type.kind) {
      case 'integer':
        return numberWord(type.bits);
      case 'float':
        return 'number';
      case 'bool':
        return 'boolean';
      case 'text':
        return 'string';
      case 'enum':
        return this.#enum(type, place);
      case 'ipv4':
        return this.#named('Ipv4');
      case 'ipv6':
        return this.#named('Ipv6');
      case 'mac':
        return this.#named('Mac');
      case 'bytes':
        return this.#named('Hex');
      case 'pointer':
        return direction === 'read' ? this.#named('Pointer') : "'0x0'";
      case 'reference':
        return this.#named('Reference');
      case 'descriptor':
        return this.#descriptor(type, direction);
      case 'prefix':
        return this.#prefix(type, direction, place);
      case 'array':
        return this.#array(type.element, type.length, direction, place);
      case 'composite':
        return this.#composite(type, direction, place);
    }
  }

  #named(name: string): string {
    this.imports.add(name);
    return name;
  }

  #enum(type: EnumValue, place: string): string {
    let name = this.#enums.get(type);
    if (name === undefined) {
      name = this.#names.typeName(type.name || place);
      this.#enums.set(type, name);
      const choices = [...type.enumerators.map(literal), numberWord(type.bits)];
      const comment = comments([describe(type), 'A number stands for a value without a name.']);
      this.declarations.push(
        `${comment}export type ${name} =${unionText(choices, '', `export type ${name} =`.length)};\n`,
      );
    }
    return name;
  }

  #descriptor({ size, as }: DescriptorValue, direction: Direction): string {
    const text = this.#named('Descriptor');
    if (direction === 'read') return size === 8 ? this.#named('Cookie') : text;
    if (as === 'pid') return `${text} | ${this.#named('ProcessId')}`;
    // A path is any text.
    return as === 'path' ? 'string' : text;
  }

  /** A prefix of another family than IP is hard to write as text, so that one is taken by member too. */
  #prefix(type: PrefixValue, direction: Direction, place: string): string {
    const { width, whole } = type;
    const text = this.#named(width === 4 ? 'Prefix4' : width === 16 ? 'Prefix6' : 'HexPrefix');
    if (direction === 'read') return text;
    if (width === 4) return `${text} | ${this.#named('Ipv4')}`;
    if (width === 16) return `${text} | ${this.#named('Ipv6')}`;
    return `${text} | ${this.#named('Hex')} | ${this.#composite(whole, 'members', place)}`;
  }

  #array(element: ValueType, length: number, direction: Direction, place: string): string {
    const text = this.text(element, direction, place);
    const items = Array.from({ length: Math.min(length, longestTuple) }, () =>
      direction === 'read' ? text : `${grouped(text)}?`,
    );
    const tuple = direction === 'read' ? `[${items.join(', ')}]` : `readonly [${items.join(', ')}]`;
    if (length <= longestTuple && tuple.length <= lineWidth / 2) return tuple;
    return direction === 'read' ? `${grouped(text)}[]` : `readonly ${grouped(text)}[]`;
  }

  /** @param as `members`: as it is written, but not by its first member alone. */
  #composite(type: CompositeValue, as: Direction | 'members', place: string): string {
    const names = this.#composites.get(as) ?? new Map<CompositeValue, string>();
    this.#composites.set(as, names);
    const known = names.get(type);
    if (known !== undefined) return known;
    const base = type.name || place;
    const name = this.#names.typeName(as === 'read' ? base : `${base}_${as === 'write' ? 'input' : as}`);
    names.set(type, name);
    const bare = as === 'write' ? this.#bare(membersOf(type.parts)[0]?.type, base) : undefined;
    const body = as === 'read' ? this.#readBody(type, base) : this.#writeBody(type, base, bare);
    const sentences = [describe(type)];
    if (as !== 'read') sentences.push('As it is written: members left out are zero.');
    if (bare !== undefined) sentences.push('The first member can stand alone.');
    this.declarations.push(`${comments(sentences)}export type ${name} =${body};\n`);
    return name;
  }

  #readBody(type: CompositeValue, base: string): string {
    const shown = membersOf(type.parts).filter((member) => member.shown);
    const lines = shown.map((member) => {
      const text = this.text(member.type, 'read', `${base}_${member.name}`);
      return `${comments([describe(member.type)], '  ')}  ${propertyName(member.name)}: ${text};\n`;
    });
    return ` ${block(lines)}`;
  }

  #writeBody(type: CompositeValue, base: string, bare: string | undefined): string {
    const members = membersOf(type.parts);
    const line = (member: MemberPart): string =>
      `readonly ${propertyName(member.name)}?: ${this.text(member.type, 'write', `${base}_${member.name}`)}`;
    const whole = members.length <= mostMembers && combinations(type.parts) <= mostCombinations;
    const object = whole
      ? alternativesText(type.parts, line)
      : block(members.map((member) => `  ${line(member)};\n`));
    return bare === undefined ? ` ${object}` : `\n  | ${bare}\n  | ${object.replaceAll('\n', '\n    ')}`;
  }

  /** The first member's value, where it can stand for the whole struct: text of other types could be taken for members. */
  #bare(first: ValueType | undefined, base: string): string | undefined {
    switch (first?.kind) {
      case 'integer':
      case 'float':
      case 'bool':
      case 'enum':
      case 'ipv4':
      case 'ipv6':
      case 'mac':
        return this.text(first, 'write', base);
      case 'composite':
        return this.#bare(membersOf(first.parts)[0]?.type, base);
      default:
        return undefined;
    }
  }
}

function numberWord(bits: number): string {
  return bits <= 32 ? 'number' : 'bigint';
}

/** A type that an array or an optional element can be made of. */
function grouped(text: string): string {
  return /\||^readonly /.test(text) ? `(${text})` : text;
}

/** How many kinds of object there are with one alternative of each union; infinite when that is beyond telling. */
function combinations(parts: readonly Part[]): number {
  let product = 1;
  for (const part of parts) {
    if (part.kind === 'member') continue;
    if (part.alternatives.length > mostAlternatives) return Number.POSITIVE_INFINITY;
    const sum = part.alternatives.reduce((total, each) => total + combinations(each), 0);
    product *= Math.max(sum, 1);
  }
  return product;
}

/** Plain members, then `& (one alternative | another)` for each union; the members of the others are `never`. */
function alternativesText(
  parts: readonly Part[],
  line: (member: MemberPart) => string,
  forbidden: readonly MemberPart[] = [],
): string {
  const plain = parts.flatMap((part) => (part.kind === 'member' ? [`  ${line(part)};\n`] : []));
  const never = forbidden.map(({ name }) => `  readonly ${propertyName(name)}?: never;\n`);
  const unions = parts.flatMap((part) => {
    if (part.kind === 'member') return [];
    const choices = part.alternatives.map((each, index) => {
      const others = part.alternatives.filter((_, at) => at !== index).flatMap(membersOf);
      return alternativesText(each, line, others);
    });
    return choices.length === 0
      ? []
      : [choices.length === 1 ? (choices[0] ?? '') : `(${choices.join(' | ')})`];
  });
  const object = plain.length + never.length > 0 || unions.length === 0 ? [block([...plain, ...never])] : [];
  return [...object, ...unions].join(' & ');
}

/** `{}` would take everything. */
export const emptyObject = 'Record<never, never>';

function block(lines: readonly string[]): string {
  return lines.length === 0 ? emptyObject : `{\n${lines.join('')}}`;
}

/** A union behind ` =` or `:`, on one line where it fits. */
export function unionText(choices: readonly string[], indent: string, before: number): string {
  const line = ` ${choices.join(' | ')}`;
  if (before + line.length < lineWidth) return line;
  return choices.map((choice) => `\n${indent}  | ${choice}`).join('');
}

/** A doc comment before a line, or nothing. */
export function comments(sentences: readonly string[], indent = ''): string {
  return `${indent}/** ${sentences.join(' ')} */\n`;
}

/** C spelling, size and form. */
export function describe(type: ValueType): string {
  const spelling = `\`${commentText(type.typeName)}\``;
  switch (type.kind) {
    case 'integer':
      return `${spelling}: ${type.word}.`;
    case 'enum':
      return `${spelling}: ${type.bits % 8 === 0 ? `${type.bits / 8} bytes` : `${type.bits} bits`}.`;
    case 'array':
      return `${spelling}: ${type.length} elements.`;
    case 'composite':
      return `${spelling}: ${type.size} bytes.`;
    case 'prefix':
      return `${spelling}: a prefix such as ${prefixExample(type.width)}.`;
    case 'text':
      return `${spelling}: up to ${type.size} bytes of text.`;
    case 'bytes':
      return `${spelling}: ${type.size} bytes.`;
    case 'float':
      return `${spelling}: f${type.size * 8}.`;
    case 'bool':
      return `${spelling}.`;
    case 'ipv4':
      return `${spelling}: 10.0.0.1.`;
    case 'ipv6':
      return `${spelling}: 2001:db8::1.`;
    case 'mac':
      return `${spelling}: 02:00:00:00:00:01.`;
    case 'pointer':
      return `${spelling}: shown, not written.`;
    case 'reference':
      return `${spelling}, by its id or with setReference.`;
    case 'descriptor':
      return `${spelling}: ${type.as === undefined ? 'fd:N' : `${type.as === 'pid' ? 'pid:N' : 'its path'} or fd:N`}.`;
  }
}

function prefixExample(width: number): string {
  return width === 4 ? '10.0.0.0/8' : width === 16 ? '2001:db8::/32' : `hex:…/${width * 8}`;
}
