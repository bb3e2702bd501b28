/** Instructions for programs that are only offered to the kernel (struct bpf_insn of linux/bpf.h). */
import { hostIsLittleEndian as littleEndian } from '../../base/byte-order.js';

interface Parts {
  readonly destination?: number;
  readonly source?: number;
  readonly offset?: number;
  readonly immediate?: number;
}

/** One instruction by its opcode. */
export function instruction(opcode: number, parts: Parts = {}): Uint8Array {
  const { destination = 0, source = 0, offset = 0, immediate = 0 } = parts;
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, opcode);
  view.setUint8(1, littleEndian ? (source << 4) | destination : (destination << 4) | source);
  view.setInt16(2, offset, littleEndian);
  view.setInt32(4, immediate, littleEndian);
  return bytes;
}

/** A program of these instructions. */
export function code(...instructions: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(instructions);
}

/** `r = value` */
export const set = (register: number, value: number): Uint8Array =>
  instruction(0xb7, { destination: register, immediate: value });
/** Calls a helper by its number. */
export const call = (helper: number): Uint8Array => instruction(0x85, { immediate: helper });
export const exit = instruction(0x95);
/** `r0 = 0; exit` */
export const twoInstructions = code(set(0, 0), exit);
