import type { LineInfo } from './btf/line-info.js';
import type { ElfFile, ElfRelocation, ElfSection } from './elf.js';
import { sectionFlags, sectionTypes, symbolTypes } from './elf.js';
import { instructionSize } from './programs.js';

/** A line of the C source. */
export interface SourceLine {
  /** As the compiler was told. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1; 0 when not known. */
  readonly column: number;
  /** The text of the line, empty when the object does not have it. */
  readonly source: string;
}

/** A run of instructions of one function. */
export interface CodePiece {
  readonly section: ElfSection;
  /** Index of its first instruction in the section. */
  readonly first: number;
  readonly count: number;
}

const callOpcode = 0x85;
const load64Opcode = 0x18;
/** The source register of a call that stays within the object. */
const pseudoCall = 1;

/**
 * Finds source lines for instructions as the verifier counts them: a program, and behind it each subprogram that it
 * calls, in the order in which libbpf meets the calls.
 */
export class SourceLines {
  readonly #elf: ElfFile;
  readonly #lines: ReadonlyMap<string, readonly LineInfo[]>;
  readonly #functions = new Map<number, Map<number, CodePiece>>();

  constructor(elf: ElfFile, lines: ReadonlyMap<string, readonly LineInfo[]>) {
    this.#elf = elf;
    this.#lines = lines;
  }

  /** The line that instruction `index` of the program at `offset` of `section` comes from. */
  find(section: ElfSection, offset: number, index: number): SourceLine | undefined {
    let start = 0;
    for (const { section: home, first, count } of this.pieces(section, offset)) {
      if (index < start + count) return this.#lineAt(home.name, first, first + index - start);
      start += count;
    }
    return undefined;
  }

  #lineAt(section: string, from: number, instruction: number): SourceLine | undefined {
    const info = this.#lines
      .get(section)
      // Line 0 marks what the compiler made up; the line before it is where the reader has to look.
      ?.findLast(({ line, instruction: at }) => line !== 0 && at <= instruction && at >= from);
    if (info === undefined) return undefined;
    return {
      file: info.file.replace(/^\.\//, ''),
      line: info.line,
      column: info.column,
      source: info.source.trim(),
    };
  }

  /** The function at `offset` bytes of `section`, and those that loading appends to it. */
  pieces(section: ElfSection, offset: number): CodePiece[] {
    const main = this.#functionAt(section, offset / instructionSize);
    if (main === undefined) return [];
    const pieces = [main];
    const met = new Set([main]);
    // libbpf appends a function when it meets its first call, and goes on inside it before it comes back.
    const open = [this.#calls(main).values()];
    for (let calls = open.at(-1); calls !== undefined; calls = open.at(-1)) {
      const next = calls.next();
      if (next.done === true) {
        open.pop();
      } else if (!met.has(next.value)) {
        met.add(next.value);
        pieces.push(next.value);
        open.push(this.#calls(next.value).values());
      }
    }
    return pieces;
  }

  #calls(piece: CodePiece): CodePiece[] {
    const relocations = new Map(this.#elf.relocations(piece.section).map((entry) => [entry.offset, entry]));
    const called: CodePiece[] = [];
    for (let at = piece.first; at < piece.first + piece.count; at++) {
      const target = this.#target(piece.section, at, relocations.get(at * instructionSize));
      if (target !== undefined) called.push(target);
    }
    return called;
  }

  /** The function that the instruction calls, or whose address it takes. */
  #target(section: ElfSection, at: number, relocation: ElfRelocation | undefined): CodePiece | undefined {
    const view = new DataView(
      section.data.buffer,
      section.data.byteOffset + at * instructionSize,
      instructionSize,
    );
    const opcode = view.getUint8(0);
    const registers = view.getUint8(1);
    const source = this.#elf.littleEndian ? registers >> 4 : registers & 0xf;
    const immediate = view.getInt32(4, this.#elf.littleEndian);
    const isCall = opcode === callOpcode && source === pseudoCall;
    if (!isCall && opcode !== load64Opcode) return undefined;
    if (relocation === undefined) {
      return isCall ? this.#functionAt(section, at + immediate + 1) : undefined;
    }
    const { symbol } = relocation;
    const home = this.#elf.sections[symbol.section];
    const isCode =
      home?.type === sectionTypes.programBits &&
      (home.flags & sectionFlags.executable) !== 0n &&
      (symbol.type === symbolTypes.function || symbol.type === symbolTypes.section);
    if (!isCode) return undefined;
    const start = symbol.value / instructionSize;
    return this.#functionAt(home, start + (isCall ? immediate + 1 : immediate / instructionSize));
  }

  #functionAt(section: ElfSection, first: number): CodePiece | undefined {
    let functions = this.#functions.get(section.index);
    if (functions === undefined) {
      functions = new Map();
      for (const { type, value, size } of this.#elf.symbolsIn(section)) {
        if (type !== symbolTypes.function || value + size > section.data.length) continue;
        const start = value / instructionSize;
        functions.set(start, { section, first: start, count: Math.floor(size / instructionSize) });
      }
      this.#functions.set(section.index, functions);
    }
    return functions.get(first);
  }
}
