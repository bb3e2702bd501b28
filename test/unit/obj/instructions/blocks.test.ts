import { describe, expect, it } from 'vitest';
import { basicBlocks } from '../../../../src/obj/instructions/blocks.js';
import { readInstructions } from '../../../../src/obj/instructions/instruction.js';

/** `struct bpf_insn`, little endian. */
function code(
  ...rows: readonly (readonly [opcode: number, registers: number, offset: number, value: number])[]
) {
  const bytes = new Uint8Array(rows.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, [opcode, registers, offset, value]] of rows.entries()) {
    view.setUint8(index * 8, opcode);
    view.setUint8(index * 8 + 1, registers);
    view.setInt16(index * 8 + 2, offset, true);
    view.setInt32(index * 8 + 4, value, true);
  }
  return readInstructions(bytes, true);
}

const move = [0xb7, 0, 0, 1] as const;
const exit = [0x95, 0, 0, 0] as const;

function shape(instructions: ReturnType<typeof code>) {
  return basicBlocks(instructions).map(({ start, edges }) => [
    start,
    edges.map(({ to, kind }) => `${kind} ${to}`),
  ]);
}

describe('basic blocks', () => {
  it('are none of no code, and one of code without jumps', () => {
    expect(shape([])).toEqual([]);
    expect(shape(code(move, move, exit))).toEqual([[0, []]]);
  });

  it('follow both ways of a branch', () => {
    expect(shape(code([0x15, 0, 1, 0], move, exit))).toEqual([
      [0, ['taken 2', 'else 1']],
      [1, ['next 2']],
      [2, []],
    ]);
  });

  it('have a loop, over a constant of two slots', () => {
    expect(shape(code(move, [0x18, 0, 0, 0], [0, 0, 0, 0], [0x15, 0, -3, 0], exit))).toEqual([
      [0, ['next 1']],
      [1, ['taken 1', 'else 2']],
      [4, []],
    ]);
  });

  it('follow gotol and may_goto, and end at gotox', () => {
    expect(shape(code([0x06, 0, 0, 1], exit, [0xe5, 0, -2, 0], [0x0d, 1, 0, 0]))).toEqual([
      [0, ['next 2']],
      [1, []],
      [2, ['taken 1', 'else 3']],
      [3, []],
    ]);
  });

  it('have no edge out of the code', () => {
    expect(shape(code([0x05, 0, 100, 0], [0x15, 0, -100, 0]))).toEqual([
      [0, []],
      [1, []],
    ]);
  });
});
