/** Programs that are run to their end, and what that took. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
/** Of what it says when it fails. */
const saidBytes = 4096;
const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Runs it, and blocks this thread meanwhile. No other child of this process may end at the same time.
 * @throws NetkitError `tool-missing`; `tool-failed` with what it said when it ends with another status than 0, or takes a minute
 */
export async function measureCommand({ file, args, env, netns }: MeasuredCommand): Promise<CommandCosts> {
  const path = requireTool(file);
  // A pipe would fill while nobody reads, and then hold it up.
  const stderr = namelessFile();
  try {
    const busyBefore = childrenBusyUs();
    const { child, seconds, peakBytes, isHung } = runUntilEnd(path, args, { env, netns, stderr });
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
    if (isHung || status !== 0) {
      const why = isHung ? `took longer than ${timeoutMs / 1000} s` : textIn(stderr) || `status ${status}`;
      throw new NetkitError('tool-failed', `${[file, ...args].join(' ')}: ${why}`, {
        details: { tool: file },
      });
    }
    return { seconds, busySeconds: (childrenBusyUs() - busyBefore) / 1e6, peakBytes };
  } finally {
    closeSync(stderr);
  }
}

function runUntilEnd(
  path: string,
  args: readonly string[],
  { env, netns, stderr }: Pick<MeasuredCommand, 'env' | 'netns'> & { readonly stderr: number },
) {
  // Its end is seen at once, however busy the machine is: this thread sleeps nearly all the time.
  return ahead(() =>
    // A child starts in the namespace of the thread that makes it.
    withNetns(netns, () => {
      const started = process.hrtime.bigint();
      const made = spawn(path, args, {
        stdio: ['ignore', 'ignore', stderr],
        env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
        // Ctrl-C at a terminal is for this process alone, which lets it end.
        detached: true,
      });
      const seen = made.pid === undefined ? { peakBytes: 0, isHung: false } : watchUntilEnd(made.pid);
      return { child: made, ...seen, seconds: Number(process.hrtime.bigint() - started) / 1e9 };
    }),
  );
}

/** It has no name: whoever is killed leaves none of them. */
function namelessFile(): number {
  const path = join(tmpdir(), `netkit-bench-${randomUUID()}`);
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return fd;
}

function textIn(fd: number): string {
  const bytes = Buffer.alloc(saidBytes);
  return bytes.toString('utf8', 0, readSync(fd, bytes, 0, saidBytes, 0)).trim();
}

/**
 * @internal Waits until the process has ended, which stays to be seen until it is waited for. Not by the event loop: what that does
 * between would be counted.
 * @returns the most memory that was resident, by the kernel's own mark, a moment before the end
 */
export function watchUntilEnd(pid: number): { readonly peakBytes: number; readonly isHung: boolean } {
  const started = performance.now();
  let [peakBytes, isHung] = [0, false];
  for (;;) {
    const status = procText(`/proc/${pid}/status`);
    // Its memory goes earlier, and is not told of while that takes its time.
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kibibytes !== undefined) peakBytes = Number(kibibytes) * 1024;
    if (status === '' || /^State:\s+[ZX]/m.test(status)) return { peakBytes, isHung };
    const elapsed = performance.now() - started;
    if (elapsed > timeoutMs && !isHung) isHung = process.kill(pid, 'SIGKILL');
    Atomics.wait(pause, 0, 0, Math.min(Math.max(elapsed * lookShare, leastPauseMs), mostPauseMs));
  }
}
