/** Programs of a few instructions, offered to the kernel only to hear what it says. */
import { Block } from '../../sys/block.js';
import { bpfResult } from '../../sys/bpf.js';
import { errnoName } from '../../sys/errno.js';
import { Fd } from '../../sys/fd.js';
import { cString } from '../../sys/libc.js';
import { attr } from '../../sys/uapi.js';

type LoadField = Extract<keyof typeof attr.progLoad.fields, string>;
/** Members of `union bpf_attr`, as for loading a program. */
export type TrialValues = Partial<Record<LoadField, number | bigint>>;

/** What the kernel said. */
export interface Trial {
  /** `undefined` when it took the program, which is gone again. */
  readonly errno: string | undefined;
  /** What the verifier said; empty when it came to no verdict, because the program was refused before or was taken. */
  readonly log: string;
}

const logBytes = 4096;
const gpl = cString('GPL');

/**
 * Loads programs and drops them at once: a few tens of microseconds each, since all share their buffers. Nothing is
 * attached and nothing stays.
 */
export class Trials {
  readonly #log = new Uint8Array(logBytes);

  /** @param type the number of the program type. @param code whole instructions */
  load(type: number, code: Uint8Array, values: TrialValues = {}): Trial {
    this.#log[0] = 0;
    const block = new Block<LoadField>(attr.progLoad, {
      ...values,
      prog_type: type,
      insn_cnt: code.length / 8,
      log_level: 1,
      log_size: logBytes,
    });
    block.point('insns', code).point('license', gpl).point('log_buf', this.#log);
    const result = bpfResult('PROG_LOAD', block);
    if (result >= 0) {
      using _program = new Fd(result);
      return { errno: undefined, log: '' };
    }
    return { errno: errnoName(-result), log: this.#text() };
  }

  /** As `load`, for code that is too long for its log. The log is empty. */
  loadQuietly(type: number, code: Uint8Array, values: TrialValues = {}): Trial {
    const block = new Block<LoadField>(attr.progLoad, {
      ...values,
      prog_type: type,
      insn_cnt: code.length / 8,
    });
    const result = bpfResult('PROG_LOAD', block.point('insns', code).point('license', gpl));
    if (result < 0) return { errno: errnoName(-result), log: '' };
    using _program = new Fd(result);
    return { errno: undefined, log: '' };
  }

  #text(): string {
    const end = this.#log.indexOf(0);
    return Buffer.from(this.#log.subarray(0, end < 0 ? logBytes : end)).toString('latin1');
  }
}
