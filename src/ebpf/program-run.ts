import { NetkitError } from '../base/errors.js';
import { bpf, testRunBlock } from '../sys/bpf.js';
import { isErrno } from '../sys/errno.js';
import type { Program } from './program.js';

/** What a run with a context is given. */
export interface ProgramRunOptions {
  /** What the program's argument points to, for programs of type `syscall`: they may change it. */
  readonly context?: Uint8Array | undefined;
}

/** What came out of a run with a context. */
export interface ProgramRunResult {
  /** What the program returned. */
  readonly result: number;
  /** The context as the program left it; empty without one. */
  readonly context: Uint8Array;
}

/**
 * Runs a program that takes no packet: one of type `syscall` (5.14), which is attached to nothing, or a tracing one (5.7),
 * which has the kernel call its own test functions with their programs.
 * @throws NetkitError `unsupported` for a program type without such runs, `bad-value` for a context it does not take
 */
export function runProgram(program: Program, { context }: ProgramRunOptions = {}): ProgramRunResult {
  const block = testRunBlock(program.fd);
  // The kernel writes a changed context to where it read it.
  const copy = context === undefined ? new Uint8Array() : Uint8Array.from(context);
  if (copy.length > 0) block.point('ctx_in', copy).set('ctx_size_in', copy.length);
  try {
    bpf('PROG_TEST_RUN', block, 'run the program');
  } catch (error) {
    const { name, type } = program.info();
    if (isErrno(error, 'EOPNOTSUPP', 'ENOTSUPP')) {
      throw new NetkitError('unsupported', `the kernel does not run programs of type ${type} by themselves`, {
        cause: error,
      });
    }
    if (isErrno(error, 'EINVAL')) {
      throw new NetkitError(
        'bad-value',
        `the kernel takes no context of ${copy.length} bytes for program '${name}' (${type})`,
        { cause: error },
      );
    }
    throw error;
  }
  return { result: block.get('retval'), context: copy };
}
