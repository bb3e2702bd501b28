/** Types without their typedefs and qualifiers, and what these said on the way. */
import { NetkitError } from '../../base/errors.js';
import type { BtfGraph, BtfType } from '../btf/types.js';

/** An integer in network byte order. */
export type FieldOrder = 'be16' | 'be32' | 'be64';

export interface Bare {
  readonly type: BtfType;
  /** From the outermost to the innermost. */
  readonly typedefs: readonly string[];
  /** What `__be16`, `__be32` or `__be64` in the chain says. */
  readonly order: FieldOrder | undefined;
}

const orderTypedefs: ReadonlyMap<string, FieldOrder> = new Map([
  ['__be16', 'be16'],
  ['__be32', 'be32'],
  ['__be64', 'be64'],
]);

/** Follows typedefs, const, volatile, restrict and type tags. @throws NetkitError `bad-object` */
export function bareType(btf: BtfGraph, typeId: number): Bare {
  const typedefs: string[] = [];
  let order: FieldOrder | undefined;
  let type = btf.type(typeId);
  for (let steps = 0; 'target' in type && type.kind !== 'ptr' && type.kind !== 'decl_tag'; steps++) {
    if (steps > btf.count) throw new NetkitError('bad-object', 'a chain of typedefs has no end');
    if (type.kind === 'typedef') {
      typedefs.push(type.name);
      order ??= orderTypedefs.get(type.name);
    }
    type = btf.type(type.target);
  }
  return { type, typedefs, order };
}
