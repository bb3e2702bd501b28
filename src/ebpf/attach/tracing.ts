import { NetkitError } from '../../base/errors.js';
import { attachTypes } from '../../base/kernel-words.js';
import { openRawTracepoint } from '../../sys/attach-calls.js';
import { createLink } from '../../sys/bpf.js';
import { isErrno } from '../../sys/errno.js';
import type { HookName } from '../feature.js';
import { kernelBtf } from '../kernel-btf.js';
import { Link } from '../link.js';
import type { Program } from '../program.js';
import { attempting, requireKernel } from './failure.js';

/** For programs whose target was fixed when they were loaded; made by {@link tracing}. */
export interface TracingOptions {
  readonly hook: 'tracing';
  /** What `bpf_get_attach_cookie()` gives in the program. Minimum kernel 5.19. */
  readonly cookie?: bigint | undefined;
}

/**
 * Attaches to what the program was loaded for: `fentry`, `fexit`, `fmod_ret`, `lsm` and `tp_btf`. Minimum kernel 5.5, LSM
 * and `fmod_ret` 5.7.
 */
export function tracing(options: Omit<TracingOptions, 'hook'> = {}): TracingOptions {
  return { hook: 'tracing', ...options };
}

/** The function to replace; made by {@link freplace}. */
export interface FreplaceOptions {
  readonly hook: 'freplace';
  /** The program that has the function; what the replacement was loaded for when left out. Minimum kernel 5.10. */
  readonly program?: Program | undefined;
  /** A global function of that program; what the replacement was loaded for when left out. */
  readonly functionName?: string | undefined;
}

/**
 * Puts a program in the place of a global function of another one (`SEC("freplace/FUNCTION")`). Its target has to be known
 * when it is loaded: see `targets` of `load`. A function can be replaced once at a time. Minimum kernel 5.6.
 */
export function freplace(options: Omit<FreplaceOptions, 'hook'> = {}): FreplaceOptions {
  return { hook: 'freplace', ...options };
}

/** A raw tracepoint; made by {@link rawTracepoint}. */
export interface RawTracepointOptions {
  readonly hook: 'raw_tracepoint';
  /** The event, without its category: `sched_switch`. */
  readonly event: string;
  /** What `bpf_get_attach_cookie()` gives in the program. Minimum kernel 6.10. */
  readonly cookie?: bigint | undefined;
}

/**
 * A tracepoint of the kernel with its arguments as they are, neither copied nor named. For programs of the types
 * `raw_tracepoint` and, at those events that allow writing, `raw_tracepoint_writable`. Minimum kernel 4.17, writable 5.2.
 */
export function rawTracepoint(options: Omit<RawTracepointOptions, 'hook'>): RawTracepointOptions {
  return { hook: 'raw_tracepoint', ...options };
}

const tracingHooks: Readonly<Record<string, HookName>> = {
  trace_fentry: 'fentry',
  trace_fexit: 'fexit',
  modify_return: 'fmod_ret',
  lsm_mac: 'lsm',
  trace_raw_tp: 'tp_btf',
  trace_iter: 'iter',
};

/** @internal */
export function attachTracing(program: Program, { cookie }: TracingOptions): Link {
  const { attachType } = program;
  const hook = tracingHooks[attachType ?? ''] ?? (program.info().type === 'lsm' ? 'lsm' : 'fentry');
  const where = 'what it was loaded for';
  if (cookie === undefined) {
    return attempting(
      { program, where, hook, taken: 'it is attached there already' },
      () => new Link(openRawTracepoint(program.fd, undefined, `attach to ${where}`)),
    );
  }
  requireKernel(5, 19, 'the cookie of a tracing program');
  if (attachType === undefined) {
    throw new NetkitError('usage', 'a cookie can be given only to a program whose attach type is known', {
      hint: 'attach it where it was loaded from its object',
    });
  }
  const values = {
    prog_fd: program.fd.value,
    attach_type: attachTypes.indexOf(attachType),
    'tracing.cookie': cookie,
  };
  return attempting(
    { program, where, hook, taken: 'it is attached there already' },
    () => new Link(createLink(values, `attach to ${where}`)),
  );
}

/** @internal */
export function attachFreplace(program: Program, options: FreplaceOptions): Link {
  const { program: target, functionName } = options;
  const what = functionName === undefined ? 'what it was loaded to replace' : `function '${functionName}'`;
  const where = target === undefined ? what : `${what} of program '${target.info().name}'`;
  const attempt = {
    program,
    where,
    hook: 'freplace',
    taken: `${where} is replaced already`,
    unless: 'the two differ in their parameters, or the target is no global function',
  } as const;
  if (target === undefined && functionName === undefined) {
    return attempting(
      attempt,
      () => new Link(openRawTracepoint(program.fd, undefined, `attach to ${where}`)),
    );
  }
  if (target === undefined || functionName === undefined)
    throw new NetkitError('usage', 'replacing another function than at loading needs both program and name');
  const values = {
    prog_fd: program.fd.value,
    target_fd: target.fd.value,
    target_btf_id: functionId(target, functionName),
  };
  return attempting(attempt, () => new Link(createLink(values, `attach to ${where}`)));
}

/** The number of a function in its program's own BTF. */
function functionId(target: Program, name: string): number {
  const { btfId, name: owner } = target.info();
  const found = btfId === 0 ? undefined : kernelBtf(btfId).find(name, 'func');
  if (found !== undefined) return found.id;
  throw new NetkitError('not-found', `program '${owner}' has no function '${name}'`, {
    hint: btfId === 0 ? 'it was loaded without BTF' : undefined,
  });
}

/** @internal */
export function attachRawTracepoint(program: Program, options: RawTracepointOptions): Link {
  const { event, cookie } = options;
  const where = `raw tracepoint ${event}`;
  if (cookie !== undefined) requireKernel(6, 10, 'the cookie of a raw tracepoint');
  const writable = program.info().type === 'raw_tracepoint_writable';
  const attempt = {
    program,
    where,
    hook: writable ? 'raw_tracepoint.w' : 'raw_tracepoint',
    unless: writable ? `${event} is not an event whose arguments may be written` : undefined,
  } as const;
  return attempting(attempt, () => {
    try {
      return new Link(openRawTracepoint(program.fd, event, `attach to ${where}`, cookie));
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      throw new NetkitError('not-found', `the kernel has no tracepoint '${event}'`, { cause: error });
    }
  });
}
