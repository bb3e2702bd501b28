/** Which bits of a value somebody gave, where the value names some members of a struct and leaves out the others. */
import type { JsonValue } from '../../base/json.js';
import { compositeText } from './text.js';
import { bytesAt, type Form, isHex, type WritableSlot } from './value.js';

/**
 * Sets the bits that a value gives, and touches no others: of a struct those of the members that it names, never padding.
 * An array is given as a whole, its missing elements being zero; of structs in it, again, the members that are named. A
 * union is given as a whole too, since its members share their bytes.
 * @param value one that the form has written before; undefined for all members
 */
export function markGiven(form: Form, value: JsonValue | undefined, mask: DataView, offset: number): void {
  const { slots, elements, size } = form;
  if (typeof value === 'string' && isHex(value.trim())) bytesAt(mask, offset, size).fill(0xff);
  else if (slots !== undefined && slots.length > 0) markMembers(slots, value, mask, offset);
  else if (elements !== undefined) markElements(elements, value, mask, offset);
  else markLeaf(form, mask, offset);
}

function markMembers(
  slots: readonly WritableSlot[],
  value: JsonValue | undefined,
  mask: DataView,
  offset: number,
): void {
  const members = typeof value === 'string' ? compositeText(value) : value;
  const isObject = typeof members === 'object' && members !== null && !Array.isArray(members);
  for (const [index, slot] of slots.entries()) {
    // A bare value is that of the first member.
    const given = isObject ? memberOf(members, slot.name) : index === 0 ? members : undefined;
    if (value !== undefined && given === undefined) continue;
    const union = slot.choices[0]?.union;
    if (union !== undefined) markUnion(slots, union, mask, offset);
    else markGiven(slot.form, given, mask, offset + slot.offset);
  }
}

function memberOf(members: { readonly [name: string]: JsonValue }, name: string): JsonValue | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

/** From the first to the last byte of the outermost union that the members are in. */
function markUnion(slots: readonly WritableSlot[], union: number, mask: DataView, offset: number): void {
  const inside = slots.filter(({ choices }) => choices[0]?.union === union);
  const start = Math.min(...inside.map((slot) => slot.offset));
  const end = Math.max(...inside.map((slot) => slot.offset + slot.form.size));
  bytesAt(mask, offset + start, end - start).fill(0xff);
}

function markElements(
  { form, count }: NonNullable<Form['elements']>,
  value: JsonValue | undefined,
  mask: DataView,
  offset: number,
): void {
  const items = typeof value === 'string' ? compositeText(value) : value;
  for (let index = 0; index < count; index++) {
    const item = Array.isArray(items) ? items[index] : undefined;
    markGiven(form, item, mask, offset + index * form.size);
  }
}

function markLeaf(form: Form, mask: DataView, offset: number): void {
  const target = bytesAt(mask, offset, form.size);
  if (form.isBits !== true) {
    target.fill(0xff);
    return;
  }
  const bits = bitsOf(form);
  for (let at = 0; at < bits.length; at++) target[at] = (target[at] ?? 0) | (bits[at] ?? 0);
}

const known = new WeakMap<Form, Uint8Array>();

/** The bits of a bit field within the bytes that it touches: those by which it reads as something else. */
function bitsOf(form: Form): Uint8Array {
  const found = known.get(form);
  if (found !== undefined) return found;
  const bits = new Uint8Array(form.size);
  const trial = new Uint8Array(form.size);
  const view = new DataView(trial.buffer);
  const zero = form.read(view, 0);
  for (let bit = 0; bit < form.size * 8; bit++) {
    const at = bit >> 3;
    trial[at] = 1 << (bit & 7);
    if (form.read(view, 0) !== zero) bits[at] = (bits[at] ?? 0) | (1 << (bit & 7));
    trial[at] = 0;
  }
  known.set(form, bits);
  return bits;
}
