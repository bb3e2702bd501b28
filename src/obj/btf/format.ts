import { NetkitError } from '../../base/errors.js';

/** Kind numbers as the kernel's `BTF_KIND_*` has them. */
export const Kind = {
  void: 0,
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  funcProto: 13,
  variable: 14,
  datasec: 15,
  float: 16,
  declTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

export const headerSize = 24;
export const magic = 0xeb9f;
export const version = 1;

/** Words (of four bytes) that every type record begins with: name offset, info, size or type. */
export const recordWords = 3;

/** Words that follow the record, by kind: so many once, and so many for each of the `vlen` elements. */
export const tailWords: readonly { readonly fixed: number; readonly each: number }[] = [
  { fixed: 0, each: 0 },
  { fixed: 1, each: 0 },
  { fixed: 0, each: 0 },
  { fixed: 3, each: 0 },
  { fixed: 0, each: 3 },
  { fixed: 0, each: 3 },
  { fixed: 0, each: 2 },
  { fixed: 0, each: 0 },
  { fixed: 0, each: 0 },
  { fixed: 0, each: 0 },
  { fixed: 0, each: 0 },
  { fixed: 0, each: 0 },
  { fixed: 0, each: 0 },
  { fixed: 0, each: 2 },
  { fixed: 1, each: 0 },
  { fixed: 0, each: 3 },
  { fixed: 0, each: 0 },
  { fixed: 1, each: 0 },
  { fixed: 0, each: 0 },
  { fixed: 0, each: 3 },
];

export const kindOf = (info: number): number => (info >>> 24) & 0x1f;
export const vlenOf = (info: number): number => info & 0xffff;
export const kindFlagOf = (info: number): boolean => info >>> 31 === 1;

/** typedef, volatile, const, restrict and type tags: kinds that stand for their target. */
export const isModifier = (kind: number): boolean =>
  (kind >= Kind.typedef && kind <= Kind.restrict) || kind === Kind.typeTag;

export function badBtf(problem: string): NetkitError {
  return new NetkitError('bad-object', `BTF: ${problem}`);
}
