/** The few calls of libc that Node does not offer. All synchronous: they act on the calling thread. */
import { declare, ffi, invoke, lastErrno } from './call.js';
import { errnoNumber, SysError } from './errno.js';
import { checked } from './status.js';

declare('libc', [
  'int flock(int fd, int operation)',
  'int setns(int fd, int nstype)',
  'int unshare(int flags)',
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
  'int umount2(const char *target, int flags)',
  'unsigned int if_nametoindex(const char *ifname)',
  'void *if_nameindex()',
  'void if_freenameindex(void *list)',
  'int clock_gettime(int clock, void *time)',
]);

// sys/file.h, sched.h, net/if.h, linux/time.h
const LOCK_EX = 2;
const LOCK_NB = 4;
const CLONE_NEWNET = 0x40000000;
const CLOCK_BOOTTIME = 7;

/** Takes an exclusive `flock` without waiting. @returns false when somebody else has it. @throws SysError */
export function tryFlock(fd: number): boolean {
  if (invoke('flock', [fd, LOCK_EX | LOCK_NB]) === 0) return true;
  if (lastErrno() === errnoNumber('EAGAIN')) return false;
  throw new SysError('lock a file', lastErrno());
}

/** Moves the calling thread into the network namespace behind `fd`; needs CAP_SYS_ADMIN. @throws SysError */
export function setNetns(fd: number): void {
  checked('enter a network namespace', invoke('setns', [fd, CLONE_NEWNET]));
}

/** Moves the calling thread into a new network namespace; needs CAP_SYS_ADMIN. @throws SysError */
export function unshareNetns(): void {
  checked('make a network namespace', invoke('unshare', [CLONE_NEWNET]));
}

/** mount(2). @throws SysError */
export function mount(source: string, target: string, type: string, flags: number, data?: string): void {
  checked(`mount ${type} on ${target}`, invoke('mount', [source, target, type, flags, data ?? null]));
}

/** umount2(2) without flags. @throws SysError */
export function unmount(target: string): void {
  checked(`unmount ${target}`, invoke('umount2', [target, 0]));
}

/** The index of an interface of the thread's network namespace, or undefined. */
export function interfaceIndex(name: string): number | undefined {
  const index = Number(invoke('if_nametoindex', [name]));
  return index === 0 ? undefined : index;
}

/** All interfaces of the thread's network namespace, also those that are down. @throws SysError */
export function interfaceNames(): { index: number; name: string }[] {
  const list = invoke('if_nameindex', []);
  if (typeof list !== 'bigint' || list === 0n) throw new SysError('list the interfaces', lastErrno());
  try {
    const found: { index: number; name: string }[] = [];
    // struct if_nameindex { unsigned int if_index; char *if_name; }, ended by index 0
    const entrySize = 16;
    for (let entry = list; ; entry += BigInt(entrySize)) {
      const index: number = ffi().decode.uint32(entry);
      if (index === 0) return found;
      const name: string = ffi().decode(entry, 8, 'char *');
      found.push({ index, name });
    }
  } finally {
    invoke('if_freenameindex', [list]);
  }
}

/** A NUL-terminated copy of a text, for structures that hold its address. */
export function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, 'utf8');
}

/** Milliseconds since the boot, those included that the machine slept; nobody can set this clock. @throws SysError */
export function bootClock(): number {
  // struct timespec { time_t tv_sec; long tv_nsec; }
  const time = Buffer.alloc(16);
  checked('read the clock', invoke('clock_gettime', [CLOCK_BOOTTIME, time]));
  return Number(time.readBigInt64LE(0)) * 1000 + Number(time.readBigInt64LE(8)) / 1e6;
}
