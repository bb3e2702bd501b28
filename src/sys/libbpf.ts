/**
 * libbpf's object calls, 1.1 or newer. Pointers to `struct bpf_object`, `bpf_program` and `bpf_map` are bigints that never
 * leave the wall but through the opaque types below.
 */
import { hostIsLittleEndian } from '../base/byte-order.js';
import { addressOf, declare, invoke } from './call.js';
import { capture } from './libbpf-log.js';
import { cString } from './libc.js';
import { checkedNegative, checkedPointer } from './status.js';

declare('libbpf', [
  'const char *libbpf_version_string()',
  'void *bpf_object__open_mem(void *bytes, size_t size, void *opts)',
  'int bpf_object__load(void *object)',
  'void bpf_object__close(void *object)',
  'void *bpf_object__next_program(void *object, void *previous)',
  'void *bpf_object__next_map(void *object, void *previous)',
  'const char *bpf_program__name(void *program)',
  'int bpf_program__fd(void *program)',
  'int bpf_program__type(void *program)',
  'int bpf_program__set_type(void *program, int type)',
  'int bpf_program__set_expected_attach_type(void *program, int type)',
  'int bpf_program__set_autoload(void *program, bool autoload)',
  'int bpf_program__set_attach_target(void *program, int target, const char *name)',
  'int bpf_program__set_flags(void *program, uint32_t flags)',
  'int bpf_program__set_log_level(void *program, uint32_t level)',
  'int bpf_program__set_log_buf(void *program, void *buffer, size_t size)',
  'const char *bpf_map__name(void *map)',
  'int bpf_map__fd(void *map)',
  'int bpf_map__set_max_entries(void *map, uint32_t entries)',
  'int bpf_map__set_map_flags(void *map, uint32_t flags)',
  'int bpf_map__set_initial_value(void *map, void *bytes, size_t size)',
  'int bpf_map__reuse_fd(void *map, int fd)',
  'int bpf_map__set_pin_path(void *map, const char *path)',
]);

/** What the verifier logs, of linux/bpf_verifier.h: not part of the kernel's user interface, yet the same since 5.2. */
export const logLevels = {
  /** The instructions of the way that ended, and from 5.17 on what they did to registers. */
  way: 1,
  /** Every way, with all registers at each instruction. */
  all: 2,
  /** The verdict, and what the verification took. */
  statistics: 4,
} as const;

declare const object: unique symbol;
declare const program: unique symbol;
declare const map: unique symbol;
export type ObjectPointer = bigint & { readonly [object]: true };
export type ProgramPointer = bigint & { readonly [program]: true };
export type MapPointer = bigint & { readonly [map]: true };

/** `1.1`, as the installed library calls itself. */
export function libbpfVersion(): string {
  return String(invoke('libbpf_version_string', [])).replace(/^v/, '');
}

/** The first two members of struct bpf_object_open_opts; libbpf takes a shorter struct for an older caller's. */
const openOptionsSize = 16;

/** An opened object; disposing closes it and every descriptor that libbpf made for it. */
export class LibbpfObject implements Disposable {
  readonly #pointer: ObjectPointer;
  #closed = false;
  /** Kept for as long as libbpf may read it. */
  readonly #title: Uint8Array;

  /** @param name what maps of global variables are named after; 15 characters reach the kernel. @throws SysError */
  constructor(bytes: Uint8Array, name: string) {
    this.#title = cString(name);
    const options = new DataView(new ArrayBuffer(openOptionsSize));
    options.setBigUint64(0, BigInt(openOptionsSize), hostIsLittleEndian);
    options.setBigUint64(8, addressOf(this.#title), hostIsLittleEndian);
    const opened = capture(() =>
      checkedPointer(
        `open object ${name}`,
        invoke('bpf_object__open_mem', [bytes, bytes.length, new Uint8Array(options.buffer)]),
      ),
    );
    this.#pointer = opened.result as ObjectPointer;
  }

  *programs(): Generator<ProgramPointer> {
    for (let at = this.#next('program', null); at !== undefined; at = this.#next('program', at))
      yield at as ProgramPointer;
  }

  *maps(): Generator<MapPointer> {
    for (let at = this.#next('map', null); at !== undefined; at = this.#next('map', at))
      yield at as MapPointer;
  }

  #next(kind: 'program' | 'map', previous: bigint | null): bigint | undefined {
    const next = invoke(`bpf_object__next_${kind}`, [this.#pointer, previous]);
    return typeof next === 'bigint' && next !== 0n ? next : undefined;
  }

  /** Creates maps and loads programs. The log is libbpf's, the verifier's included. @throws LibbpfFailure */
  load(): void {
    capture(() => checkedNegative('load the object', invoke('bpf_object__load', [this.#pointer])));
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    invoke('bpf_object__close', [this.#pointer]);
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export const programName = (pointer: ProgramPointer): string => text(invoke('bpf_program__name', [pointer]));
/** The program type libbpf took from the section, 0 when it knows no such section. */
export const programType = (pointer: ProgramPointer): number =>
  Number(invoke('bpf_program__type', [pointer]));
export const programFd = (pointer: ProgramPointer): number =>
  checkedNegative('take a loaded program', invoke('bpf_program__fd', [pointer]));
export const mapName = (pointer: MapPointer): string => text(invoke('bpf_map__name', [pointer]));
export const mapFd = (pointer: MapPointer): number =>
  checkedNegative('take a created map', invoke('bpf_map__fd', [pointer]));

export function setProgramType(pointer: ProgramPointer, type: number, attachType: number): void {
  checkedNegative('set a program type', invoke('bpf_program__set_type', [pointer, type]));
  checkedNegative(
    'set an attach type',
    invoke('bpf_program__set_expected_attach_type', [pointer, attachType]),
  );
}

export function setAutoload(pointer: ProgramPointer, autoload: boolean): void {
  checkedNegative('choose a program', invoke('bpf_program__set_autoload', [pointer, autoload]));
}

/**
 * What the verifier says of this program is written into `buffer`, as text that ends with a 0. libbpf then neither prints
 * it nor asks again with a larger one. The caller keeps the buffer reachable until the object is loaded.
 * @param level bits of {@link logLevels}
 */
export function setVerifierLog(pointer: ProgramPointer, level: number, buffer: Uint8Array): void {
  checkedNegative('choose a log level', invoke('bpf_program__set_log_level', [pointer, level]));
  checkedNegative(
    'take a verifier log',
    invoke('bpf_program__set_log_buf', [pointer, addressOf(buffer), buffer.length]),
  );
}

/** What a program of type `ext` replaces: a global function of another program, which the kernel must show the BTF of. */
export function setAttachTarget(pointer: ProgramPointer, target: number, functionName: string): void {
  capture(() =>
    checkedNegative(
      'choose a function to replace',
      invoke('bpf_program__set_attach_target', [pointer, target, functionName]),
    ),
  );
}

/** The flags of BPF_PROG_LOAD (BPF_F_…). */
export function setProgramFlags(pointer: ProgramPointer, flags: number): void {
  checkedNegative('set the flags of a program', invoke('bpf_program__set_flags', [pointer, flags]));
}

export function setMapFlags(pointer: MapPointer, flags: number): void {
  checkedNegative('set the flags of a map', invoke('bpf_map__set_map_flags', [pointer, flags]));
}

export function setMapEntries(pointer: MapPointer, entries: number): void {
  checkedNegative('set a map size', invoke('bpf_map__set_max_entries', [pointer, entries]));
}

/** @param bytes the whole section, of exactly the map's value size */
export function setInitialValue(pointer: MapPointer, bytes: Uint8Array): void {
  checkedNegative(
    'set global variables',
    invoke('bpf_map__set_initial_value', [pointer, bytes, bytes.length]),
  );
}

/** libbpf duplicates the descriptor. @throws SysError EINVAL when the kernel knows no such map */
export function reuseMap(pointer: MapPointer, fd: number): void {
  checkedNegative('reuse a map', invoke('bpf_map__reuse_fd', [pointer, fd]));
}

/** Forgets a pin path that the object asks for: netkit decides where things are pinned. */
export function clearPinPath(pointer: MapPointer): void {
  checkedNegative('clear a pin path', invoke('bpf_map__set_pin_path', [pointer, null]));
}
