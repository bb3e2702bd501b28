/** The calls of bpf(2) that measuring programs needs beside those that loading them needs. */
import { Block } from './block.js';
import { bpf } from './bpf.js';
import { Fd } from './fd.js';
import { cString } from './libc.js';
import { attr, uapi } from './uapi.js';

type LoadField = Extract<keyof (typeof attr)['progLoad']['fields'], string>;

/** Has the kernel count runs and run time of all programs while the descriptor is open: kernel 5.8. @throws SysError EPERM */
export function enableStatistics(): Fd {
  const block = new Block(attr.enableStats, { type: uapi.BPF_STATS_RUN_TIME });
  return new Fd(bpf('ENABLE_STATS', block, "count the runs of the kernel's programs"));
}

/** A program by its parts. */
export interface ProgramParts {
  readonly type: number;
  readonly instructions: Uint8Array;
  /** At most 15 characters. */
  readonly name: string;
  readonly values?: Partial<Record<LoadField, number>>;
  /** Buffers whose addresses go into the members of these names. */
  readonly pointers?: Partial<Record<LoadField, Uint8Array>>;
}

/** Loads a program of netkit's own. @throws SysError */
export function loadParts({ type, instructions, name, values = {}, pointers = {} }: ProgramParts): Fd {
  const block = new Block<LoadField>(attr.progLoad, {
    ...values,
    prog_type: type,
    insn_cnt: instructions.length / 8,
  });
  block.point('insns', instructions).point('license', cString('GPL'));
  block.bytesOf('prog_name').set(Buffer.from(name, 'latin1').subarray(0, 15));
  if (pointers.func_info !== undefined) block.point('func_info', pointers.func_info);
  return new Fd(bpf('PROG_LOAD', block, `load the program ${name}`));
}
