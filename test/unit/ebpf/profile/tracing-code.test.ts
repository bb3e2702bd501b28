import { describe, expect, it } from 'vitest';
import { hostIsLittleEndian } from '../../../../src/base/byte-order.js';
import { less, median } from '../../../../src/ebpf/profile/measurement.js';
import { entryCode, exitCode, slotsOf } from '../../../../src/ebpf/profile/tracing-code.js';
import { basicBlocks } from '../../../../src/obj/instructions/blocks.js';
import { readInstructions } from '../../../../src/obj/instructions/instruction.js';
import { instructionText } from '../../../../src/obj/instructions/text.js';
import { setFakeNative } from '../../../../src/sys/call.js';
import { Fd } from '../../../../src/sys/fd.js';

const texts = (code: Uint8Array): string[] =>
  readInstructions(code, hostIsLittleEndian).map((each) => instructionText(each));

setFakeNative({ invoke: () => ({ result: 0 }) });

describe('the programs that measure another one', () => {
  const values = new Fd(10);
  const counters = [new Fd(11), new Fd(12)];

  it('read the clock last at the entry and first at the exit', () => {
    expect(texts(entryCode({ values, counters })).slice(-4)).toEqual([
      'call helper#5',
      '*(u64 *)(r6 +0) = r0',
      'r0 = 0',
      'exit',
    ]);
    expect(texts(exitCode({ values, counters })).slice(0, 2)).toEqual(['call helper#5', 'r7 = r0']);
  });

  it('read as many counters as there are', () => {
    for (const code of [entryCode({ values, counters }), exitCode({ values, counters })]) {
      expect(texts(code).filter((text) => text === 'call helper#55')).toHaveLength(2);
      expect(texts(code)).toEqual(expect.arrayContaining(['r1 = map[id:11]', 'r1 = map[id:12]']));
    }
    expect(texts(exitCode({ values, counters: [] }))).not.toContain('call helper#55');
    expect(slotsOf(2)).toBe(7);
  });

  it('jump nowhere but to where a way out begins', () => {
    for (const code of [entryCode({ values, counters }), exitCode({ values, counters })]) {
      const instructions = readInstructions(code, hostIsLittleEndian);
      const blocks = basicBlocks(instructions);
      // A jump between the slots of a constant, or out of the code, would have no edge.
      const branches = texts(code).filter((text) => text.startsWith('if '));
      expect(blocks.filter(({ edges }) => edges.length === 2)).toHaveLength(branches.length);
      expect(texts(exitCode({ values, counters })).at(-2)).toBe('r0 = 0');
    }
  });
});

describe('the figures', () => {
  it('are the middle one, or between the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(() => median([])).toThrow(TypeError);
  });

  it('are never below zero', () => {
    expect(less(10, 3)).toBe(7);
    expect(less(3, 10)).toBe(0);
  });
});
