/** A function's control flow as boxes of text, which both drawings start from. */
import { basicBlocks, type Edge } from '../instructions/blocks.js';
import type { ListedFunction, ListedInstruction } from '../instructions/listing.js';

/** A line of a box. */
export interface BoxLine {
  readonly text: string;
  readonly kind: 'instruction' | 'source';
}

/** A basic block as it is drawn. */
export interface Box {
  /** Slot of its first instruction, which names it. */
  readonly start: number;
  readonly lines: readonly BoxLine[];
  readonly edges: readonly Edge[];
}

export interface FunctionGraph {
  readonly name: string;
  /** Its declaration, or its name alone. */
  readonly title: string;
  readonly boxes: readonly Box[];
}

/** Source lines are as long as somebody wrote them: boxes stay readable. */
const longestSource = 60;

/** @param withSource also the source lines */
export function functionGraph(listed: ListedFunction, withSource: boolean): FunctionGraph {
  const blocks = basicBlocks<ListedInstruction>(listed.instructions);
  return {
    name: listed.name,
    title: listed.declaration ?? listed.name,
    boxes: blocks.map(({ start, instructions, edges }) => ({
      start,
      edges,
      lines: instructions.flatMap((instruction) => linesOf(instruction, withSource)),
    })),
  };
}

function linesOf({ index, text, line }: ListedInstruction, withSource: boolean): BoxLine[] {
  const own: BoxLine = { text: `${String(index).padStart(4)}: ${text}`, kind: 'instruction' };
  if (!withSource || line === undefined || line.source === '') return [own];
  const source = line.source.length > longestSource ? `${line.source.slice(0, longestSource)}…` : line.source;
  return [{ text: `; ${source.replaceAll('\t', ' ')}`, kind: 'source' }, own];
}
