/** The code of a loaded program, as the kernel gives it out. */
import { hostIsLittleEndian } from '../base/byte-order.js';
import { ByteReader } from '../base/bytes.js';
import { NetkitError } from '../base/errors.js';
import { capabilityHint } from '../host/capabilities.js';
import { type LineInfo, readLoadedLines } from '../obj/btf/line-info.js';
import { readBtf } from '../obj/btf/read.js';
import type { BtfGraph } from '../obj/btf/types.js';
import { infoBlock, readInfo } from '../sys/bpf.js';
import { isErrno } from '../sys/errno.js';
import { kernelBtfBytes } from './kernel-btf.js';
import type { Program } from './program.js';

/** Where a function of a program begins. */
export interface FunctionRecord {
  /** Slot of its first instruction. */
  readonly start: number;
  /** Its type in the program's BTF. */
  readonly type: number;
}

/** A function as native code. */
export interface NativeFunction {
  /** Where it lies in the kernel. */
  readonly address: bigint;
  readonly code: Uint8Array;
}

/** What the kernel tells of a program's code. */
export interface ProgramCode {
  /** As the verifier left it. */
  readonly instructions: Uint8Array;
  /** The program's own function and its subprograms; empty for a program without BTF. */
  readonly functions: readonly FunctionRecord[];
  readonly lines: readonly LineInfo[];
  readonly btf: BtfGraph | undefined;
  /** Why there are no names and lines though the program has BTF. */
  readonly withoutBtf: string | undefined;
  /** Addresses of the functions as native code; empty when the kernel hides them or the program is interpreted. */
  readonly addresses: readonly bigint[];
}

/** What the kernel tells of a program's native code. */
export interface NativeCode {
  readonly functions: readonly NativeFunction[];
  /** The address at which the code of each of `ProgramCode.lines` begins; empty when there are no lines. */
  readonly lineAddresses: readonly bigint[];
}

const pointerSize = 8;

/**
 * Reads a program's translated instructions with what belongs to them. Minimum kernel 4.13; names and lines 5.0.
 * @throws NetkitError `not-permitted` when the kernel does not give them to this user
 */
export function readProgramCode(program: Program): ProgramCode {
  const sizes = readInfo(program.fd, 'progInfo');
  const length = sizes.get('xlated_prog_len');
  const instructions = new Uint8Array(length);
  const functionSize = sizes.get('func_info_rec_size');
  const lineSize = sizes.get('line_info_rec_size');
  const functionCount = sizes.get('nr_func_info');
  const lineCount = sizes.get('nr_line_info');
  const addressCount = sizes.get('nr_jited_ksyms');
  const functions = new Uint8Array(functionSize * functionCount);
  const lines = new Uint8Array(lineSize * lineCount);
  const addresses = new BigUint64Array(addressCount);
  const block = infoBlock('progInfo')
    .set('xlated_prog_len', length)
    .point('xlated_prog_insns', instructions)
    .set('func_info_rec_size', functionSize)
    .set('nr_func_info', functionCount)
    .point('func_info', functions)
    .set('line_info_rec_size', lineSize)
    .set('nr_line_info', lineCount)
    .point('line_info', lines)
    .set('nr_jited_ksyms', addressCount)
    .point('jited_ksyms', new Uint8Array(addresses.buffer));
  readInfo(program.fd, 'progInfo', block);
  if (length === 0 || block.big('xlated_prog_insns') === 0n) throw hidden('instructions');
  const types = typesOf(block.get('btf_id'));
  return {
    instructions,
    functions: types.btf === undefined ? [] : functionRecords(functions, functionSize),
    lines: types.bytes === undefined ? [] : readLoadedLines(lines, lineSize, types.bytes),
    btf: types.btf,
    withoutBtf: types.reason,
    addresses: [...addresses].filter((address) => address !== 0n),
  };
}

/**
 * Reads a program's native code.
 * @throws NetkitError `unsupported` when it is interpreted, `not-permitted` when the kernel does not give it to this user
 */
export function readNativeCode(program: Program): NativeCode {
  const sizes = readInfo(program.fd, 'progInfo');
  const length = sizes.get('jited_prog_len');
  if (length === 0) {
    const hint = capabilityHint('load');
    if (hint !== undefined) throw hidden('native code');
    throw new NetkitError('unsupported', 'the program has no native code: the kernel interprets it', {
      hint: 'sysctl net.core.bpf_jit_enable=1 lets the kernel compile programs that are loaded from then on',
    });
  }
  const code = new Uint8Array(length);
  const addresses = new BigUint64Array(sizes.get('nr_jited_ksyms'));
  const lengths = new Uint32Array(sizes.get('nr_jited_func_lens'));
  const lines = new BigUint64Array(sizes.get('nr_jited_line_info'));
  const block = infoBlock('progInfo')
    .set('jited_prog_len', length)
    .point('jited_prog_insns', code)
    .set('nr_jited_ksyms', addresses.length)
    .point('jited_ksyms', new Uint8Array(addresses.buffer))
    .set('nr_jited_func_lens', lengths.length)
    .point('jited_func_lens', new Uint8Array(lengths.buffer))
    .set('nr_jited_line_info', lines.length)
    .set('jited_line_info_rec_size', pointerSize)
    .point('jited_line_info', new Uint8Array(lines.buffer));
  readInfo(program.fd, 'progInfo', block);
  if (block.big('jited_prog_insns') === 0n || block.big('jited_ksyms') === 0n) throw hidden('native code');
  const functions: NativeFunction[] = [];
  let at = 0;
  for (const [index, size] of lengths.entries()) {
    functions.push({ address: addresses[index] ?? 0n, code: code.subarray(at, at + size) });
    at += size;
  }
  return { functions, lineAddresses: [...lines] };
}

function functionRecords(records: Uint8Array, recordSize: number): FunctionRecord[] {
  const reader = new ByteReader(records, { littleEndian: hostIsLittleEndian, what: 'function records' });
  const functions: FunctionRecord[] = [];
  for (let at = 0; recordSize > 0 && at < records.length; at += recordSize) {
    const start = reader.seek(at).u32();
    functions.push({ start, type: reader.u32() });
  }
  return functions;
}

interface Types {
  readonly bytes?: Uint8Array;
  readonly btf?: BtfGraph;
  readonly reason?: string;
}

function typesOf(id: number): Types {
  if (id === 0) return {};
  try {
    const bytes = kernelBtfBytes(id);
    return { bytes, btf: readBtf(bytes) };
  } catch (error) {
    if (isErrno(error, 'EPERM'))
      return { reason: `opening its BTF is not allowed for this user (${capabilityHint('enumerate')})` };
    if (error instanceof NetkitError && error.code === 'bad-object') return { reason: error.message };
    throw error;
  }
}

function hidden(what: string): NetkitError {
  const hint = capabilityHint('load') ?? capabilityHint('enumerate');
  return new NetkitError('not-permitted', `the kernel does not show the ${what} of programs to this user`, {
    hint:
      hint ?? 'the kernel hides its addresses: see sysctl kernel.kptr_restrict and net.core.bpf_jit_harden',
  });
}
