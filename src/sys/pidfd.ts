/** Processes as descriptors. */
import { declareAs, invoke } from './call.js';
import { Fd } from './fd.js';
import { checked } from './status.js';

declareAs('pidfd_open', 'libc', 'long syscall(long number, int pid, unsigned int flags)');

/** The same number on every machine. */
const pidfdOpen = 434;

/** A descriptor of a process; kernel 5.3. @throws SysError ESRCH when there is none, EINVAL for a thread that is not a process */
export function openPidfd(pid: number): Fd {
  return new Fd(checked(`open process ${pid}`, invoke('pidfd_open', [pidfdOpen, pid, 0], 'pidfd_open')));
}
