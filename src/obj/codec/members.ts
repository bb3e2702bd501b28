/** Members of structs and unions, those of anonymous ones inside them in their place. */
import { NetkitError } from '../../base/errors.js';
import type { BtfComposite, BtfGraph, BtfMember } from '../btf/types.js';
import { bareType } from './bare.js';
import type { Choice, Slot } from './composite.js';
import type { Form } from './value.js';

/** What flattening needs from the compiler. */
export interface FlattenContext {
  /** Dotted path of the type itself, empty for the root. */
  readonly path: string;
  /** Counts an anonymous type. @throws NetkitError `bad-object` when there are too many */
  readonly visit: () => void;
  /** Compiles one member, `bitOffset` bits from the start of the outermost type. */
  readonly compile: (member: BtfMember, bitOffset: number, path: string) => Form;
}

/** Anonymous types inside anonymous types; the kernel allows 32 levels of anything. */
const depthLimit = 64;

/**
 * The named members of a struct or union.
 * @throws NetkitError `bad-value` for a flexible array at the end, `bad-object` for a damaged type
 */
export function flattenMembers(btf: BtfGraph, root: BtfComposite, context: FlattenContext): Slot[] {
  const slots: Slot[] = [];
  let unions = 0;

  const add = (
    type: BtfComposite,
    at: { base: number; choices: readonly Choice[]; printed: boolean; depth: number },
  ): void => {
    context.visit();
    if (at.depth > depthLimit) throw new NetkitError('bad-object', 'anonymous members are nested too deeply');
    const union = type.kind === 'union' ? unions++ : undefined;
    const largest = union === undefined ? undefined : largestMember(btf, type);
    for (const [index, member] of type.members.entries()) {
      const choices = union === undefined ? at.choices : [...at.choices, { union, alternative: index }];
      const printed = at.printed && (largest === undefined || largest === member);
      const bitOffset = at.base + member.bitOffset;
      const inner = bareType(btf, member.type).type;
      if (member.name === '') {
        if (inner.kind !== 'struct' && inner.kind !== 'union') continue;
        add(inner, { base: bitOffset, choices, printed, depth: at.depth + 1 });
        continue;
      }
      const path = context.path === '' ? member.name : `${context.path}.${member.name}`;
      if (inner.kind === 'array' && inner.length === 0 && isTail(type, member)) {
        const name = btf.nameOf(type.id);
        throw new NetkitError(
          'bad-value',
          `${name} ends in a flexible array (${path}), which has no size of its own`,
          {
            hint: 'give its bytes as hex:…',
          },
        );
      }
      const form = context.compile(member, bitOffset, path);
      // Not `>> 3`: offsets may use all 32 bits.
      const offset = Math.floor(bitOffset / 8);
      if (offset + form.size > root.size)
        throw new NetkitError('bad-object', `member ${path} lies outside its type`);
      slots.push({ name: member.name, offset, form, choices, printed });
    }
  };
  add(root, { base: 0, choices: [], printed: true, depth: 0 });

  const names = new Set<string>();
  for (const { name } of slots) {
    // A member of that name would change the prototype of every decoded value.
    if (names.has(name) || name === '__proto__') {
      throw new NetkitError(
        'bad-object',
        `${btf.nameOf(root.id)} has two members ${name}, or one that cannot be`,
      );
    }
    names.add(name);
  }
  return slots;
}

function isTail(type: BtfComposite, member: BtfMember): boolean {
  return type.kind === 'struct' && type.members.at(-1) === member && type.members.length > 1;
}

/** The member that a union shows: the largest, the first of equals. */
function largestMember(btf: BtfGraph, type: BtfComposite): BtfMember | undefined {
  let best: BtfMember | undefined;
  let bestBits = -1;
  for (const member of type.members) {
    const bits = member.bitSize || btf.sizeOf(member.type) * 8;
    if (bits > bestBits) {
      best = member;
      bestBits = bits;
    }
  }
  return best;
}
