/** The type graph of BTF (kernel: Documentation/bpf/btf.rst), decoded: names are strings, references are type ids. */

export interface BtfMember {
  /** Empty for an anonymous struct or union. */
  readonly name: string;
  readonly type: number;
  /** From the start of the struct. */
  readonly bitOffset: number;
  /** Width of a bit field, 0 for an ordinary member. */
  readonly bitSize: number;
}

export interface BtfEnumerator {
  readonly name: string;
  readonly value: bigint;
}

export interface BtfParameter {
  readonly name: string;
  readonly type: number;
}

export interface BtfSectionVariable {
  readonly type: number;
  /** Bytes from the start of the section. */
  readonly offset: number;
  readonly size: number;
}

interface Named {
  readonly id: number;
  /** Empty when anonymous. */
  readonly name: string;
}

export interface BtfVoid extends Named {
  readonly kind: 'void';
}
export interface BtfInt extends Named {
  readonly kind: 'int';
  /** Bytes. */
  readonly size: number;
  readonly bits: number;
  /** Bits from the start of the storage, nearly always 0. */
  readonly bitOffset: number;
  readonly signed: boolean;
  readonly char: boolean;
  readonly bool: boolean;
}
export interface BtfFloat extends Named {
  readonly kind: 'float';
  readonly size: number;
}
export interface BtfPointer extends Named {
  readonly kind: 'ptr';
  readonly target: number;
}
export interface BtfArray extends Named {
  readonly kind: 'array';
  readonly element: number;
  readonly index: number;
  readonly length: number;
}
export interface BtfComposite extends Named {
  readonly kind: 'struct' | 'union';
  readonly size: number;
  readonly members: readonly BtfMember[];
}
/** `enum` and `enum64` alike. */
export interface BtfEnum extends Named {
  readonly kind: 'enum';
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly BtfEnumerator[];
}
export interface BtfForward extends Named {
  readonly kind: 'fwd';
  readonly of: 'struct' | 'union';
}
export interface BtfModifier extends Named {
  readonly kind: 'typedef' | 'const' | 'volatile' | 'restrict' | 'type_tag';
  readonly target: number;
}
export interface BtfDeclTag extends Named {
  readonly kind: 'decl_tag';
  readonly target: number;
  /** Member or parameter index, -1 for the declaration itself. */
  readonly component: number;
}
export interface BtfFunction extends Named {
  readonly kind: 'func';
  readonly prototype: number;
  readonly linkage: 'static' | 'global' | 'extern';
}
export interface BtfPrototype extends Named {
  readonly kind: 'func_proto';
  readonly returns: number;
  readonly parameters: readonly BtfParameter[];
  /** The last parameter is `...`. */
  readonly variadic: boolean;
}
export interface BtfVariable extends Named {
  readonly kind: 'var';
  readonly type: number;
  readonly linkage: 'static' | 'global' | 'extern';
}
export interface BtfSection extends Named {
  readonly kind: 'datasec';
  readonly size: number;
  readonly variables: readonly BtfSectionVariable[];
}

export type BtfType =
  | BtfVoid
  | BtfInt
  | BtfFloat
  | BtfPointer
  | BtfArray
  | BtfComposite
  | BtfEnum
  | BtfForward
  | BtfModifier
  | BtfDeclTag
  | BtfFunction
  | BtfPrototype
  | BtfVariable
  | BtfSection;

export type BtfKind = BtfType['kind'];

/**
 * The read side of a BTF graph. Ids are trusted to be in range and free of cycles through arrays, modifiers and
 * by-value members: a reader checks that once, so that its users need not.
 */
export interface BtfGraph {
  /** Number of types, `void` (id 0) included. */
  readonly count: number;
  /** @throws NetkitError `bad-object` when there is no such id. */
  type(id: number): BtfType;
  /** The type behind typedefs, qualifiers and type tags. */
  resolve(id: number): BtfType;
  /** Bytes, pointers being 8. @throws NetkitError `bad-object` for types without a size. */
  sizeOf(id: number): number;
  /** The first type with this name and one of these kinds (any kind when none is given). */
  find(name: string, ...kinds: BtfKind[]): BtfType | undefined;
  /** The C spelling of a type for people: `struct lpm_v4`, `__u32[4]`, `const char *`. */
  nameOf(id: number): string;
}
