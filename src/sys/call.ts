/**
 * The choke point: every native call of netkit passes through `invoke`.
 *
 * That makes a system call trace (`NETKIT_TRACE=syscalls`) and a fake kernel for tests cost nothing extra, and keeps the
 * foreign function interface replaceable: nothing outside this file knows koffi.
 */
import { createRequire } from 'node:module';
import type { LibraryHandle } from 'koffi';
import { NetkitError } from '../base/errors.js';
import { errnoName } from './errno.js';

type Koffi = typeof import('koffi');
export type NativeArgument = number | bigint | boolean | string | Uint8Array | null;
export type NativeResult = number | bigint | string | null | undefined;
interface NativeFunction {
  (...args: NativeArgument[]): NativeResult;
  /** The last argument is called with the result, on this thread, with `errno` as the call left it. */
  async(...args: [...NativeArgument[], (error: unknown, result: NativeResult) => void]): void;
}

/** What a fake kernel implements; `errno` is what `lastErrno()` gives after the call. */
export interface FakeNative {
  invoke(symbol: string, args: readonly NativeArgument[]): { result: NativeResult; errno?: number };
}

/** Prototypes by symbol. `void *` takes a buffer, an address or null, and comes back as an address (0n or null when NULL). */
const prototypes: Record<string, readonly [library: 'libc' | 'libbpf', definition: string]> = {};

/** Adds prototypes in C syntax, keyed by symbol name. Nothing is bound before its first call. */
export function declare(library: 'libc' | 'libbpf', definitions: readonly string[]): void {
  for (const definition of definitions) {
    const symbol = /(\w+)\s*\(/.exec(definition)?.[1];
    if (symbol === undefined) throw new TypeError(`not a C prototype: ${definition}`);
    prototypes[symbol] = [library, definition];
  }
}

/** Adds one prototype under a name of its own: `syscall` has another one for each system call that libc has no function for. */
export function declareAs(name: string, library: 'libc' | 'libbpf', definition: string): void {
  prototypes[name] = [library, definition];
}

const libraryFiles = { libc: 'libc.so.6', libbpf: 'libbpf.so.1' } as const;
const libraries = new Map<string, LibraryHandle>();
const bound = new Map<string, NativeFunction>();
let koffi: Koffi | undefined;
let fake: FakeNative | undefined;
let fakeErrno = 0;
const tracing = (process.env['NETKIT_TRACE'] ?? '').split(',').includes('syscalls');

/** koffi itself, loaded on first use (about 3 ms). @throws NetkitError `tool-missing` when its binary is not installed. */
export function ffi(): Koffi {
  koffi ??= koffiBinary() ?? wholeKoffi();
  return koffi;
}

/**
 * The binary of this machine by its path, which is a quarter of the way that koffi itself goes to it: that looks for it with
 * several modules, and wraps what is deprecated, which netkit does not call. Undefined where it is elsewhere, or another.
 */
function koffiBinary(): Koffi | undefined {
  const { platform, arch } = process;
  const path = `@koromix/koffi-${platform}-${arch}/${platform}_${arch}/koffi.node`;
  try {
    return createRequire(import.meta.url)(path) as Koffi;
  } catch {
    return undefined;
  }
}

function wholeKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi;
  } catch (cause) {
    throw new NetkitError('tool-missing', "the package 'koffi' has no binary for this machine", {
      hint: "its binary is an optional dependency: install netkit without '--omit=optional'",
      cause,
    });
  }
}

function library(name: 'libc' | 'libbpf'): LibraryHandle {
  let handle = libraries.get(name);
  if (handle === undefined) {
    const file = libraryFiles[name];
    try {
      handle = ffi().load(file);
    } catch (cause) {
      if (cause instanceof NetkitError) throw cause;
      throw new NetkitError('tool-missing', `the library ${file} cannot be loaded`, {
        hint: name === 'libbpf' ? 'install the Debian package libbpf1 (libbpf 1.1 or newer)' : undefined,
        cause,
      });
    }
    libraries.set(name, handle);
  }
  return handle;
}

function bind(symbol: string): NativeFunction {
  const prototype = prototypes[symbol];
  if (prototype === undefined) throw new TypeError(`no prototype declared for ${symbol}`);
  const [name, definition] = prototype;
  const native: NativeFunction = library(name).func(definition);
  bound.set(symbol, native);
  return native;
}

/** Calls a declared native function. `traceName` names the call in a trace where the symbol says too little. */
export function invoke(symbol: string, args: readonly NativeArgument[], traceName?: string): NativeResult {
  if (fake !== undefined) {
    const answer = fake.invoke(symbol, args);
    fakeErrno = answer.errno ?? 0;
    return answer.result;
  }
  const native = bound.get(symbol) ?? bind(symbol);
  if (!tracing) return native(...args);
  const start = process.hrtime.bigint();
  const result = native(...args);
  const errno = ffi().errno();
  trace(traceName ?? symbol, result, errno, start);
  ffi().errno(errno);
  return result;
}

function trace(name: string, result: NativeResult, errno: number, start: bigint): void {
  const micros = Number(process.hrtime.bigint() - start) / 1000;
  const failed = result === -1 || (result === null && errno !== 0);
  process.stderr.write(
    `${name} = ${String(result)}${failed ? ` ${errnoName(errno)}` : ''} <${micros.toFixed(1)} µs>\n`,
  );
}

/** What an asynchronous call gives: its errno travels with it, since others are made meanwhile. */
export interface AsyncAnswer {
  readonly result: NativeResult;
  readonly errno: number;
}

/**
 * Calls a declared native function on a thread of libuv's pool. Arguments that are buffers must stay reachable, and what
 * they hold must not be read or written, until the answer is there. Keeps the process alive until then.
 */
export async function invokeAsync(
  symbol: string,
  args: readonly NativeArgument[],
  traceName?: string,
): Promise<AsyncAnswer> {
  if (fake !== undefined) {
    const { result, errno } = fake.invoke(symbol, args);
    return { result, errno: errno ?? 0 };
  }
  const native = bound.get(symbol) ?? bind(symbol);
  const start = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    native.async(...args, (error, result) => {
      const errno = ffi().errno();
      if (error !== null && error !== undefined) {
        reject(error);
        return;
      }
      if (tracing) trace(`${traceName ?? symbol} (async)`, result, errno, start);
      resolve({ result, errno });
    });
  });
}

/** `errno` of the last native call. */
export function lastErrno(): number {
  return fake === undefined ? ffi().errno() : fakeErrno;
}

/** The address of a buffer's bytes. The caller keeps the buffer reachable while native code may use it. */
export function addressOf(bytes: Uint8Array): bigint {
  return fake === undefined ? ffi().address(bytes) : 0n;
}

/** Replaces the kernel in planner tests; `undefined` brings the real one back. */
export function setFakeNative(replacement: FakeNative | undefined): void {
  fake = replacement;
}
