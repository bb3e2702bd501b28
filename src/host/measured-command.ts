/** Programs that are run to their end, and what that took. */
import { spawn } from 'node:child_process';
import { NetkitError } from '../base/errors.js';
import { childrenBusyUs } from '../sys/child-usage.js';
import { ahead } from './affinity.js';
import { requireTool, signalExitCode } from './command.js';
import { type Netns, withNetns } from './netns.js';
import { procText } from './proc.js';

/** A program, and where it runs. */
export interface MeasuredCommand {
  /** A path, or a name that is looked for. */
  readonly file: string;
  readonly args: readonly string[];
  /** Beside those of this process. */
  readonly env: Readonly<Record<string, string>>;
  readonly netns: Netns;
}

export interface CommandCosts {
  /** From its start until it had ended. */
  readonly seconds: number;
  /** On CPUs, in user space and in the kernel, with its own children. */
  readonly busySeconds: number;
  /** The most memory that was resident at a time; less, or 0, where it ended before that could be seen. */
  readonly peakBytes: number;
}

/** None of those started so takes longer, unless it hangs. */
const timeoutMs = 60_000;
/** Between two looks at a process goes so much of its time until now, within these milliseconds. */
const lookShare = 0.01;
const [leastPauseMs, mostPauseMs] = [0.05, 1];
const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Runs it, and blocks this thread meanwhile. No other child of this process may end at the same time.
 * @throws NetkitError `tool-missing`; `tool-failed` with what it said when it ends with another status than 0
 */
export async function measureCommand({ file, args, env, netns }: MeasuredCommand): Promise<CommandCosts> {
  const path = requireTool(file);
  const busyBefore = childrenBusyUs();
  // Its end is seen at once, however busy the machine is: this thread sleeps nearly all the time.
  const { child, seconds, peakBytes } = ahead(() =>
    // A child starts in the namespace of the thread that makes it.
    withNetns(netns, () => {
      const started = process.hrtime.bigint();
      const made = spawn(path, args, {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
        // Ctrl-C at a terminal is for this process alone, which lets it end.
        detached: true,
      });
      const peak = made.pid === undefined ? 0 : watchUntilEnd(made.pid);
      return { child: made, peakBytes: peak, seconds: Number(process.hrtime.bigint() - started) / 1e9 };
    }),
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signalExitCode(signal ?? undefined) ?? -1));
  });
  const status = await ended.catch((error: unknown) => {
    throw new NetkitError('tool-failed', `'${file}' could not be started`, {
      details: { tool: file },
      cause: error,
    });
  });
  if (status !== 0) {
    throw new NetkitError(
      'tool-failed',
      `${[file, ...args].join(' ')}: ${said.trim() || `status ${status}`}`,
      {
        details: { tool: file },
      },
    );
  }
  return { seconds, busySeconds: (childrenBusyUs() - busyBefore) / 1e6, peakBytes };
}

/**
 * Waits until the process has ended, which stays to be seen until it is waited for. Not by the event loop: what that does
 * between would be counted.
 * @returns the most memory that was resident, by the kernel's own mark, a moment before the end
 */
function watchUntilEnd(pid: number): number {
  const started = performance.now();
  let peak = 0;
  for (;;) {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(procText(`/proc/${pid}/status`))?.[1];
    // What has ended has no memory.
    if (kibibytes === undefined) return peak;
    peak = Number(kibibytes) * 1024;
    const elapsed = performance.now() - started;
    if (elapsed > timeoutMs) process.kill(pid, 'SIGKILL');
    Atomics.wait(pause, 0, 0, Math.min(Math.max(elapsed * lookShare, leastPauseMs), mostPauseMs));
  }
}
