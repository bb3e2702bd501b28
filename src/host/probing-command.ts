/** Running a program that is to answer within a time, whatever it does and starts. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { NetkitError } from '../base/errors.js';
import { signalExitCode } from './command.js';

export interface ProbingOptions {
  /** Directory to start in. */
  readonly cwd: string;
  readonly timeoutMs: number;
  /** Ends the program when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

export interface ProbingEnd {
  /** As shells count; undefined when the program did not end in time. */
  readonly exitCode: number | undefined;
  /** The first line that it wrote to standard error, cut off when it is long. */
  readonly complaint: string;
}

/** Of what the program says this much is kept. */
const mostComplaintBytes = 1000;
/** For what is still in the pipe when the program has ended; processes that left its group may hold it open for ever. */
const drainMs = 100;

/**
 * Runs a program in a process group of its own, without standard input and output. When the program has ended, when its
 * time is over, and when `signal` is aborted, whatever is left of the group is killed, and nothing is waited for.
 * @param path of the program
 * @throws NetkitError `interrupted` when `signal` was aborted, `tool-failed` when it could not be started
 */
export async function runProbing(
  path: string,
  args: readonly string[],
  { cwd, timeoutMs, signal }: ProbingOptions,
): Promise<ProbingEnd> {
  const interrupted = (): NetkitError =>
    new NetkitError('interrupted', `'${path}' was interrupted`, { details: { tool: path } });
  const isAborted = (): boolean => signal?.aborted === true;
  if (isAborted()) throw interrupted();
  const child = spawn(path, args, {
    cwd,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  const complaint = beginningOf(child.stderr);
  const endGroup = (): void => {
    if (child.pid !== undefined) killGroup(child.pid);
  };
  signal?.addEventListener('abort', endGroup);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    endGroup();
  }, timeoutMs);
  try {
    const exitCode = await new Promise<number | undefined>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, name) => resolve(code ?? signalExitCode(name ?? undefined)));
    });
    endGroup();
    if (isAborted()) throw interrupted();
    return { exitCode: isLate ? undefined : exitCode, complaint: await complaint.whenDrained() };
  } catch (error) {
    if (error instanceof NetkitError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new NetkitError('tool-failed', `'${path}' could not be run: ${message}`, {
      details: { tool: path },
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', endGroup);
    child.stderr.destroy();
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}

/** Reads all that comes, so that the writer is not held up, and keeps the beginning. */
function beginningOf(stream: Readable): { whenDrained(): Promise<string> } {
  const pieces: Buffer[] = [];
  let length = 0;
  const ended = new Promise<void>((resolve) => stream.once('close', resolve));
  stream.on('error', () => undefined);
  stream.on('data', (piece: Buffer) => {
    if (length < mostComplaintBytes) pieces.push(piece);
    length += piece.length;
  });
  return {
    async whenDrained() {
      let timer: NodeJS.Timeout | undefined;
      const longEnough = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, drainMs);
      });
      await Promise.race([ended, longEnough]);
      clearTimeout(timer);
      const text = Buffer.concat(pieces).subarray(0, mostComplaintBytes).toString('utf8');
      return text.trim().split('\n', 1)[0] ?? '';
    },
  };
}
