import type { Io } from './io.js';
import { LostOutput } from './lost-output.js';
import { main } from './main.js';

/** How long an interrupted command waits for whoever reads what it said. */
const patienceMs = 500;
/** Of a command that was interrupted. */
const interruptedStatus = 130;

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
  let failure: LostOutput | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    failure ??= new LostOutput(error);
    interrupt.abort(failure);
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
  await Promise.race([
    Promise.all([drained(process.stdout), drained(process.stderr)]),
    patienceOver(interrupt.signal),
  ]);
  if (failure?.isClosed === true) {
    // A reader that has seen enough, such as head, is no failure, unless something was left undone.
    return status === interruptedStatus ? 0 : status;
  }
  if (failure !== undefined) {
    // Who ends with 1 has said it.
    if (status !== 1) process.stderr.write(`netkit: ${failure.message}\n`);
    return status === 0 || status === interruptedStatus ? 1 : status;
  }
  return status === interruptedStatus && received > 0 ? 128 + received : status;
}

/** Resolves a moment after the user interrupted; never, when nobody does. */
function patienceOver(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wait = () => setTimeout(resolve, patienceMs);
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true });
  });
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
