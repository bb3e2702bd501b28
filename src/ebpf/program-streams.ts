/** BPF streams: what a program writes for those who look at it, and what the kernel says of its faults. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NetkitError } from '../base/errors.js';
import { atLeast, kernelRelease } from '../host/kernel.js';
import { isErrno } from '../sys/errno.js';
import { readStream, type StreamName } from '../sys/stream-calls.js';
import type { Program } from './program.js';
import { streamWriting } from './stream-probe.js';

export type { StreamName } from '../sys/stream-calls.js';

/** A line that a program wrote. */
export interface StreamLine {
  readonly program: Program;
  readonly stream: StreamName;
  readonly text: string;
}

/** The kernel wakes nobody: streams have to be asked. */
const pauseMs = 100;
const pieceBytes = 1 << 16;

/**
 * The lines of several programs' streams as they come. Who reads a line takes it away from all others. Minimum kernel
 * 6.17.
 * @param signal ends it
 * @throws NetkitError `unsupported` where the kernel has no streams or no memory for them, `not-permitted`
 */
export async function* streamLines(
  programs: readonly Program[],
  signal: AbortSignal,
): AsyncGenerator<StreamLine> {
  refuseWithoutMemory();
  const readers = programs.flatMap((program) =>
    (['stdout', 'stderr'] as const).map((stream) => ({ program, stream, rest: '' })),
  );
  const piece = new Uint8Array(pieceBytes);
  while (!signal.aborted) {
    let got = 0;
    for (const reader of readers) {
      const size = take(reader.program, reader.stream, piece);
      got += size;
      const lines = (reader.rest + Buffer.from(piece.subarray(0, size)).toString('utf8')).split('\n');
      reader.rest = lines.pop() ?? '';
      for (const text of lines) yield { program: reader.program, stream: reader.stream, text };
    }
    if (got === 0) await pause(signal);
  }
}

/** Reading tells nothing of it: there is just never anything to read. */
function refuseWithoutMemory(): void {
  if (streamWriting() !== 'no-memory') return;
  throw new NetkitError(
    'unsupported',
    'this kernel has BPF streams but no memory for them: programs that write get ENOMEM',
    { hint: 'netkit trace without a program prints what programs write with bpf_printk()' },
  );
}

function take(program: Program, stream: StreamName, piece: Uint8Array): number {
  try {
    return readStream(program.fd, stream, piece);
  } catch (error) {
    // Nothing there, in the words of some kernels.
    if (isErrno(error, 'EAGAIN')) return 0;
    if (isErrno(error, 'EINVAL') && !atLeast(6, 17)) {
      throw new NetkitError(
        'unsupported',
        `this kernel has no BPF streams: they came with Linux 6.17, this is ${kernelRelease()}`,
        { hint: 'netkit trace without a program prints what programs write with bpf_printk()', cause: error },
      );
    }
    throw error;
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  try {
    await sleep(pauseMs, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
