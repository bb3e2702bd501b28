/** eBPF code made by hand, for small programs that netkit loads for its own measurements. */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { instructionSize } from '../programs.js';

/** Fields of `struct bpf_insn`; what is left out is 0. */
export interface AssembledInstruction {
  readonly opcode: number;
  readonly destination?: number;
  readonly source?: number;
  readonly offset?: number;
  readonly immediate?: number;
}

/** Puts instructions together, in this machine's byte order. */
export function assemble(instructions: readonly AssembledInstruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * instructionSize);
  const view = new DataView(bytes.buffer);
  for (const [index, each] of instructions.entries()) {
    const { opcode, destination = 0, source = 0, offset = 0, immediate = 0 } = each;
    const at = index * instructionSize;
    view.setUint8(at, opcode);
    view.setUint8(at + 1, hostIsLittleEndian ? destination | (source << 4) : (destination << 4) | source);
    view.setInt16(at + 2, offset, hostIsLittleEndian);
    view.setInt32(at + 4, immediate, hostIsLittleEndian);
  }
  return bytes;
}

/** `rD = value` */
export const moveValue = (destination: number, immediate: number): AssembledInstruction => ({
  opcode: 0xb7,
  destination,
  immediate,
});
/** `rD = rS` */
export const moveRegister = (destination: number, source: number): AssembledInstruction => ({
  opcode: 0xbf,
  destination,
  source,
});
/** `wD = value`, the upper half 0 */
export const moveWord = (destination: number, immediate: number): AssembledInstruction => ({
  opcode: 0xb4,
  destination,
  immediate,
});
/** `rD += value` */
export const addValue = (destination: number, immediate: number): AssembledInstruction => ({
  opcode: 0x07,
  destination,
  immediate,
});
/** `rD += rS` */
export const addRegister = (destination: number, source: number): AssembledInstruction => ({
  opcode: 0x0f,
  destination,
  source,
});
/** `rD -= rS` */
export const subtractRegister = (destination: number, source: number): AssembledInstruction => ({
  opcode: 0x1f,
  destination,
  source,
});
/** `rD = *(u64 *)(rS + offset)` */
export const load64 = (destination: number, source: number, offset: number): AssembledInstruction => ({
  opcode: 0x79,
  destination,
  source,
  offset,
});
/** `*(u64 *)(rD + offset) = rS` */
export const store64 = (destination: number, offset: number, source: number): AssembledInstruction => ({
  opcode: 0x7b,
  destination,
  offset,
  source,
});
/** `*(u32 *)(rD + offset) = value` */
export const storeWord = (destination: number, offset: number, immediate: number): AssembledInstruction => ({
  opcode: 0x62,
  destination,
  offset,
  immediate,
});
/** `if rD == 0 goto pc + distance` */
export const ifZero = (destination: number, distance: number): AssembledInstruction => ({
  opcode: 0x15,
  destination,
  offset: distance,
});
/** `if rD != 0 goto pc + distance` */
export const ifNotZero = (destination: number, distance: number): AssembledInstruction => ({
  opcode: 0x55,
  destination,
  offset: distance,
});
/** `call helper` */
export const callHelper = (immediate: number): AssembledInstruction => ({ opcode: 0x85, immediate });
/** `exit` */
export const exit: AssembledInstruction = { opcode: 0x95 };
/** `rD = the map behind a descriptor`, which takes two slots */
export const mapOf = (destination: number, descriptor: number): readonly AssembledInstruction[] => [
  { opcode: 0x18, destination, source: 1, immediate: descriptor },
  { opcode: 0 },
];
