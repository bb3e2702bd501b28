/** Where and when threads run. */
import { declare, invoke } from './call.js';
import { checked } from './status.js';

declare('libc', [
  'int sched_setaffinity(int tid, size_t size, const void *mask)',
  'int sched_setscheduler(int tid, int policy, const void *parameter)',
]);

// linux/sched.h
const SCHED_OTHER = 0;
const SCHED_RR = 2;
const SCHED_RESET_ON_FORK = 0x40000000;

/** sched_setaffinity(2): of the calling thread for 0. @throws SysError ESRCH, EINVAL for CPUs that are not there */
export function setAffinity(tid: number, cpus: readonly number[]): void {
  const words = Math.floor(Math.max(...cpus) / 64) + 1;
  const mask = new BigUint64Array(words);
  for (const cpu of cpus) {
    const word = Math.floor(cpu / 64);
    mask[word] = (mask[word] ?? 0n) | (1n << BigInt(cpu % 64));
  }
  const bytes = new Uint8Array(mask.buffer);
  checked('choose the CPUs of a thread', invoke('sched_setaffinity', [tid, bytes.length, bytes]));
}

/**
 * sched_setscheduler(2), of the calling thread for 0: before all ordinary ones at a priority from 1 on, in turn with those of
 * the same; at 0 an ordinary one again. Its children are ordinary ones. @throws SysError EPERM, ESRCH
 */
export function setRealtime(priority: number, tid = 0): void {
  const policy = priority === 0 ? SCHED_OTHER : SCHED_RR | SCHED_RESET_ON_FORK;
  // struct sched_param
  const parameter = new Uint8Array(Int32Array.of(priority).buffer);
  checked('choose how a thread is scheduled', invoke('sched_setscheduler', [tid, policy, parameter]));
}
