/** Answers to «does this kernel have it?» */
import { NetkitError } from '../../base/errors.js';
import { capabilityHint, type PrivilegedTask } from '../../host/capabilities.js';
import { atLeast } from '../../host/kernel.js';
import { type LinuxVersion, versionNumbers } from '../../obj/kernel-versions/version.js';
import { isErrno } from '../../sys/errno.js';

/** Whether the kernel has something. */
export interface Availability {
  /** `null` when this user, or this machine's set-up, cannot find out. */
  readonly available: boolean | null;
  /** Why not, or why that is unknown; of what is there, the version that brought it. */
  readonly reason: string;
}

/** Something of the kernel by name, and whether it is there. */
export interface Feature<Name extends string = string> extends Availability {
  readonly name: Name;
  /** The Linux version that brought it; `undefined` when netkit does not know. */
  readonly since: LinuxVersion | undefined;
}

export const yes = (reason: string): Availability => ({ available: true, reason });
export const no = (reason: string): Availability => ({ available: false, reason });
export const unknown = (reason: string): Availability => ({ available: null, reason });

/** It is there. */
export function present(since: LinuxVersion | undefined): Availability {
  return yes(since === undefined ? 'it is there' : `it came with Linux ${since}`);
}

/** It is not there: the kernel is too old, or was built without. */
export function absent(since: LinuxVersion | undefined): Availability {
  if (since === undefined) return no('this kernel does not have it');
  return no(
    atLeast(...versionNumbers(since)) ? 'this kernel was built without it' : `it came with Linux ${since}`,
  );
}

/** What it means that the kernel does not let this user ask. */
export function barred(task: PrivilegedTask): Availability {
  // Some types take more than their task says, such as those that stand in for any other.
  const hint = capabilityHint(task) ?? capabilityHint('load') ?? capabilityHint('load-tracing');
  // Whoever has all rights and is still refused meets a kernel that bars this to everybody.
  if (hint === undefined) return no('the kernel refuses it even to this user, with every capability for it');
  return unknown(hint);
}

/** The answer that a probe gives; one that fails because the user lacks rights, or because it cannot be made, is none. */
export function answered(task: PrivilegedTask, probe: () => Availability): Availability {
  try {
    return probe();
  } catch (error) {
    if (isErrno(error, 'EPERM', 'EACCES')) return barred(task);
    // No bpf(2) at all, or not this command of it.
    if (isErrno(error, 'ENOSYS', 'EINVAL', 'ENOTSUPP', 'EOPNOTSUPP')) return no(error.message);
    if (!(error instanceof NetkitError)) throw error;
    return error.code === 'not-permitted' ? barred(task) : unknown(error.message);
  }
}
