import { programTypes } from '../base/kernel-words.js';
import { NetkitError } from '../base/errors.js';
import { infoBlock, objectIds, openById, readInfo } from '../sys/bpf.js';
import { isErrno } from '../sys/errno.js';
import type { AttachOptions } from './attach.js';
import { attach } from './attach.js';
import { KernelObject, openPinOfKind } from './kernel-object.js';
import type { Link } from './link.js';
import { type TestRunOptions, type TestRunResult, testRun } from './test-run.js';

/** What the kernel tells of a loaded program. */
export interface ProgramInfo {
  readonly id: number;
  /** At most 15 characters: the kernel cuts longer names. */
  readonly name: string;
  /** The kernel's word, such as `xdp` or `sched_cls`. */
  readonly type: string;
  /** Hash of the instructions, 16 hex digits. */
  readonly tag: string;
  readonly gplCompatible: boolean;
  /** Bytes of verified instructions. */
  readonly translatedBytes: number;
  /** Bytes of native code, 0 when it is interpreted. */
  readonly jitedBytes: number;
  readonly mapIds: readonly number[];
  /** 0 without BTF. */
  readonly btfId: number;
  /** When it was loaded, in nanoseconds since boot. */
  readonly loadTimeNs: bigint;
  readonly loadedByUid: number;
  /** Instructions that the verifier walked; 0 before kernel 5.16. */
  readonly verifiedInstructions: number;
  /** Counted only while BPF statistics are on (`sysctl kernel.bpf_stats_enabled`). */
  readonly runCount: bigint;
  readonly runTimeNs: bigint;
}

/** A loaded program. Disposing closes the descriptor; the program lives on while it is pinned or attached. */
export class Program extends KernelObject {
  /** @throws NetkitError `not-found`, or `usage` when the pin is something else */
  static fromPin(path: string): Program {
    return new Program(openPinOfKind(path, 'program'));
  }

  /** Needs CAP_SYS_ADMIN. @throws NetkitError `not-found`, `not-permitted` */
  static fromId(id: number): Program {
    try {
      return new Program(openById('program', id));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw new NetkitError('not-found', `there is no program with id ${id}`, { cause: error });
      throw error;
    }
  }

  /** Ids of all loaded programs; needs CAP_SYS_ADMIN. */
  static ids(): Generator<number> {
    return objectIds('program');
  }

  info(): ProgramInfo {
    const first = readInfo(this.fd, 'progInfo');
    const mapCount = first.get('nr_map_ids');
    const ids = new Uint32Array(mapCount);
    if (mapCount > 0) {
      const request = infoBlock('progInfo').set('nr_map_ids', mapCount).point('map_ids', new Uint8Array(ids.buffer));
      readInfo(this.fd, 'progInfo', request);
    }
    return {
      id: first.get('id'),
      name: first.text('name'),
      type: programTypes[first.get('type')] ?? `type ${first.get('type')}`,
      tag: Buffer.from(first.bytesOf('tag')).toString('hex'),
      gplCompatible: (first.get('gpl_compatible') & 1) === 1,
      translatedBytes: first.get('xlated_prog_len'),
      jitedBytes: first.get('jited_prog_len'),
      mapIds: [...ids],
      btfId: first.get('btf_id'),
      loadTimeNs: first.big('load_time'),
      loadedByUid: first.get('created_by_uid'),
      verifiedInstructions: first.get('verified_insns'),
      runCount: first.big('run_cnt'),
      runTimeNs: first.big('run_time_ns'),
    };
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
