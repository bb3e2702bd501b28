/** Structs, unions, data sections and arrays. */
import { counted } from '../../base/counted.js';
import type { JsonObject, JsonValue } from '../../base/json.js';
import { suggestion } from '../../base/suggest.js';
import { elementsText, membersText } from './composite-text.js';
import { generatedReader, generatedWriter } from './generated.js';
import { compositeText } from './text.js';
import { type Form, isHex, Misfit, shown, type Value, within, writeHex } from './value.js';

/** One named member, anonymous structs and unions around it already dissolved. */
export interface Slot {
  readonly name: string;
  /** Bytes from the start of the outermost type. */
  readonly offset: number;
  readonly form: Form;
  /** Every union that this member is an alternative of, with the alternative it belongs to. */
  readonly choices: readonly Choice[];
  /** False for the smaller alternatives of a union, which are only written. */
  readonly printed: boolean;
}

export interface Choice {
  readonly union: number;
  readonly alternative: number;
}

interface CompiledSlot extends Slot {
  /** A name such as `constructor` that every object seems to have. */
  readonly inherited: boolean;
}

/**
 * A struct, union or data section from its flattened members.
 * @param size bytes, padding included.
 */
export function compositeForm(size: number, typeName: string, members: readonly Slot[]): Form {
  const slots: CompiledSlot[] = members.map((slot) => ({
    ...slot,
    inherited: slot.name in Object.prototype,
  }));
  const printed = inTextOrder(slots.filter((slot) => slot.printed));
  const names = slots.map((slot) => slot.name);
  const first = slots[0];
  const hasUnion = slots.some((slot) => slot.choices.length > 0);

  const readMembers = (view: DataView, offset: number): Value => {
    const out: { [member: string]: Value } = {};
    for (const slot of printed) out[slot.name] = slot.form.read(view, offset + slot.offset);
    return out;
  };
  const read = afterUses(() => generatedReader(printed), readMembers);
  const writeAll = afterUses(() => generatedWriter(printed), leaveToLoop);

  const writeMembers = (view: DataView, offset: number, value: JsonObject): void => {
    if (hasUnion) checkChoices(slots, value);
    let unseen = 0;
    for (const _ in value) unseen++;
    let current: CompiledSlot | undefined;
    try {
      for (const slot of slots) {
        if (slot.inherited && !Object.hasOwn(value, slot.name)) continue;
        const given = value[slot.name];
        if (given === undefined) continue;
        unseen--;
        current = slot;
        slot.form.write(view, offset + slot.offset, given);
      }
    } catch (error) {
      throw current === undefined ? error : within(error, `.${current.name}`);
    }
    if (unseen !== 0) refuseUnknown(value, names, typeName);
  };

  const write = (view: DataView, offset: number, given: JsonValue): void => {
    if (typeof given === 'string' && isHex(given)) {
      writeHex(view, offset, size, given, typeName);
      return;
    }
    const value = typeof given === 'string' ? compositeText(given) : given;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      if (!isWritten(writeAll, view, offset, value)) writeMembers(view, offset, value);
      return;
    }
    if (value === null || first === undefined)
      throw new Misfit(`${shown(given)} is not an object by member (${typeName})`);
    try {
      first.form.write(view, offset + first.offset, value);
    } catch (error) {
      throw within(error, `.${first.name}`);
    }
  };

  return {
    size,
    typeName,
    read,
    write,
    describe: () => describeSlots(slots),
    text: membersText(printed),
    shown: printed,
    slots,
  };
}

/** Uses before code is generated: compiling costs as much as a few hundred values read by a loop. */
const usesBefore = 200;

/** `first`, until it was used often enough for `make` to pay, and for good where `make` has nothing. */
function afterUses<Parameters extends unknown[], Result>(
  make: () => ((...parameters: Parameters) => Result) | undefined,
  first: (...parameters: Parameters) => Result,
): (...parameters: Parameters) => Result {
  let work = first;
  let uses = 0;
  return (...parameters) => {
    if (uses < usesBefore && ++uses === usesBefore) work = make() ?? first;
    return work(...parameters);
  };
}

const leaveToLoop = (_view: DataView, _offset: number, _value: JsonObject): boolean => false;

/** Members that do not fit are refused by the loop, which knows their names. */
function isWritten(writeAll: typeof leaveToLoop, view: DataView, offset: number, value: JsonObject): boolean {
  try {
    return writeAll(view, offset, value);
  } catch {
    return false;
  }
}

/** As JavaScript lists the members of an object: in their order, but for names that are numbers, which no C type has. */
function inTextOrder<Member extends Slot>(slots: readonly Member[]): Member[] {
  const byName = new Map(slots.map((slot) => [slot.name, slot]));
  const object = Object.fromEntries(slots.map(({ name }) => [name, true]));
  return Object.keys(object).flatMap((name) => byName.get(name) ?? []);
}

function checkChoices(slots: readonly Slot[], value: JsonObject): void {
  const taken = new Map<number, { alternative: number; name: string }>();
  for (const { name, choices } of slots) {
    if (choices.length === 0 || !Object.hasOwn(value, name)) continue;
    for (const { union, alternative } of choices) {
      const other = taken.get(union);
      if (other !== undefined && other.alternative !== alternative) {
        throw new Misfit(`${other.name} and ${name} share their bytes (union): give one of them`);
      }
      taken.set(union, { alternative, name });
    }
  }
}

function refuseUnknown(value: JsonObject, names: readonly string[], typeName: string): void {
  const known = new Set(names);
  for (const name of Object.keys(value)) {
    if (!known.has(name))
      throw new Misfit(`${typeName} has no member ${shown(name)}`, suggestion(name, names));
  }
}

/** `{"action": pass|drop, "v4": 10.0.0.1 or "v6": 2001:db8::1}` */
function describeSlots(slots: readonly Slot[]): string {
  let text = '';
  let previous: Slot | undefined;
  for (const slot of slots) {
    if (previous !== undefined) text += shareUnion(previous, slot) ? ' or ' : ', ';
    text += `${JSON.stringify(slot.name)}: ${slot.form.describe()}`;
    previous = slot;
  }
  return `{${text}}`;
}

function shareUnion(a: Slot, b: Slot): boolean {
  return a.choices.some((one) =>
    b.choices.some((two) => one.union === two.union && one.alternative !== two.alternative),
  );
}

/** An array: exactly `length` elements out, that many or fewer (the rest zero) in. */
export function arrayForm(element: Form, length: number, typeName: string): Form {
  const step = element.size;
  // Elements without bytes hold nothing, and there may be four billion of them.
  const elements = step === 0 ? 0 : length;
  const size = step * elements;

  const read = (view: DataView, offset: number): Value => {
    const out: Value[] = [];
    for (let index = 0; index < elements; index++) out.push(element.read(view, offset + index * step));
    return out;
  };
  const write = (view: DataView, offset: number, given: JsonValue): void => {
    if (typeof given === 'string' && isHex(given)) {
      writeHex(view, offset, size, given, typeName);
      return;
    }
    const value = typeof given === 'string' ? compositeText(given) : given;
    if (!Array.isArray(value)) throw new Misfit(`${shown(given)} is not an array (${typeName})`);
    if (value.length > elements) {
      throw new Misfit(`an array of ${counted(value.length, 'element')} does not fit ${typeName}`);
    }
    let index = 0;
    try {
      for (const item of value) {
        element.write(view, offset + index * step, item);
        index++;
      }
    } catch (error) {
      throw within(error, `[${index}]`);
    }
  };
  return {
    size,
    typeName,
    read,
    write,
    describe: () =>
      elements === 0
        ? '[]'
        : elements === 1
          ? `[${element.describe()}]`
          : `[${element.describe()}, … × ${elements}]`,
    text: elementsText(element, elements),
    elements: { form: element, count: elements },
  };
}
