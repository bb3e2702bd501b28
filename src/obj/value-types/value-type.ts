/** What values a C type has as JavaScript sees them, without their bytes: what generated types say and what they are checked by. */

interface Spelled {
  /** The C spelling. */
  readonly typeName: string;
}

export interface IntegerValue extends Spelled {
  readonly kind: 'integer';
  /** A number up to 32, a bigint above. */
  readonly bits: number;
  /** `u32`, `be16`, `5 bits`. */
  readonly word: string;
}

export interface EnumValue extends Spelled {
  readonly kind: 'enum';
  readonly bits: number;
  /** The tag or, without one, the typedef; empty where there is neither. */
  readonly name: string;
  /** Each name once, in the order of the source. */
  readonly enumerators: readonly string[];
}

export interface ArrayValue extends Spelled {
  readonly kind: 'array';
  readonly element: ValueType;
  readonly length: number;
}

/** A struct or union. Anonymous ones inside it are dissolved into its parts, as the codecs dissolve them. */
export interface CompositeValue extends Spelled {
  readonly kind: 'composite';
  /** The tag or, without one, the typedef; empty where there is neither. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly parts: readonly Part[];
}

export interface PrefixValue extends Spelled {
  readonly kind: 'prefix';
  /** Bytes of the address. */
  readonly width: number;
  /** The struct, which is accepted by member too. */
  readonly whole: CompositeValue;
}

interface SizedValue extends Spelled {
  readonly kind: 'text' | 'bytes' | 'float';
  /** Bytes. */
  readonly size: number;
}

interface PlainValue extends Spelled {
  readonly kind: 'bool' | 'ipv4' | 'ipv6' | 'mac' | 'pointer';
}

/** A key or value that is an open file. */
export interface DescriptorValue extends Spelled {
  readonly kind: 'descriptor';
  /** Bytes. */
  readonly size: number;
  /** What it is given as beside `fd:N`. */
  readonly as: 'pid' | 'path' | undefined;
}

/** The value of a map of maps, or of programs. */
export interface ReferenceValue extends Spelled {
  readonly kind: 'reference';
  readonly to: 'map' | 'program';
}

export type ValueType =
  | IntegerValue
  | EnumValue
  | ArrayValue
  | CompositeValue
  | PrefixValue
  | SizedValue
  | PlainValue
  | DescriptorValue
  | ReferenceValue;

/** A member, or alternatives of which one can be given. */
export type Part = MemberPart | AlternativesPart;

export interface MemberPart {
  readonly kind: 'member';
  readonly name: string;
  readonly type: ValueType;
  /** False for the smaller alternatives of a union, which are only written. */
  readonly shown: boolean;
}

export interface AlternativesPart {
  readonly kind: 'alternatives';
  readonly alternatives: readonly (readonly Part[])[];
}

/** The members among these parts, in their order, those of all alternatives included. */
export function membersOf(parts: readonly Part[]): MemberPart[] {
  return parts.flatMap((part) => (part.kind === 'member' ? [part] : part.alternatives.flatMap(membersOf)));
}
