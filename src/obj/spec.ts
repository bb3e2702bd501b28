import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { hostIsLittleEndian } from '../base/byte-order.js';
import { messageOf, NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { readLineInfo } from './btf/line-info.js';
import { readBtf } from './btf/read.js';
import type { BtfGraph } from './btf/types.js';
import type { ElfFile } from './elf.js';
import { plainText, readElf } from './elf.js';
import type { ExternSpec } from './externs.js';
import { readExterns } from './externs.js';
import { Globals } from './globals.js';
import { withoutInitialSlots } from './initial-slots.js';
import type { ListedFunction } from './instructions/listing.js';
import { listObjectCode } from './instructions/object-code.js';
import type { MapSpec } from './maps.js';
import { readMaps } from './maps.js';
import type { MapName, ObjectSignature, ObjectTypes, ProgramName, UntypedObject } from './object-types.js';
import { checkTypes } from './object-types.js';
import { withOlderNames } from './older-names.js';
import type { ProgramSpec, SubprogramSpec } from './programs.js';
import { isSectionOf, readPrograms, readSubprograms } from './programs.js';
import type { SourceLine } from './source-lines.js';
import { SourceLines } from './source-lines.js';

import { readStructOps, type StructOpsTable } from './struct-ops.js';

export type { ExternSpec } from './externs.js';
export type { GlobalSpec } from './globals.js';
export type { MapSpec, MapTypeWord } from './maps.js';
export type { ProgramSpec, SubprogramSpec } from './programs.js';
export type { SourceLine } from './source-lines.js';

/** How bytes are to be read as an object. */
export interface ParseOptions {
  /** Where the bytes come from: named in errors, and the name of the object is taken from it. */
  readonly path?: string | undefined;
  /** Refuse objects without program and map; true unless told otherwise. Headers compiled for their types have neither. */
  readonly requireBpf?: boolean | undefined;
}

/** For an object whose types are known. */
export interface TypedOptions<S extends ObjectSignature> {
  /** From a module of `netkit gen types`: names and values are then checked by the compiler, and the object against them when it is read. */
  readonly types?: ObjectTypes<S> | undefined;
}

const largestMap = 0xffff_ffff;

/**
 * What is in an object file, and what was chosen of it for loading. Reading needs no kernel and no privileges, and
 * the same file gives the same spec on every machine. The bytes of the file are never changed.
 */
export class ObjectSpec<S extends ObjectSignature = UntypedObject> {
  /** The file that it was read from. */
  readonly path: string | undefined;
  /** The file's base name without `.bpf.o` or `.o`. */
  readonly name: string;
  /** libbpf's name for the object, to be handed to it: the names of the data maps in the kernel begin with it. */
  readonly libbpfName: string;
  /** The whole file. */
  readonly bytes: Uint8Array;
  /** What the object says in its `license` section; the kernel asks for a GPL-compatible one for many helpers. */
  readonly licence: string | undefined;
  /** The types of the object; undefined for one compiled without `-g`. */
  readonly btf: BtfGraph | undefined;
  /** In the order of the file. */
  readonly programs: readonly ProgramSpec[];
  /** Functions that programs call. */
  readonly subprograms: readonly SubprogramSpec[];
  /** Those declared in `.maps`, then the sections of global variables, then the rest. */
  readonly maps: readonly MapSpec[];
  /** What the object expects from the kernel: its configuration, its symbols. */
  readonly externs: readonly ExternSpec[];
  /** The global variables, which can be set until the object is loaded. */
  readonly globals: Globals<S['globals']>;
  readonly #elf: ElfFile;
  readonly #mapSizes = new Map<string, number>();
  #chosen: ReadonlySet<string>;
  #lines: SourceLines | undefined;

  private constructor(bytes: Uint8Array, options: ParseOptions) {
    this.path = options.path;
    this.name = objectName(options.path);
    this.libbpfName = libbpfName(options.path);
    this.bytes = bytes;
    this.#elf = readElf(bytes);
    if (this.#elf.littleEndian !== hostIsLittleEndian) {
      const [order, target] = this.#elf.littleEndian ? ['little', 'bpfel'] : ['big', 'bpfeb'];
      throw new NetkitError('bad-object', `built for a ${order}-endian machine (${target})`);
    }
    const btf = this.#elf.section('.BTF');
    this.btf = btf === undefined || btf.data.length === 0 ? undefined : readBtf(btf.data);
    this.licence = licenceOf(this.#elf);
    this.programs = readPrograms(this.#elf);
    this.subprograms = readSubprograms(this.#elf);
    this.externs = readExterns(this.#elf, this.btf);
    this.maps = readMaps(this.#elf, this.btf, this.libbpfName, this.externs);
    this.globals = new Globals<S['globals']>(this.#elf, this.btf);
    this.#chosen = new Set(this.programs.filter(({ autoload }) => autoload).map(({ name }) => name));
    const isEmpty = this.programs.length === 0 && this.maps.every(({ kind }) => kind === 'data');
    if (isEmpty && options.requireBpf !== false) {
      throw new NetkitError('bad-object', 'ELF without BPF: no program and no map section');
    }
  }

  /** Reads an object file. @throws NetkitError `not-found`, `not-permitted`, `bad-object`; `conflict` when `types` are of another object */
  static async read<S extends ObjectSignature = UntypedObject>(
    path: string,
    options: TypedOptions<S> = {},
  ): Promise<ObjectSpec<NoInfer<S>>> {
    let bytes: Buffer;
    try {
      requireRegular(path);
      bytes = await readFile(path);
    } catch (error) {
      throw unreadable(path, error);
    }
    return ObjectSpec.parse(plain(bytes), { ...options, path });
  }

  /** Like {@link ObjectSpec.read}, at once. @throws NetkitError like it */
  static readSync<S extends ObjectSignature = UntypedObject>(
    path: string,
    options: TypedOptions<S> = {},
  ): ObjectSpec<NoInfer<S>> {
    let bytes: Buffer;
    try {
      requireRegular(path);
      bytes = readFileSync(path);
    } catch (error) {
      throw unreadable(path, error);
    }
    return ObjectSpec.parse(plain(bytes), { ...options, path });
  }

  /** Reads the bytes of an object file. @throws NetkitError `bad-object` or `conflict`, naming `path` and what is wrong with it */
  static parse<S extends ObjectSignature = UntypedObject>(
    bytes: Uint8Array,
    options: ParseOptions & TypedOptions<S> = {},
  ): ObjectSpec<NoInfer<S>> {
    try {
      const spec = new ObjectSpec<S>(bytes, options);
      if (options.types !== undefined) checkTypes(spec, options.types);
      return spec;
    } catch (error) {
      if (!(error instanceof NetkitError) || options.path === undefined) throw error;
      throw new NetkitError(error.code, `${options.path}: ${error.message}`, {
        hint: error.hint,
        details: { ...error.details, path: options.path },
        cause: error,
      });
    }
  }

  /** A program by its name. @throws NetkitError `not-found`, with the name that was probably meant */
  program(name: ProgramName<S>): ProgramSpec {
    return named('program', name, this.programs);
  }

  /** A map by its name, or by the kernel's for a data map. @throws NetkitError `not-found`, with the name probably meant */
  map(name: MapName<S>): MapSpec {
    const data = this.maps.find(({ kind, kernelName }) => kind === 'data' && kernelName === name);
    return data ?? named('map', name, this.maps);
  }

  /** The names of the programs to load. */
  get chosen(): ReadonlySet<string> {
    return this.#chosen;
  }

  /**
   * Loads these programs and no others, also those that are off by default.
   * @throws NetkitError `not-found`; `usage` for an empty list
   */
  only(programs: readonly ProgramName<S>[]): void {
    if (programs.length === 0) throw new NetkitError('usage', 'at least one program must be chosen');
    this.#chosen = new Set(programs.map((name) => this.program(name).name));
  }

  /** The tables of kernel callbacks, with what the object puts into them. @throws NetkitError `bad-object` */
  structOps(): readonly StructOpsTable[] {
    return readStructOps(this.#elf, this.btf);
  }

  /** The file with section names that libbpf 1.1 knows. @throws NetkitError `unsupported` */
  olderBytes(): Uint8Array {
    return withOlderNames(this.bytes, this.#elf);
  }

  /** @internal The same file, whose bytes are given, as one that puts nothing into its maps of maps and programs. */
  withoutSlots(bytes: Uint8Array): Uint8Array {
    return withoutInitialSlots(bytes, this.#elf);
  }

  /** Sizes set with {@link ObjectSpec.setMapSize}, by name of the map. */
  get mapSizes(): ReadonlyMap<string, number> {
    return this.#mapSizes;
  }

  /**
   * Sets how many entries a map will have (bytes, for a ring buffer).
   * @throws NetkitError `not-found` with the name probably meant; `bad-value` unless it is a whole number from 1 to 2^32-1
   */
  setMapSize(name: MapName<S>, entries: number): void {
    const map = this.map(name);
    if (map.kind === 'data' || map.kind === 'struct_ops') {
      throw new NetkitError(
        'bad-value',
        `the size of the map '${name}' follows from its contents and cannot be set`,
      );
    }
    if (!Number.isInteger(entries) || entries < 1 || entries > largestMap) {
      throw new NetkitError(
        'bad-value',
        `the size of the map '${name}' must be a whole number from 1 to ${largestMap}, not ${entries}`,
      );
    }
    this.#mapSizes.set(map.name, entries);
  }

  /**
   * The source line of an instruction as the verifier counts them: the program's own first, then those of the
   * subprograms that loading appends.
   * @returns `undefined` when the object does not tell (no `.BTF.ext`, or a damaged one, which libbpf ignores as well)
   * @throws NetkitError `not-found` when there is no such program
   */
  sourceLine(program: ProgramName<S>, instruction: number): SourceLine | undefined {
    const found = this.program(program);
    const section = this.#elf.sections.find((candidate) => isSectionOf(found, candidate));
    if (section === undefined) return undefined;
    this.#lines ??= new SourceLines(this.#elf, lineInfo(this.#elf));
    return this.#lines.find(section, found.offset, instruction);
  }

  /**
   * A program's instructions as text, function by function, its subprograms as loading appends them. What loading
   * changes is shown as it is in the file: maps by name, CO-RE accesses as they were compiled.
   * @throws NetkitError `not-found` when there is no such program, `bad-object`
   */
  listing(program: ProgramName<S>): readonly ListedFunction[] {
    const found = this.program(program);
    const section = this.#elf.sections.find((candidate) => isSectionOf(found, candidate));
    if (section === undefined) return [];
    const lines = lineInfo(this.#elf);
    const pieces = new SourceLines(this.#elf, lines).pieces(section, found.offset);
    return listObjectCode({ elf: this.#elf, btf: this.btf, pieces, lines });
  }
}

function named<T extends { readonly name: string }>(what: string, name: string, all: readonly T[]): T {
  const found = all.find((candidate) => candidate.name === name);
  if (found) return found;
  throw new NetkitError('not-found', `the object has no ${what} '${name}'`, {
    hint: suggestion(
      name,
      all.map((candidate) => candidate.name),
    ),
    details: { [what]: name },
  });
}

function lineInfo(elf: ElfFile): ReturnType<typeof readLineInfo> {
  const ext = elf.section('.BTF.ext');
  const btf = elf.section('.BTF');
  if (ext === undefined || btf === undefined) return new Map();
  try {
    return readLineInfo(ext.data, btf.data);
  } catch (error) {
    if (error instanceof NetkitError) return new Map();
    throw error;
  }
}

function plain({ buffer, byteOffset, length }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}

function licenceOf(elf: ElfFile): string | undefined {
  const data = elf.section('license')?.data;
  if (data === undefined || data.length === 0) return undefined;
  return plainText(data);
}

function objectName(path: string | undefined): string {
  return basename(path ?? 'object').replace(/(\.bpf)?\.o$/, '');
}

function libbpfName(path: string | undefined): string {
  const [name = ''] = basename(path ?? 'object').split('.');
  return name.slice(0, 15);
}

const reasons: Readonly<Record<string, readonly ['not-found' | 'not-permitted' | 'bad-object', string]>> = {
  ENOENT: ['not-found', 'there is no such file'],
  ENOTDIR: ['not-found', 'there is no such file'],
  EACCES: ['not-permitted', 'permission denied'],
  EPERM: ['not-permitted', 'permission denied'],
  EISDIR: ['bad-object', 'it is a directory'],
};

/** A device or a pipe may never end. Reading a directory says by itself what is wrong. */
function requireRegular(path: string): void {
  const found = statSync(path);
  if (!found.isFile() && !found.isDirectory()) {
    throw new NetkitError('bad-object', `${path}: not a regular file`, { details: { path } });
  }
}

function unreadable(path: string, error: unknown): NetkitError {
  if (error instanceof NetkitError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const [kind, reason] = reasons[code] ?? ['failed', messageOf(error)];
  return new NetkitError(kind, `cannot read '${path}': ${reason}`, { details: { path }, cause: error });
}
