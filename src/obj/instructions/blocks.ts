/** The control flow of a function: runs of instructions that are entered at their first and left after their last. */
import type { Instruction } from './instruction.js';
import { operationOf, targetOf } from './meaning.js';
import type { Operation } from './operation.js';

/** How control gets to another block. */
export interface Edge {
  /** Index among the blocks. */
  readonly to: number;
  /** taken: the condition held; else: it did not; next: nothing was asked. */
  readonly kind: 'taken' | 'else' | 'next';
}

/** A basic block. */
export interface Block<T extends Instruction = Instruction> {
  /** Slot of its first instruction. */
  readonly start: number;
  readonly instructions: readonly T[];
  readonly edges: readonly Edge[];
  /** Leaves by a jump whose targets a map has: they are not shown. */
  readonly indirect: boolean;
}

/**
 * The basic blocks of one function, in the order of its code. Jumps out of the function, which the verifier lets nobody
 * have, lead nowhere.
 */
export function basicBlocks<T extends Instruction>(instructions: readonly T[]): Block<T>[] {
  const leaders = new Set<number>();
  const slots = new Set(instructions.map(({ index }) => index));
  const [first] = instructions;
  if (first !== undefined) leaders.add(first.index);
  for (const instruction of instructions) {
    const operation = operationOf(instruction);
    if (!endsBlock(operation)) continue;
    const after = instruction.index + instruction.slots;
    for (const slot of [after, targetOf(instruction, operation)])
      if (slot !== undefined && slots.has(slot)) leaders.add(slot);
  }
  const runs: T[][] = [];
  for (const instruction of instructions) {
    if (leaders.has(instruction.index)) runs.push([]);
    runs.at(-1)?.push(instruction);
  }
  const numbers = new Map(runs.map((run, index) => [run[0]?.index ?? -1, index]));
  return runs.map((run) => blockOf(run, numbers));
}

function blockOf<T extends Instruction>(run: readonly T[], numbers: ReadonlyMap<number, number>): Block<T> {
  const last = run.at(-1);
  const start = run[0]?.index ?? 0;
  if (last === undefined) return { start, instructions: run, edges: [], indirect: false };
  const operation = operationOf(last);
  const edges: Edge[] = [];
  const add = (slot: number | undefined, kind: Edge['kind']): void => {
    const to = slot === undefined ? undefined : numbers.get(slot);
    if (to !== undefined) edges.push({ to, kind });
  };
  const next = last.index + last.slots;
  switch (operation.kind) {
    case 'exit':
    case 'indirect-jump':
      break;
    case 'jump':
      add(targetOf(last, operation), 'next');
      break;
    case 'branch':
    case 'may-goto':
      add(targetOf(last, operation), 'taken');
      add(next, 'else');
      break;
    default:
      add(next, 'next');
  }
  return { start, instructions: run, edges, indirect: operation.kind === 'indirect-jump' };
}

function endsBlock({ kind }: Operation): boolean {
  return (
    kind === 'exit' || kind === 'jump' || kind === 'branch' || kind === 'may-goto' || kind === 'indirect-jump'
  );
}
