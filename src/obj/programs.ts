import { NetkitError } from '../base/errors.js';
import type { ElfFile, ElfSection, ElfSymbol } from './elf.js';
import { sectionFlags, sectionTypes, symbolBindings, symbolTypes } from './elf.js';
import type { AttachTypeWord, ProgramTypeWord, SectionTarget } from './sections.js';
import { sectionMeaning } from './sections.js';

/** Bytes of one instruction; the two halves of a 64-bit constant count as two. */
export const instructionSize = 8;

/** One function of the C source that is an eBPF program of its own. */
export interface ProgramSpec {
  readonly name: string;
  /** The section name as written in `SEC(…)`, without the `?` that switches a program off. */
  readonly section: string;
  /** `unspec` when the section name says nothing: whoever loads the program has to say. */
  readonly type: ProgramTypeWord;
  readonly attachType: AttachTypeWord | undefined;
  /** What the section name says behind the slash, and what that is. */
  readonly target: { readonly kind: SectionTarget; readonly text: string } | undefined;
  readonly sleepable: boolean;
  /** XDP: takes packets in several buffers. */
  readonly frags: boolean;
  /** Loaded unless told otherwise; `SEC("?…")` is not. */
  readonly autoload: boolean;
  /** Without the subprograms that loading appends. */
  readonly instructionCount: number;
  /** Bytes from the start of the section. */
  readonly offset: number;
  /** Why it cannot be loaded, where the file alone tells. */
  readonly problem: string | undefined;
}

/** A function that programs call; it is loaded as a part of each. */
export interface SubprogramSpec {
  readonly name: string;
  readonly instructionCount: number;
  readonly offset: number;
}

/**
 * The programs of an object in the order of the file: the functions in sections of instructions other than `.text`.
 * @throws NetkitError `bad-object` when a function does not lie within its section
 */
export function readPrograms(elf: ElfFile): ProgramSpec[] {
  return codeSections(elf)
    .filter((section) => section.name !== '.text')
    .flatMap((section) => functionsOf(elf, section).map((symbol) => programOf(symbol, section)));
}

/** The functions of `.text`. @throws NetkitError `bad-object` */
export function readSubprograms(elf: ElfFile): SubprogramSpec[] {
  return codeSections(elf)
    .filter((section) => section.name === '.text')
    .flatMap((section) => functionsOf(elf, section))
    .map(({ name, size, value }) => ({ name, instructionCount: size / instructionSize, offset: value }));
}

/** The name of a section in the file, which has a `?` for programs that are off. */
export function isSectionOf(program: ProgramSpec, section: ElfSection): boolean {
  return section.name === (program.autoload ? program.section : `?${program.section}`);
}

function codeSections(elf: ElfFile): ElfSection[] {
  const code = elf.sections.filter(
    ({ type, flags, size }) =>
      type === sectionTypes.programBits && (flags & sectionFlags.executable) !== 0n && size > 0,
  );
  if (code.length > 0 && elf.symbols.length === 0) {
    throw new NetkitError('bad-object', 'the object has instructions but no symbol table', {
      hint: 'strip eBPF objects with llvm-strip -g, which keeps the symbols',
    });
  }
  return code;
}

function functionsOf(elf: ElfFile, section: ElfSection): ElfSymbol[] {
  const functions = elf.symbolsIn(section).filter((symbol) => symbol.type === symbolTypes.function);
  for (const { name, value, size } of functions) {
    const whole = value % instructionSize === 0 && size % instructionSize === 0 && size > 0;
    if (!whole || value + size > section.size) {
      throw new NetkitError(
        'bad-object',
        `the function '${name}' takes the bytes ${value} to ${value + size} of section ${section.name}, ` +
          `which has ${section.size} bytes of whole instructions`,
      );
    }
  }
  return functions.sort((a, b) => a.value - b.value);
}

function programOf(symbol: ElfSymbol, elfSection: ElfSection): ProgramSpec {
  const autoload = !elfSection.name.startsWith('?');
  const section = autoload ? elfSection.name : elfSection.name.slice(1);
  const meaning = sectionMeaning(section);
  const rule = meaning?.rule;
  const target =
    meaning?.target === undefined || rule?.target === undefined
      ? undefined
      : { kind: rule.target, text: meaning.target };
  return {
    name: symbol.name,
    section,
    type: rule?.program ?? 'unspec',
    attachType: rule?.attach,
    target,
    sleepable: rule?.sleepable ?? false,
    frags: rule?.frags ?? false,
    autoload,
    instructionCount: symbol.size / instructionSize,
    offset: symbol.value,
    problem: problemOf(symbol, section, rule === undefined),
  };
}

function problemOf(symbol: ElfSymbol, section: string, unknown: boolean): string | undefined {
  if (symbol.binding === symbolBindings.local) return 'a static function cannot be a program of its own';
  if (unknown) return `the section name '${section}' does not tell the program's type`;
  return undefined;
}
