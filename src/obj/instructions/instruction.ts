import { ByteReader } from '../../base/bytes.js';
import { instructionSize } from '../programs.js';

/** One instruction as it is stored (`struct bpf_insn` of linux/bpf.h); a 64-bit constant takes two slots. */
export interface Instruction {
  /** Slot, counted in units of 8 bytes from the start of the code. */
  readonly index: number;
  /** 2 for a 64-bit constant, else 1. */
  readonly slots: 1 | 2;
  readonly opcode: number;
  /** Number of the destination register. */
  readonly destination: number;
  /** Number of the source register, or what kind of call or constant it is. */
  readonly source: number;
  /** Signed 16 bits. */
  readonly offset: number;
  /** Signed 32 bits. */
  readonly immediate: number;
  /** Of a 64-bit constant: the immediate of its second slot, signed; else 0. */
  readonly high: number;
  /** The slots as they are stored. */
  readonly bytes: Uint8Array;
}

const wideOpcode = 0x18;

/**
 * Cuts code into instructions. What is no instruction stays one: its text says so.
 * @throws NetkitError `bad-object` when the bytes are no whole number of slots
 */
export function readInstructions(code: Uint8Array, littleEndian: boolean): Instruction[] {
  const reader = new ByteReader(code, { littleEndian, what: 'eBPF code' });
  if (code.length % instructionSize !== 0)
    throw reader.error(`${code.length} bytes are no whole number of instructions`);
  const instructions: Instruction[] = [];
  const slots = code.length / instructionSize;
  for (let index = 0; index < slots; ) {
    const instruction = readOne(code, index, littleEndian);
    instructions.push(instruction);
    index += instruction.slots;
  }
  return instructions;
}

function readOne(code: Uint8Array, index: number, littleEndian: boolean): Instruction {
  const at = index * instructionSize;
  const view = new DataView(code.buffer, code.byteOffset + at, Math.min(16, code.length - at));
  const opcode = view.getUint8(0);
  const registers = view.getUint8(1);
  const [low, high] = [registers & 0xf, registers >> 4];
  // The last slot may be half of a constant: the verifier lets no such code in, files may have it.
  const slots = opcode === wideOpcode && view.byteLength === 16 ? 2 : 1;
  return {
    index,
    slots,
    opcode,
    destination: littleEndian ? low : high,
    source: littleEndian ? high : low,
    offset: view.getInt16(2, littleEndian),
    immediate: view.getInt32(4, littleEndian),
    high: slots === 2 ? view.getInt32(12, littleEndian) : 0,
    bytes: code.subarray(at, at + slots * instructionSize),
  };
}

/** The 64-bit constant of an instruction of two slots, unsigned. */
export function wideConstant({ immediate, high }: Instruction): bigint {
  return (BigInt.asUintN(32, BigInt(high)) << 32n) | BigInt.asUintN(32, BigInt(immediate));
}
