import { NetkitError } from '../base/errors.js';
import { bpf, testRunBlock } from '../sys/bpf.js';
import { isErrno } from '../sys/errno.js';
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
export function sendLiveFrames(program: Program, { data, count, batch = 64 }: LiveFramesOptions): boolean {
  const block = testRunBlock(program.fd).point('data_in', data);
  block.set('data_size_in', data.length).set('repeat', count).set('batch_size', batch);
  block.set('flags', uapi.BPF_F_TEST_XDP_LIVE_FRAMES);
  try {
    bpf('PROG_TEST_RUN', block, 'send packets');
    return true;
  } catch (error) {
    if (isErrno(error, 'EINTR')) return false;
    if (!isErrno(error, 'EINVAL')) throw error;
    throw new NetkitError('unsupported', 'this kernel does not send packets by test runs of XDP programs', {
      hint: 'it needs Linux 5.18 or newer',
      cause: error,
    });
  }
}
