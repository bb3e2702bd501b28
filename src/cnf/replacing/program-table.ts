/** Tables of programs for tail calls. */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { viewOf } from '../../base/raw-bytes.js';
import { BpfMap } from '../../ebpf/map.js';
import { Program } from '../../ebpf/program.js';
import { exists, namesIn } from '../../host/folders.js';
import { pinPath } from '../layout.js';

/** The ids of the programs that are pinned below `folder`, with their pins' names. */
export function programIds(folder: string): Map<number, string> {
  return new Map(namesIn(`${folder}/progs`).map((name) => [idOf(pinPath(folder, 'progs', name)), name]));
}

function idOf(path: string): number {
  using program = Program.fromPin(path);
  return program.info().id;
}

/** The slots of a table that are filled, with the ids of their programs. */
export function slotsOf(map: BpfMap): { readonly slot: number; readonly program: number }[] {
  const slots: { slot: number; program: number }[] = [];
  for (const { count, keys, values } of map.batches()) {
    const [keyView, valueView] = [viewOf(keys), viewOf(values)];
    for (let index = 0; index < count; index++) {
      const program = valueView.getUint32(index * 4, hostIsLittleEndian);
      slots.push({ slot: keyView.getUint32(index * 4, hostIsLittleEndian), program });
    }
  }
  return slots.filter(({ program }) => program !== 0);
}

export interface TableFilling {
  /** Pins of the old table and the new one. */
  readonly from: string;
  readonly to: string;
  /** The folders of the old and the new programs. */
  readonly old: string;
  readonly next: string;
  /** Slots that the object fills by itself. */
  readonly filled: ReadonlySet<number>;
}

/**
 * Fills the new table with what the old one has: programs of the function by their successors, others as they are.
 * @returns how many slots were filled so
 * @throws NetkitError `conflict` for a program that the new object does not have
 */
export function fillPrograms({ from, to, old, next, filled }: TableFilling): number {
  using before = BpfMap.fromPin(from);
  using after = BpfMap.fromPin(to);
  const own = programIds(old);
  const left = slotsOf(before).filter(({ slot }) => !filled.has(slot));
  for (const { slot, program } of left) fillSlot(after, slot, program, own.get(program), next);
  return left.length;
}

function fillSlot(map: BpfMap, slot: number, program: number, own: string | undefined, next: string): void {
  const pin = own === undefined ? undefined : pinPath(next, 'progs', own);
  if (pin !== undefined && !exists(pin)) {
    throw new NetkitError(
      'conflict',
      `slot ${slot} of '${map.info.name}' holds the program '${own}', which the new object does not have`,
      { hint: `empty it first, or have the table begin anew: --new-map ${map.info.name}` },
    );
  }
  using successor = pin === undefined ? Program.fromId(program) : Program.fromPin(pin);
  map.setReference(slot, successor);
}
