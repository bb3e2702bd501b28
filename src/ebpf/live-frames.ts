import { NetkitError } from '../base/errors.js';
import { bpf, bpfStatusAsync, testRunBlock } from '../sys/bpf.js';
import { isErrno, SysError } from '../sys/errno.js';
import { uapi } from '../sys/uapi.js';
import type { Program } from './program.js';

/** What an XDP program is given to send. */
export interface LiveFramesOptions {
  /** The packet, from its Ethernet header on. A frame that comes back is sent again as the program left it. */
  readonly data: Uint8Array;
  /** How many. */
  readonly count: number;
  /** So many the program sees before they are sent on: 1 to 256, 64 when left out. */
  readonly batch?: number | undefined;
}

/**
 * Runs an XDP program on packets that really go where it redirects them: the fastest sender that a kernel has. Blocks until
 * all are on their way; a call costs some 20 ms by itself. Minimum kernel 5.18.
 * @returns false when a signal came before the last one
 * @throws NetkitError `unsupported` on an older kernel, `not-permitted`
 */
export function sendLiveFrames(program: Program, options: LiveFramesOptions): boolean {
  try {
    bpf('PROG_TEST_RUN', blockOf(program, options), operation);
    return true;
  } catch (error) {
    return endedEarly(error);
  }
}

/**
 * The same on another thread of this process, while this one goes on. Nobody may close the program meanwhile.
 * @returns false when a signal came before the last one
 * @throws NetkitError `unsupported` on an older kernel, `not-permitted`
 */
export async function sendLiveFramesBeside(program: Program, options: LiveFramesOptions): Promise<boolean> {
  const errno = await bpfStatusAsync('PROG_TEST_RUN', blockOf(program, options));
  return errno === 0 || endedEarly(new SysError(operation, errno));
}

const operation = 'send packets';

function blockOf(program: Program, { data, count, batch = 64 }: LiveFramesOptions) {
  const block = testRunBlock(program.fd).point('data_in', data);
  block.set('data_size_in', data.length).set('repeat', count).set('batch_size', batch);
  return block.set('flags', uapi.BPF_F_TEST_XDP_LIVE_FRAMES);
}

/** @returns false for a signal */
function endedEarly(error: unknown): false {
  if (isErrno(error, 'EINTR')) return false;
  if (!isErrno(error, 'EINVAL')) throw error;
  throw new NetkitError('unsupported', 'this kernel does not send packets by test runs of XDP programs', {
    hint: 'it needs Linux 5.18 or newer',
    cause: error,
  });
}
