/** Kinds of types that kernels with BTF did not always know. */
import { Kind } from './format.js';
import { readSections } from './sections.js';
import { TypeTable } from './table.js';

export interface LateKind {
  /** As in «a float». */
  readonly what: string;
  /** The kernel version that brought it. */
  readonly since: readonly [major: number, minor: number];
}

const late: Readonly<Record<number, LateKind>> = {
  [Kind.float]: { what: 'float', since: [5, 13] },
  [Kind.declTag]: { what: 'decl_tag', since: [5, 16] },
  [Kind.typeTag]: { what: 'type_tag', since: [5, 17] },
  [Kind.enum64]: { what: 'enum64', since: [6, 0] },
};
const signedEnum: LateKind = { what: 'signed enum', since: [6, 0] };

/** The late kinds in a blob that stands by itself, each once. @throws NetkitError `bad-object` */
export function lateKinds(blob: Uint8Array): LateKind[] {
  const table = new TypeTable(readSections(blob, false).words);
  const found = new Set<LateKind>();
  for (let id = table.first; id < table.count; id++) {
    const kind = table.kind(id);
    const each = kind === Kind.enum && table.kindFlag(id) ? signedEnum : late[kind];
    if (each !== undefined) found.add(each);
  }
  return [...found];
}
