/** What the kernel's refusals mean, found out by asking it what it has. */
import { NetkitError } from '../../base/errors.js';
import { capabilityHint, type PrivilegedTask } from '../../host/capabilities.js';
import { atLeast, kernelRelease } from '../../host/kernel.js';
import { isErrno, type SysError } from '../../sys/errno.js';
import { type HookName, hookAvailable } from '../feature.js';
import type { Program } from '../program.js';

/** What was tried. @internal */
export interface Attempt {
  readonly program: Program;
  /** To be read after «to»: `sk_lookup of the network namespace`. */
  readonly where: string;
  readonly hook: HookName;
  /** What EBUSY and EEXIST mean there. */
  readonly taken?: string | undefined;
  /** What the place does not take beside a hook that is there: to be read after «unsupported:». */
  readonly unless?: string | undefined;
}

const tracingHooks =
  /^(tracepoint|raw_tracepoint|tp_btf|kprobe|uprobe|perf_event|fentry|fexit|fmod_ret|freplace|lsm|iter)/;

/** The task whose capabilities attaching there needs. @internal */
export function taskOf(hook: HookName): PrivilegedTask {
  return tracingHooks.test(hook) ? 'load-tracing' : 'attach';
}

/** Runs one call that attaches, and says in words why it failed. @internal @throws NetkitError */
export function attempting<T>(attempt: Attempt, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw explained(error, attempt);
  }
}

function explained(error: unknown, attempt: Attempt): unknown {
  const { where, hook, taken } = attempt;
  if (isErrno(error, 'EPERM', 'EACCES')) return notPermitted(error, attempt);
  if (isErrno(error, 'EBUSY', 'EEXIST')) {
    return new NetkitError('conflict', taken ?? `${where} has a program already`, { cause: error });
  }
  if (isErrno(error, 'EINVAL', 'EOPNOTSUPP', 'ENOTSUPP', 'ENOSYS', 'EAFNOSUPPORT')) {
    const { available, reason } = hookAvailable(hook);
    if (available === false) return new NetkitError('unsupported', reason, { cause: error });
    return refused(error, attempt);
  }
  return error;
}

function notPermitted(error: SysError, { program, where, hook }: Attempt): NetkitError {
  const hint = capabilityHint(taskOf(hook));
  if (hint !== undefined) return new NetkitError('not-permitted', error.message, { hint, cause: error });
  const { available, reason } = hookAvailable(hook);
  const why = available === false ? reason : 'it refuses it even to this user, with every capability for it';
  return new NetkitError(
    'not-permitted',
    `the kernel bars attaching program '${program.info().name}' to ${where}: ${why}`,
    { cause: error },
  );
}

function refused(error: SysError, { program, where, unless }: Attempt): NetkitError {
  const { name, type } = program.info();
  const because = unless === undefined ? '' : `: ${unless}`;
  return new NetkitError(
    'unsupported',
    `the kernel refuses to attach program '${name}' (${type}) to ${where} (${error.errnoName})${because}`,
    { cause: error },
  );
}

/** @internal @throws NetkitError `unsupported` when the kernel is older than what `what` needs */
export function requireKernel(major: number, minor: number, what: string): void {
  if (atLeast(major, minor)) return;
  throw new NetkitError(
    'unsupported',
    `${what} came with Linux ${major}.${minor}, and this is ${kernelRelease()}`,
  );
}
