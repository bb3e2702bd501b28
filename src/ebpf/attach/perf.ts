import { existsSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { attachTypes } from '../../base/kernel-words.js';
import { atLeast } from '../../host/kernel.js';
import { readTracefs } from '../../host/tracefs-file.js';
import { createLink } from '../../sys/bpf.js';
import { isErrno } from '../../sys/errno.js';
import type { Fd } from '../../sys/fd.js';
import { enableEvent, openPerfEvent, type PerfEvent, setEventProgram } from '../../sys/perf-event.js';
import { uapi } from '../../sys/uapi.js';
import { Link } from '../link.js';
import type { Program } from '../program.js';
import { type Attachment, HeldAttachment } from './attachment.js';
import { type Attempt, attempting, requireKernel } from './failure.js';

/** A tracepoint; made by {@link tracepoint}. */
export interface TracepointOptions {
  readonly hook: 'tracepoint';
  /** The folder of tracefs: `sched`, `syscalls`. */
  readonly category: string;
  /** The event in it: `sched_switch`, `sys_enter_openat`. */
  readonly event: string;
  /** What `bpf_get_attach_cookie()` gives in the program. Minimum kernel 5.15. */
  readonly cookie?: bigint | undefined;
}

/**
 * A tracepoint of the kernel, with its arguments as its format file describes them. A link from Linux 5.15 on; before that
 * the process holds it. For programs of type `tracepoint`. Minimum kernel 4.7.
 */
export function tracepoint(options: Omit<TracepointOptions, 'hook'>): TracepointOptions {
  return { hook: 'tracepoint', ...options };
}

/** A clock that has a program run; made by {@link perfEvent}. */
export interface PerfEventOptions {
  readonly hook: 'perf_event';
  /** `cpu-clock` counts the time of a CPU, `task-clock` that of a process. Hardware counters are not offered. */
  readonly clock: 'cpu-clock' | 'task-clock';
  /** A CPU's number; every CPU that the process runs on when left out, which needs `pid`. */
  readonly cpu?: number | undefined;
  /** A process, 0 for this one; all processes when left out, which needs `cpu`. */
  readonly pid?: number | undefined;
  /** How often: once in so many nanoseconds of the clock, or so many times a second. */
  readonly every: { readonly period: bigint } | { readonly frequency: bigint };
  /** What `bpf_get_attach_cookie()` gives in the program. Minimum kernel 5.15. */
  readonly cookie?: bigint | undefined;
}

/**
 * Has a program run by the clock, to see what the machine is doing. A link from Linux 5.15 on; before that the process
 * holds it. For programs of type `perf_event`. Minimum kernel 4.9.
 */
export function perfEvent(options: Omit<PerfEventOptions, 'hook'>): PerfEventOptions {
  return { hook: 'perf_event', ...options };
}

/** @internal */
export function attachTracepoint(program: Program, options: TracepointOptions): Attachment {
  const { category, event, cookie } = options;
  const where = `tracepoint ${category}/${event}`;
  const attempt = { program, where, hook: 'tracepoint' } as const;
  const name = /^[\w-]+$/;
  const text =
    name.test(category) && name.test(event) ? readTracefs(`events/${category}/${event}/id`) : undefined;
  if (text === undefined)
    throw new NetkitError('not-found', `the kernel has no tracepoint '${category}/${event}'`);
  const config = Number(text);
  const spec = { type: uapi.PERF_TYPE_TRACEPOINT, config, sample: { period: 1n }, ...everywhere };
  return attachPerf(attempt, () => openPerfEvent(spec, `open ${where}`), cookie);
}

/** Kernel-wide events want a CPU to be named, whichever. @internal */
export const everywhere = { pid: -1, cpu: 0 } as const;

/** @internal */
export function attachPerfEvent(program: Program, options: PerfEventOptions): Attachment {
  const { clock, cpu, pid, every, cookie } = options;
  if (clock !== 'cpu-clock' && clock !== 'task-clock') {
    throw new NetkitError('unsupported', `netkit attaches to software clocks, not to '${String(clock)}'`, {
      hint: "use 'cpu-clock' or 'task-clock'",
    });
  }
  if (cpu === undefined && pid === undefined)
    throw new NetkitError('usage', 'a perf event needs a CPU, a process, or both');
  const config = clock === 'cpu-clock' ? uapi.PERF_COUNT_SW_CPU_CLOCK : uapi.PERF_COUNT_SW_TASK_CLOCK;
  const spec: PerfEvent = {
    type: uapi.PERF_TYPE_SOFTWARE,
    config,
    sample: every,
    pid: pid ?? -1,
    cpu: cpu ?? -1,
  };
  const where = `the ${clock}${cpu === undefined ? '' : ` of CPU ${cpu}`}${pid === undefined ? '' : ` of process ${pid}`}`;
  const attempt = { program, where, hook: 'perf_event' } as const;
  return attachPerf(
    attempt,
    () => {
      try {
        return openPerfEvent(spec, `open ${where}`);
      } catch (error) {
        if (isErrno(error, 'ESRCH'))
          throw new NetkitError('not-found', `there is no process ${pid}`, { cause: error });
        if (isErrno(error, 'ENODEV'))
          throw new NetkitError('not-found', `there is no CPU ${cpu}, or it is off`, { cause: error });
        throw error;
      }
    },
    cookie,
  );
}

/**
 * Has the program run on an event. A link holds the event from 5.15 on; before that only its descriptor does.
 * @internal
 */
export function attachPerf(attempt: Attempt, open: () => Fd, cookie: bigint | undefined): Attachment {
  const { program, where } = attempt;
  if (cookie !== undefined) requireKernel(5, 15, 'the cookie of a perf event');
  if (!existsSync('/proc/sys/kernel/perf_event_paranoid'))
    throw new NetkitError('unsupported', 'this kernel was built without perf events');
  return attempting(attempt, () => {
    using event = new Handover(open());
    const values = {
      prog_fd: program.fd.value,
      target_fd: event.fd.value,
      attach_type: attachTypes.indexOf('perf_event'),
      'perf_event.bpf_cookie': cookie ?? 0n,
    };
    try {
      const link = new Link(createLink(values, `attach to ${where}`));
      enableEvent(event.fd);
      return link;
    } catch (error) {
      if (!isErrno(error, 'EINVAL') || atLeast(5, 15)) throw error;
    }
    setEventProgram(event.fd, program.fd.value);
    enableEvent(event.fd);
    const held = event.take();
    return new HeldAttachment('process', () => {
      held[Symbol.dispose]();
    });
  });
}

/** A descriptor that is closed unless somebody takes it. */
class Handover implements Disposable {
  readonly fd: Fd;
  #taken = false;

  constructor(fd: Fd) {
    this.fd = fd;
  }

  take(): Fd {
    this.#taken = true;
    return this.fd;
  }

  [Symbol.dispose](): void {
    if (!this.#taken) this.fd[Symbol.dispose]();
  }
}
