/** Code function by function, as text, with the source lines that it was made from. */
import type { LineInfo } from '../btf/line-info.js';
import type { BtfGraph } from '../btf/types.js';
import type { SourceLine } from '../source-lines.js';
import type { Instruction } from './instruction.js';
import { operationOf, targetOf } from './meaning.js';
import { type CodeNames, instructionText } from './text.js';

/** An instruction with its meaning in words. */
export interface ListedInstruction extends Instruction {
  readonly text: string;
  /** The slot that it may jump to. */
  readonly target: number | undefined;
  /** The source line that begins to be carried out here, when it is another one than before. */
  readonly line: SourceLine | undefined;
}

/** A function of a program. */
export interface ListedFunction {
  readonly name: string;
  /** Its C declaration, when there is BTF. */
  readonly declaration: string | undefined;
  /** Slot of its first instruction. */
  readonly start: number;
  readonly instructions: readonly ListedInstruction[];
}

/** Where a function begins. */
export interface FunctionStart {
  readonly start: number;
  readonly name: string;
  readonly declaration: string | undefined;
}

export interface Code {
  readonly instructions: readonly Instruction[];
  /** In the order of the code; the first begins at 0. */
  readonly functions: readonly FunctionStart[];
  /** In the order of the code; entries of line 0 are passed over. */
  readonly lines: readonly LineInfo[];
  readonly names: CodeNames;
}

export function listCode({ instructions, functions, lines, names }: Code): ListedFunction[] {
  const byStart = new Map(functions.map((each) => [each.start, each]));
  const lineAt = new Map(lines.filter(({ line }) => line !== 0).map((each) => [each.instruction, each]));
  const all: CodeNames = { functionAt: (slot) => byStart.get(slot)?.name, ...names };
  const listed: (FunctionStart & { readonly instructions: ListedInstruction[] })[] = [];
  // One line often has many entries, one for each column: the line is named once.
  let place = '';
  for (const instruction of instructions) {
    const start = byStart.get(instruction.index);
    if (start !== undefined) place = '';
    if (start !== undefined || listed.length === 0)
      listed.push({ name: '', declaration: undefined, ...start, start: instruction.index, instructions: [] });
    const found = lineAt.get(instruction.index);
    const info = found === undefined || `${found.file}:${found.line}` === place ? undefined : found;
    if (info !== undefined) place = `${info.file}:${info.line}`;
    listed.at(-1)?.instructions.push({
      ...instruction,
      text: instructionText(instruction, all),
      target: targetOf(instruction, operationOf(instruction)),
      line: info === undefined ? undefined : lineOf(info),
    });
  }
  return listed;
}

/** A line as people look for it. */
export function lineOf({ file, line, column, source }: LineInfo): SourceLine {
  return { file: file.replace(/^\.\//, ''), line, column, source: source.trim() };
}

/** A function's name and C declaration from its BTF. */
export function describeFunction(
  btf: BtfGraph,
  type: number,
): { name: string; declaration: string } | undefined {
  if (type >= btf.count) return undefined;
  const found = btf.type(type);
  if (found.kind !== 'func') return undefined;
  const { name } = found;
  const prototype = btf.type(found.prototype);
  const linkage = found.linkage === 'static' ? 'static ' : '';
  if (prototype.kind !== 'func_proto') return { name, declaration: `${linkage}${name}()` };
  const parameters = prototype.parameters.map((each) => declared(btf.nameOf(each.type), each.name));
  if (prototype.variadic) parameters.push('...');
  const list = parameters.length === 0 ? 'void' : parameters.join(', ');
  return { name, declaration: `${linkage}${declared(btf.nameOf(prototype.returns), name)}(${list})` };
}

/** `int x`, `char *x`; what a name cannot simply follow, such as an array, stays before it. */
function declared(type: string, name: string): string {
  return type.endsWith('*') ? `${type}${name}` : `${type} ${name}`.trim();
}
