/** Which type the records of a ring buffer or perf event array have: such maps have no types of their own. */
import type { BtfComposite, BtfGraph } from './btf/types.js';

/**
 * The types that the records of a map may have, by the BTF of the object that has the map. The first rule that finds
 * any decides:
 *
 * 1. what the global variable `<map>_record` points to, which `NETKIT_EVENTS` of `netkit/events.h` defines;
 * 2. structs named after the map: for `drops` these are `drop`, `drops`, `drop_event` and `drops_event`;
 * 3. structs named `event`, or ending in `_event`, that a global variable points to.
 *
 * @returns one when it is clear, none when nothing is known
 */
export function eventTypes(btf: BtfGraph, mapName: string): BtfComposite[] {
  const pointed = pointedTo(btf);
  const declared = pointed.filter(({ variable }) => variable === `${mapName}_record`);
  if (declared.length > 0) return distinct(declared.map(({ type }) => type));
  const singular = mapName.replace(/s$/, '');
  const named = [mapName, singular].flatMap((name) => [name, `${name}_event`]);
  const byName = named.flatMap((name) => structNamed(btf, name) ?? []);
  if (byName.length > 0) return distinct(byName);
  return distinct(pointed.map(({ type }) => type).filter(({ name }) => /^(.*_)?event$/.test(name)));
}

interface Pointed {
  readonly variable: string;
  readonly type: BtfComposite;
}

/** The structs and unions that global variables point to. */
function pointedTo(btf: BtfGraph): Pointed[] {
  const found: Pointed[] = [];
  for (let id = 1; id < btf.count; id++) {
    const variable = btf.type(id);
    if (variable.kind !== 'var') continue;
    const pointer = btf.resolve(variable.type);
    const type = pointer.kind === 'ptr' && pointer.target !== 0 ? btf.resolve(pointer.target) : pointer;
    if (pointer.kind === 'ptr' && (type.kind === 'struct' || type.kind === 'union')) {
      found.push({ variable: variable.name, type });
    }
  }
  return found;
}

function structNamed(btf: BtfGraph, name: string): BtfComposite | undefined {
  const type = btf.find(name, 'struct');
  return type?.kind === 'struct' ? type : undefined;
}

function distinct(types: readonly BtfComposite[]): BtfComposite[] {
  return [...new Map(types.map((type) => [type.id, type])).values()];
}
