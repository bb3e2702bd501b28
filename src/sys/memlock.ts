/** The limit that kernels before 5.11 count the memory of maps against. */
import { release } from 'node:os';
import { declare, invoke } from './call.js';

declare('libc', ['int setrlimit(int resource, void *limit)']);

// sys/resource.h: RLIMIT_MEMLOCK, and RLIM_INFINITY twice for the soft and the hard limit.
const RLIMIT_MEMLOCK = 8;
const unlimited = new Uint8Array(16).fill(0xff);

let raised = false;

/**
 * Takes the limit away for this process, as libbpf does when it loads. Later kernels count by cgroup and need nothing.
 * Without the right to it the limit stays, and may be enough.
 */
export function raiseMemlock(): void {
  if (raised) return;
  raised = true;
  const [major = 0, minor = 0] = release().split('.', 2).map(Number);
  if (major > 5 || (major === 5 && minor >= 11)) return;
  invoke('setrlimit', [RLIMIT_MEMLOCK, unlimited]);
}
