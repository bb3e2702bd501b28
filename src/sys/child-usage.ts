/** What child processes took of the machine. */
import { declare, invoke } from './call.js';
import { checked } from './status.js';

declare('libc', ['int getrusage(int who, void *usage)']);

// sys/resource.h
const RUSAGE_CHILDREN = -1;
/** struct rusage: two times of 16 bytes, then fourteen numbers of 8. */
const usageBytes = 144;

/** Microseconds on a CPU, in user space and in the kernel, of all children that have ended and been waited for, and theirs. */
export function childrenBusyUs(): number {
  const usage = new BigInt64Array(usageBytes / 8);
  checked(
    'read what child processes took',
    invoke('getrusage', [RUSAGE_CHILDREN, new Uint8Array(usage.buffer)]),
  );
  const [userSeconds = 0n, userUs = 0n, kernelSeconds = 0n, kernelUs = 0n] = usage;
  return Number((userSeconds + kernelSeconds) * 1_000_000n + userUs + kernelUs);
}
