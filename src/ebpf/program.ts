import { type AttachOptions, attach } from './attach.js';
import { listIds, openId } from './by-id.js';
import { KernelObject, openPinOfKind } from './kernel-object.js';
import type { Link } from './link.js';
import { type ProgramInfo, readProgramInfo } from './program-info.js';
import { type TestRunOptions, type TestRunResult, testRun } from './test-run.js';

export type { ProgramInfo } from './program-info.js';

/** A loaded program. Disposing closes the descriptor; the program lives on while it is pinned or attached. */
export class Program extends KernelObject {
  /** @throws NetkitError `not-found`, or `usage` when the pin is something else */
  static fromPin(path: string): Program {
    return new Program(openPinOfKind(path, 'program'));
  }

  /** Needs CAP_SYS_ADMIN. @throws NetkitError `not-found`, `not-permitted` */
  static fromId(id: number): Program {
    return new Program(openId('program', id));
  }

  /** Ids of all loaded programs; needs CAP_SYS_ADMIN. */
  static ids(): Generator<number> {
    return listIds('program');
  }

  info(): ProgramInfo {
    return readProgramInfo(this.fd);
  }

  /** Attaches the program; see the hooks' own constructors, such as `xdp({ ifname: 'eth0' })`. */
  attach(options: AttachOptions): Link {
    return attach(this, options);
  }

  /** Runs the program on given input in the kernel (BPF_PROG_TEST_RUN). */
  testRun(options: TestRunOptions): TestRunResult {
    return testRun(this, options);
  }
}
