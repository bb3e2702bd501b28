import type { Io } from './io.js';
import { main } from './main.js';

/** Runs the command line of this process, and returns the status that it is to exit with, when all output is written. */
export async function runProcess(): Promise<number> {
  const interrupt = new AbortController();
  let received = 0;
  for (const [name, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    // Once: a second signal ends the process in the usual way, whatever hangs.
    process.once(name, () => {
      received = number;
      interrupt.abort();
    });
  }
  let failure: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    failure ??= error;
    interrupt.abort();
  });
  // Nobody is left to tell.
  process.stderr.on('error', () => undefined);
  const io: Io = {
    // Looking at standard input opens it, and few commands read it.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: interrupt.signal,
  };
  const status = await main(process.argv.slice(2), io);
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
  // A reader that has seen enough, such as head, is no failure.
  if (failure?.code === 'EPIPE') return 0;
  if (failure !== undefined) {
    process.stderr.write(`netkit: standard output cannot be written: ${failure.message}\n`);
    return status === 0 ? 1 : status;
  }
  return status === 130 && received > 0 ? 128 + received : status;
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
