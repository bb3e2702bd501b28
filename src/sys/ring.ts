/** Memory that the kernel and this process share: mmap(2) of a descriptor, as ring buffers and perf events have it. */
import { declare, ffi, invoke, lastErrno } from './call.js';
import { SysError } from './errno.js';
import type { Fd } from './fd.js';

declare('libc', [
  'void *mmap(void *address, size_t length, int protection, int flags, int fd, long offset)',
  'int munmap(void *address, size_t length)',
  'long sysconf(int name)',
]);

// asm-generic/mman-common.h, asm-generic/mman.h
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_FAILED = 2n ** 64n - 1n;
// bits/confname.h
const _SC_PAGESIZE = 30;

/** Bytes of a page of memory on this machine. */
export function pageSize(): number {
  return Number(invoke('sysconf', [_SC_PAGESIZE]));
}

/** What part of a descriptor is mapped, and how. */
export interface MappedPart {
  /** Bytes from the start; a multiple of the page size. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  readonly writable: boolean;
}

/**
 * Shared memory as an `ArrayBuffer`. Writing to a part that is not writable ends the process: views on it are not for
 * others to have.
 *
 * JavaScript cannot take an `ArrayBuffer` of foreign memory away from those who hold it. So disposing gives the kernel
 * its memory back at once, and leaves private zeros at the same addresses until the `ArrayBuffer` is collected: a view
 * that somebody kept reads zeros, and never memory that is not there.
 */
export class Mapping implements Disposable {
  readonly memory: ArrayBuffer;
  readonly #address: bigint;
  readonly #length: number;
  #open = true;

  /** @throws SysError EPERM when the descriptor is not for writing, EINVAL, ENOMEM */
  constructor(fd: Fd, { offset, length, writable }: MappedPart, operation: string) {
    const protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    this.#address = map(null, length, protection, MAP_SHARED, fd.value, offset, operation);
    this.#length = length;
    this.memory = ffi().view(this.#address, length);
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    map(this.#address, this.#length, PROT_READ | PROT_WRITE, flags, -1, 0, 'let go of shared memory');
    unreachable.register(this.memory, { address: this.#address, length: this.#length });
  }
}

const unreachable = new FinalizationRegistry<{ address: bigint; length: number }>(({ address, length }) => {
  invoke('munmap', [address, length]);
});

function map(
  address: bigint | null,
  length: number,
  protection: number,
  flags: number,
  fd: number,
  offset: number,
  operation: string,
): bigint {
  const result = invoke('mmap', [address, length, protection, flags, fd, offset]);
  if (typeof result !== 'bigint' || result === MAP_FAILED) throw new SysError(operation, lastErrno());
  return result;
}
