import type { AttachTypeWord } from '../obj/sections.js';
import type { Fd } from '../sys/fd.js';
import { type Attachment, type AttachOptions, attach, type LinkOptions } from './attach/index.js';
import { listIds, openId } from './by-id.js';
import { KernelObject, openPinOfKind } from './kernel-object.js';
import type { Link } from './link.js';
import { type ProgramInfo, readProgramInfo } from './program-info.js';
import { type ProgramRunOptions, type ProgramRunResult, runProgram } from './program-run.js';
import { type TestRunOptions, type TestRunResult, testRun } from './test-run.js';

export type { ProgramInfo } from './program-info.js';

/** A loaded program. Disposing closes the descriptor; the program lives on while it is pinned or attached. */
export class Program extends KernelObject {
  /** What its object says that it is to be attached as; undefined where that says nothing, and for one from a pin or an id. */
  readonly attachType: AttachTypeWord | undefined;

  /** @internal */
  constructor(fd: Fd, attachType?: AttachTypeWord) {
    super(fd);
    this.attachType = attachType;
  }

  /** Opens a pinned program. @throws NetkitError `not-found`, or `usage` when the pin is something else */
  static fromPin(path: string): Program {
    return new Program(openPinOfKind(path, 'program'));
  }

  /** Opens a program by its id; needs CAP_SYS_ADMIN. Minimum kernel 4.13. @throws NetkitError `not-found`, `not-permitted` */
  static fromId(id: number): Program {
    return new Program(openId('program', id));
  }

  /** Ids of all loaded programs, ascending; needs CAP_SYS_ADMIN. Minimum kernel 4.13. @throws NetkitError `not-permitted` */
  static ids(): Generator<number> {
    return listIds('program');
  }

  /** Asks the kernel about the program, each time anew: the counts go on. Minimum kernel 4.13. @throws NetkitError */
  info(): ProgramInfo {
    return readProgramInfo(this.fd);
  }

  /**
   * Attaches the program; see the hooks' own constructors, such as {@link xdp} and {@link cgroup}. The attachment ends
   * with what comes back: pin a link to keep it.
   * @throws NetkitError `not-found` (interface, cgroup, function, event), `conflict` (the hook is taken), `unsupported`
   *   (driver or kernel), `not-permitted`
   */
  attach(options: LinkOptions): Link;
  attach(options: AttachOptions): Attachment;
  attach(options: AttachOptions): Attachment {
    return attach(this, options);
  }

  /**
   * Runs the program on a packet in the kernel, without any device (BPF_PROG_TEST_RUN). Minimum kernel 4.12; XDP, tc, lwt
   * and some other types.
   * @throws NetkitError `bad-value` for a packet under 14 bytes, `unsupported` for a program type without test runs
   */
  testRun(options: TestRunOptions): TestRunResult {
    return testRun(this, options);
  }
  /**
   * Runs a program that takes no packet: one of type `syscall` (minimum kernel 5.14), or a tracing one (5.7), which has the
   * kernel call its own test functions.
   * @throws NetkitError `unsupported` for a program type without such runs, `bad-value` for a context it does not take
   */
  run(options: ProgramRunOptions = {}): ProgramRunResult {
    return runProgram(this, options);
  }
}
