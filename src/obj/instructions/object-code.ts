/** The code of a program of an object file, as it would be handed to the kernel: with the subprograms that it calls. */
import type { LineInfo } from '../btf/line-info.js';
import type { BtfGraph } from '../btf/types.js';
import { type ElfFile, type ElfRelocation, type ElfSymbol, sectionFlags } from '../elf.js';
import { instructionSize } from '../programs.js';
import type { CodePiece } from '../source-lines.js';
import { helperName } from './function-names.js';
import { type Instruction, readInstructions } from './instruction.js';
import { describeFunction, type FunctionStart, type ListedFunction, listCode } from './listing.js';

/** Where an instruction comes from. */
interface Origin {
  readonly piece: CodePiece;
  /** Slot in its section. */
  readonly slot: number;
  readonly relocation: ElfRelocation | undefined;
}

export interface ObjectCode {
  readonly elf: ElfFile;
  readonly btf: BtfGraph | undefined;
  /** The program, then its subprograms in the order in which loading appends them. */
  readonly pieces: readonly CodePiece[];
  /** By section. */
  readonly lines: ReadonlyMap<string, readonly LineInfo[]>;
}

/** Lists the functions of a program that is not loaded. @throws NetkitError `bad-object` */
export function listObjectCode({ elf, btf, pieces, lines }: ObjectCode): ListedFunction[] {
  const instructions: Instruction[] = [];
  const functions: FunctionStart[] = [];
  const moved: LineInfo[] = [];
  const origins = new Map<number, Origin>();
  const starts = new Map<string, number>();
  let start = 0;
  for (const piece of pieces) {
    const { section, first, count } = piece;
    const relocations = new Map(elf.relocations(section).map((each) => [each.offset, each]));
    const code = section.data.subarray(first * instructionSize, (first + count) * instructionSize);
    for (const instruction of readInstructions(code, elf.littleEndian)) {
      const index = start + instruction.index;
      const slot = first + instruction.index;
      const relocation = relocations.get(slot * instructionSize);
      origins.set(index, { piece, slot, relocation });
      instructions.push({ ...instruction, index, ...asLoaded(elf, instruction, relocation) });
    }
    for (const line of lines.get(section.name) ?? []) {
      if (line.instruction >= first && line.instruction < first + count)
        moved.push({ ...line, instruction: line.instruction - first + start });
    }
    functions.push({ start, ...nameOf(elf, btf, piece) });
    starts.set(`${section.index}:${first}`, start);
    start += count;
  }
  const symbolOf = ({ index }: Instruction): ElfSymbol | undefined => origins.get(index)?.relocation?.symbol;
  return listCode({
    instructions,
    functions,
    lines: moved,
    names: {
      helper: (instruction) => symbolOf(instruction)?.name ?? helperName(instruction.immediate),
      kernelFunction: (instruction) => symbolOf(instruction)?.name,
      map: (instruction) => mapName(elf, symbolOf(instruction)),
      address: (instruction) => symbolOf(instruction)?.name,
      callee: ({ index }, distance) => calleeSlot(origins.get(index), distance, starts),
    },
  });
}

function nameOf(
  elf: ElfFile,
  btf: BtfGraph | undefined,
  { section, first }: CodePiece,
): { name: string; declaration: string | undefined } {
  const symbols = elf.symbolsIn(section).filter(({ value }) => value === first * instructionSize);
  const name = symbols.find((symbol) => symbol.name !== section.name)?.name ?? '';
  const type = btf?.find(name, 'func');
  const declaration =
    btf === undefined || type === undefined ? undefined : describeFunction(btf, type.id)?.declaration;
  return { name, declaration };
}

const load64Opcode = 0x18;
const mapSections = /^\.?maps$/;

/** Constants that loading gives a meaning: in the file they are plain numbers with a relocation. */
function asLoaded(
  elf: ElfFile,
  { opcode, source, immediate }: Instruction,
  relocation: ElfRelocation | undefined,
): Partial<Instruction> {
  const home = relocation === undefined ? undefined : elf.sections[relocation.symbol.section];
  if (relocation === undefined || home === undefined || home.index === 0) return {};
  if (opcode !== load64Opcode || source !== 0) return {};
  if (mapSections.test(home.name)) return { source: 1 };
  if ((home.flags & sectionFlags.executable) !== 0n) return { source: 4 };
  return { source: 2, high: relocation.symbol.value + immediate };
}

function mapName(elf: ElfFile, symbol: ElfSymbol | undefined): string | undefined {
  if (symbol === undefined) return undefined;
  const home = elf.sections[symbol.section]?.name ?? '';
  return mapSections.test(home) ? symbol.name : home;
}

/** Where the called function begins, as libbpf places it. */
function calleeSlot(
  origin: Origin | undefined,
  distance: number,
  starts: ReadonlyMap<string, number>,
): number | undefined {
  if (origin === undefined) return undefined;
  const { piece, slot, relocation } = origin;
  if (relocation === undefined) return starts.get(`${piece.section.index}:${slot + 1 + distance}`);
  const base = relocation.symbol.value / instructionSize;
  // A call of a section's symbol has the place in its distance; the address of a function has it in bytes.
  for (const at of [base + distance + 1, base + distance / instructionSize, base]) {
    const found = starts.get(`${relocation.symbol.section}:${at}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
