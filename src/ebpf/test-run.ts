import { NetkitError } from '../base/errors.js';
import { bpf, testRunBlock } from '../sys/bpf.js';
import { isErrno } from '../sys/errno.js';
import type { Program } from './program.js';

/** What a test run is given. */
export interface TestRunOptions {
  /** The packet, from its Ethernet header on: at least 14 bytes. */
  readonly data: Uint8Array;
  /** How often to run; the time is the mean. For XDP from 2 on the kernel waits 16 ms. Each run sees the packet as the last one left it. */
  readonly repeat?: number | undefined;
}

/** What came out of a test run. */
export interface TestRunResult {
  /** What the program returned. */
  readonly verdict: number;
  /** The packet as the last run left it. */
  readonly data: Uint8Array;
  /** Nanoseconds a run, as the kernel measured it: whole numbers, and coarse for a single run. */
  readonly nsPerRun: number;
}

/** A packet may grow by headers that the program pushes: what a page holds beside the kernel's own needs. */
const outputBytes = 4096;
/** ETH_HLEN: the kernel takes nothing shorter. */
const shortestPacket = 14;

/**
 * Runs a program on a packet in the kernel, without any device. Minimum kernel 4.12; XDP, tc, lwt and some others.
 * @throws NetkitError `bad-value` for a packet under 14 bytes, `unsupported` for a program type without test runs
 */
export function testRun(program: Program, options: TestRunOptions): TestRunResult {
  const { data, repeat = 1 } = options;
  if (data.length < shortestPacket) {
    throw new NetkitError(
      'bad-value',
      `a packet of ${data.length} bytes is too short: it needs an Ethernet header of 14 bytes`,
    );
  }
  let room = Math.max(outputBytes, data.length + 256);
  for (;;) {
    const output = new Uint8Array(room);
    const block = testRunBlock(program.fd).point('data_in', data).point('data_out', output);
    block.set('data_size_in', data.length).set('data_size_out', room).set('repeat', repeat);
    try {
      bpf('PROG_TEST_RUN', block, 'run the program');
    } catch (error) {
      // The true size is set then (Documentation/bpf/bpf_prog_run.rst).
      if (isErrno(error, 'ENOSPC') && block.get('data_size_out') > room) {
        room = block.get('data_size_out');
        continue;
      }
      if (isErrno(error, 'EOPNOTSUPP', 'ENOTSUPP')) {
        throw new NetkitError(
          'unsupported',
          `the kernel has no test run for programs of type ${program.info().type}`,
          {
            cause: error,
          },
        );
      }
      if (isErrno(error, 'EINVAL')) {
        throw new NetkitError(
          'bad-value',
          `the kernel takes no packet of ${data.length} bytes for this program`,
          { cause: error },
        );
      }
      throw error;
    }
    return {
      verdict: block.get('retval'),
      data: output.subarray(0, block.get('data_size_out')),
      nsPerRun: block.get('duration'),
    };
  }
}
