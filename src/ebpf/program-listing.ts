/** A loaded program's instructions as text. */
import { hostIsLittleEndian } from '../base/byte-order.js';
import { NetkitError } from '../base/errors.js';
import { KernelSymbols } from '../host/kernel-symbols.js';
import { helperName } from '../obj/instructions/function-names.js';
import { type Instruction, readInstructions } from '../obj/instructions/instruction.js';
import { describeFunction, type ListedFunction, listCode } from '../obj/instructions/listing.js';
import { operationOf } from '../obj/instructions/meaning.js';
import type { CodeNames } from '../obj/instructions/text.js';
import { runningBtf } from './kernel-btf.js';
import { BpfMap } from './map.js';
import type { Program } from './program.js';
import { type ProgramCode, readProgramCode } from './program-code.js';

/** What of a program's code could be shown, and what could not. */
export interface ProgramListing {
  readonly functions: readonly ListedFunction[];
  /** Remarks on names and lines that are missing. */
  readonly notes: readonly string[];
}

/**
 * A loaded program's instructions as the verifier left them, function by function. Minimum kernel 4.13; names of
 * functions and source lines from 5.0 on, for programs with BTF.
 * @throws NetkitError `not-permitted` when the kernel does not give them to this user
 */
export function programListing(program: Program): ProgramListing {
  const code = readProgramCode(program);
  const instructions = readInstructions(code.instructions, hostIsLittleEndian);
  const names = new LoadedNames();
  const { name } = program.info();
  const functions = listCode({
    instructions,
    functions: functionStarts(code, name, instructions),
    lines: code.lines,
    names: names.names,
  });
  const notes: string[] = [];
  if (code.withoutBtf !== undefined)
    notes.push(`no names of functions and no source lines: ${code.withoutBtf}`);
  if (names.hidden)
    notes.push('the kernel hides its addresses from this user: helpers and kernel functions have no names');
  return { functions, notes };
}

/** What native and translated code have in common: where functions begin, and what they are called. */
export function functionStarts(
  { functions, btf }: ProgramCode,
  programName: string,
  instructions: readonly Instruction[],
): { start: number; name: string; declaration: string | undefined }[] {
  const described = functions.map(({ start, type }) => {
    const known = btf === undefined ? undefined : describeFunction(btf, type);
    return { start, name: known?.name ?? '', declaration: known?.declaration };
  });
  if (described.length > 0) return described;
  // Without BTF the calls tell where functions begin.
  const starts = new Set([0]);
  for (const instruction of instructions) {
    const operation = operationOf(instruction);
    if (operation.kind === 'subprogram-call') starts.add(loadedCallee(instruction));
  }
  return [...starts]
    .sort((a, b) => a - b)
    .map((start, index) => ({
      start,
      name: index === 0 ? programName : `function ${index}`,
      declaration: undefined,
    }));
}

/** Loading moves a call's distance into the 16-bit part; what was its place then has the function's number. */
function loadedCallee({ index, offset }: Instruction): number {
  return index + 1 + offset;
}

const kernelHalf = 1n << 63n;

/** Names for what a loaded program refers to, looked up once each and only when asked. */
class LoadedNames {
  #symbols: KernelSymbols | undefined;
  #callBase: bigint | undefined;
  readonly #maps = new Map<number, string>();
  /** Whether something had no name because addresses are hidden. */
  hidden = false;

  readonly names: CodeNames = {
    helper: ({ immediate }) => helperName(immediate) ?? this.#called(immediate),
    kernelFunction: (instruction) => this.#kernelFunction(instruction),
    map: ({ immediate }) => this.#mapName(immediate),
    address: (_, value) => (value < kernelHalf ? undefined : this.#kernel().at(value)),
    callee: (instruction, distance) =>
      operationOf(instruction).kind === 'subprogram-call'
        ? loadedCallee(instruction)
        : instruction.index + 1 + distance,
  };

  #kernel(): KernelSymbols {
    if (this.#symbols === undefined) {
      this.#symbols = KernelSymbols.read();
      this.#callBase = this.#symbols.address('__bpf_call_base');
    }
    return this.#symbols;
  }

  /** What lies at a distance from the place that calls of helpers are counted from. */
  #called(distance: number): string | undefined {
    const symbols = this.#kernel();
    if (this.#callBase === undefined || distance === 0) {
      this.hidden = true;
      return undefined;
    }
    return symbols.at(this.#callBase + BigInt(distance));
  }

  /** Some machines keep the kernel function's BTF id in the instruction, others put in the distance to it. */
  #kernelFunction({ immediate, offset }: Instruction): string | undefined {
    const name = immediate === 0 ? this.#called(0) : this.#called(immediate);
    if (name !== undefined || offset !== 0) return name;
    const btf = runningBtf();
    const type =
      btf !== undefined && immediate > 0 && immediate < btf.count ? btf.type(immediate) : undefined;
    return type?.kind === 'func' ? type.name : undefined;
  }

  #mapName(id: number): string | undefined {
    const known = this.#maps.get(id);
    if (known !== undefined) return known;
    const found = nameOfMap(id);
    if (found !== undefined) this.#maps.set(id, found);
    return found;
  }
}

function nameOfMap(id: number): string | undefined {
  try {
    using map = BpfMap.fromId(id);
    const { name } = map.info;
    return name === '' ? `id:${id}` : name;
  } catch (error) {
    if (error instanceof NetkitError) return undefined;
    throw error;
  }
}
