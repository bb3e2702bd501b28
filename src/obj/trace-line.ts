/** A line of the trace pipe, as the kernel writes it. */
export interface TraceLine {
  /** The task that was running, as `ps` shows it, at most 15 characters; not the program. */
  readonly task: string;
  readonly pid: number;
  readonly cpu: number;
  /** Seconds on the trace clock, which counts from boot unless it was changed. */
  readonly seconds: number;
  /** What wrote it: `bpf_trace_printk` for bpf_printk(), else a trace event. */
  readonly event: string;
  readonly text: string;
}

/** The event under which bpf_printk() writes. */
export const printkEvent = 'bpf_trace_printk';

// `TASK-PID [(TGID)] [CPU] [FLAGS] SECONDS: EVENT: TEXT`: a task's name may have dashes, spaces and brackets.
const form =
  /^ *(.{1,16})-(\d+) +(?:\( *(?:-+|\d+)\) +)?\[(\d+)\] +(?:[^\d\s]\S* +|\S{4,5} +)?(\d+\.\d+): (\w+): (.*)$/;
const lostForm = /^CPU:\d+ \[LOST (\d+) EVENTS\]$/;

/** Reads a line; undefined for one of another form, such as the second line of a message of two. */
export function parseTraceLine(line: string): TraceLine | undefined {
  const parts = form.exec(line);
  if (parts === null) return undefined;
  const [, task = '', pid, cpu, seconds, event = '', text = ''] = parts;
  return { task, pid: Number(pid), cpu: Number(cpu), seconds: Number(seconds), event, text };
}

/** How many lines the kernel dropped before this one, when it says that. */
export function lostEvents(line: string): number | undefined {
  const lost = lostForm.exec(line)?.[1];
  return lost === undefined ? undefined : Number(lost);
}
