/** Starting a process that goes on when this one, its terminal and its session have ended. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { NetkitError } from '../base/errors.js';

const shell = '/bin/sh';
/** Starts the program again when it is killed: whoever ends this shell leaves the program, and the other way round. */
const restarting = 'left=100; until "$@"; do left=$((left-1)); [ $left -gt 0 ] || exit 1; sleep 1; done';

export interface DetachedOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long it may take until it says that it is ready. */
  readonly readyWithinMs: number;
  /** Gets told what is not as good as it should be. */
  note(text: string): void;
}

/** Something that runs by itself. Disposing tells it, by the end of its standard input, that this process is done with it. */
export interface Detached extends Disposable {
  /** Of what leads its session. */
  readonly pid: number;
}

/**
 * Starts `node script args…` in a session of its own, in `/`, without a terminal, and waits until it has written a first
 * byte to its standard output. Where there is a shell, it is started again when somebody kills it.
 * @throws NetkitError `failed` when it does not come up
 */
export async function startDetached(
  script: string,
  args: readonly string[],
  { env, readyWithinMs, note }: DetachedOptions,
): Promise<Detached> {
  const words = [process.execPath, script, ...args];
  const hasShell = existsSync(shell);
  if (!hasShell) note(`there is no ${shell}: the process that waits is not started again when it is killed`);
  const [file = '', ...rest] = hasShell ? [shell, '-c', restarting, 'netkit', ...words] : words;
  const child = spawn(file, rest, { cwd: '/', detached: true, env, stdio: ['pipe', 'pipe', 'ignore'] });
  // It may be gone when it is told that it is no longer needed.
  child.stdin.on('error', () => undefined);
  const end = (): void => {
    child.stdin.destroy();
    child.stdout.destroy();
    child.unref();
  };
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => fail(`it was not ready within ${readyWithinMs / 1000} s`),
        readyWithinMs,
      );
      const fail = (why: string): void => {
        clearTimeout(timer);
        reject(new NetkitError('failed', why));
      };
      child.once('error', (error) => fail(error.message));
      child.stdout.once('end', () => fail('it ended at once'));
      child.stdout.once('data', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  } catch (error) {
    end();
    if (child.pid !== undefined) killSession(child.pid);
    throw error;
  }
  return { pid: child.pid ?? 0, [Symbol.dispose]: end };
}

function killSession(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
