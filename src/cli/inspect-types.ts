import { NetkitError } from '../base/errors.js';
import { CNames } from '../obj/btf/c/names.js';
import { CWriter } from '../obj/btf/c/write.js';
import type { BtfGraph, BtfType } from '../obj/btf/types.js';

export interface NamedType {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** In C, without the semicolon. */
  readonly declaration: string;
}

/** No C that anybody wrote comes near. */
const deepest = 200;

/**
 * The structs, unions and enums that these types are made of, and typedefs of such without a name: each before what it
 * is used in. What is only pointed to is left out, and so is what cannot come from C.
 */
export function namedTypes(btf: BtfGraph, roots: Iterable<number>): NamedType[] {
  const writer = new CWriter(btf, new CNames(btf));
  const found = new Map<number, NamedType>();
  const visited = new Set<number>();
  const visit = (id: number, depth: number): void => {
    if (visited.has(id) || depth > deepest) return;
    visited.add(id);
    const type = btf.type(id);
    for (const part of partsOf(type)) visit(part, depth + 1);
    const declaration = declarationOf(btf, writer, type);
    if (declaration !== undefined) found.set(id, { name: btf.nameOf(id), size: btf.sizeOf(id), declaration });
  };
  for (const root of roots) visit(root, 0);
  return [...found.values()];
}

function partsOf(type: BtfType): number[] {
  switch (type.kind) {
    case 'struct':
    case 'union':
      return type.members.map((member) => member.type);
    case 'array':
      return [type.element];
    case 'typedef':
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'type_tag':
      return [type.target];
    default:
      return [];
  }
}

/** `undefined` for a type without a declaration of its own, and for one that damaged BTF made. */
function declarationOf(btf: BtfGraph, writer: CWriter, type: BtfType): string | undefined {
  try {
    return written(btf, writer, type);
  } catch (error) {
    if (error instanceof NetkitError) return undefined;
    throw error;
  }
}

function written(btf: BtfGraph, writer: CWriter, type: BtfType): string | undefined {
  if (type.kind === 'struct' || type.kind === 'union' || type.kind === 'enum') {
    return type.name === '' ? undefined : writer.definition(type);
  }
  if (type.kind !== 'typedef') return undefined;
  const target = btf.type(type.target);
  const isUnnamed =
    (target.kind === 'struct' || target.kind === 'union' || target.kind === 'enum') && target.name === '';
  return isUnnamed ? `typedef ${writer.declaration(type.target, type.name)}` : undefined;
}
