import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { basicBlocks } from '../../../../src/obj/instructions/blocks.js';
import { readInstructions } from '../../../../src/obj/instructions/instruction.js';
import { operationOf } from '../../../../src/obj/instructions/meaning.js';
import { type CodeNames, instructionText } from '../../../../src/obj/instructions/text.js';

interface Fields {
  readonly opcode: number;
  readonly destination?: number;
  readonly source?: number;
  readonly offset?: number;
  readonly immediate?: number;
  readonly high?: number;
}

function assembled(fields: Fields, littleEndian = true): Uint8Array {
  const { opcode, destination = 0, source = 0, offset = 0, immediate = 0, high } = fields;
  const bytes = new Uint8Array(high === undefined ? 8 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, opcode);
  view.setUint8(1, littleEndian ? destination | (source << 4) : (destination << 4) | source);
  view.setInt16(2, offset, littleEndian);
  view.setInt32(4, immediate, littleEndian);
  if (high !== undefined) view.setInt32(12, high, littleEndian);
  return bytes;
}

function textOf(fields: Fields, names?: CodeNames): string {
  const [instruction] = readInstructions(assembled(fields), true);
  if (instruction === undefined) throw new Error('no instruction');
  return instructionText(instruction, names);
}

/** Source and destination, an immediate, an offset that are all told apart. */
const d1s2 = { destination: 1, source: 2 } as const;
const memory = { ...d1s2, offset: -8 } as const;

const arithmetic = [
  ['+=', 0x00],
  ['-=', 0x10],
  ['*=', 0x20],
  ['/=', 0x30],
  ['|=', 0x40],
  ['&=', 0x50],
  ['<<=', 0x60],
  ['>>=', 0x70],
  ['%=', 0x90],
  ['^=', 0xa0],
  ['s>>=', 0xc0],
] as const;

const comparisons = [
  ['==', 0x10],
  ['>', 0x20],
  ['>=', 0x30],
  ['&', 0x40],
  ['!=', 0x50],
  ['s>', 0x60],
  ['s>=', 0x70],
  ['<', 0xa0],
  ['<=', 0xb0],
  ['s<', 0xc0],
  ['s<=', 0xd0],
] as const;

const sizes = [
  [32, 0x00],
  [16, 0x08],
  [8, 0x10],
  [64, 0x18],
] as const;

const known: readonly (readonly [text: string, fields: Fields])[] = [
  ...arithmetic.flatMap(
    ([operator, code]) =>
      [
        [`w1 ${operator} -7`, { ...d1s2, opcode: code | 4, immediate: -7 }],
        [`w1 ${operator} w2`, { ...d1s2, opcode: code | 0xc }],
        [`r1 ${operator} -7`, { ...d1s2, opcode: code | 7, immediate: -7 }],
        [`r1 ${operator} r2`, { ...d1s2, opcode: code | 0xf }],
      ] as const,
  ),
  ['w1 s/= -7', { ...d1s2, opcode: 0x34, offset: 1, immediate: -7 }],
  ['w1 s/= w2', { ...d1s2, opcode: 0x3c, offset: 1 }],
  ['r1 s/= -7', { ...d1s2, opcode: 0x37, offset: 1, immediate: -7 }],
  ['r1 s/= r2', { ...d1s2, opcode: 0x3f, offset: 1 }],
  ['w1 s%= w2', { ...d1s2, opcode: 0x9c, offset: 1 }],
  ['w1 s%= 5', { ...d1s2, opcode: 0x94, offset: 1, immediate: 5 }],
  ['r1 s%= 5', { ...d1s2, opcode: 0x97, offset: 1, immediate: 5 }],
  ['r1 s%= r2', { ...d1s2, opcode: 0x9f, offset: 1 }],
  ['w1 = -w1', { ...d1s2, opcode: 0x84 }],
  ['r1 = -r1', { ...d1s2, opcode: 0x87 }],
  ['w1 = 9', { ...d1s2, opcode: 0xb4, immediate: 9 }],
  ['w1 = w2', { ...d1s2, opcode: 0xbc }],
  ['r1 = -1', { ...d1s2, opcode: 0xb7, immediate: -1 }],
  ['r1 = r2', { ...d1s2, opcode: 0xbf }],
  ['w1 = (s8)w2', { ...d1s2, opcode: 0xbc, offset: 8 }],
  ['w1 = (s16)w2', { ...d1s2, opcode: 0xbc, offset: 16 }],
  ['r1 = (s8)r2', { ...d1s2, opcode: 0xbf, offset: 8 }],
  ['r1 = (s16)r2', { ...d1s2, opcode: 0xbf, offset: 16 }],
  ['r1 = (s32)r2', { ...d1s2, opcode: 0xbf, offset: 32 }],
  ['r1 = addr_space_cast(r2, 0, 1)', { ...d1s2, opcode: 0xbf, offset: 1, immediate: 1 }],
  ['r1 = addr_space_cast(r2, 1, 0)', { ...d1s2, opcode: 0xbf, offset: 1, immediate: 0x10000 }],
  ['r1 = &(void __percpu *)(r2)', { ...d1s2, opcode: 0xbf, offset: -1 }],
  ...([16, 32, 64] as const).flatMap(
    (bits) =>
      [
        [`r1 = le${bits} r1`, { ...d1s2, opcode: 0xd4, immediate: bits }],
        [`r1 = be${bits} r1`, { ...d1s2, opcode: 0xdc, immediate: bits }],
        [`r1 = bswap${bits} r1`, { ...d1s2, opcode: 0xd7, immediate: bits }],
      ] as const,
  ),
  ...sizes.flatMap(
    ([bits, code]) =>
      [
        [`r1 = *(u${bits} *)(r2 -8)`, { ...memory, opcode: 0x61 | code }],
        [`*(u${bits} *)(r1 -8) = 7`, { ...memory, opcode: 0x62 | code, immediate: 7 }],
        [`*(u${bits} *)(r1 -8) = r2`, { ...memory, opcode: 0x63 | code }],
        [`r1 = load_acquire((u${bits} *)(r2 -8))`, { ...memory, opcode: 0xc3 | code, immediate: 0x100 }],
        [`store_release((u${bits} *)(r1 -8), r2)`, { ...memory, opcode: 0xc3 | code, immediate: 0x110 }],
      ] as const,
  ),
  ...sizes.slice(0, 3).flatMap(
    ([bits, code]) =>
      [
        [`r1 = *(s${bits} *)(r2 -8)`, { ...memory, opcode: 0x81 | code }],
        [`r0 = *(u${bits} *)skb[12]`, { opcode: 0x20 | code, immediate: 12 }],
        [`r0 = *(u${bits} *)skb[r2 + 12]`, { opcode: 0x40 | code, source: 2, immediate: 12 }],
      ] as const,
  ),
  ...(
    [
      ['+=', 'add', 0x00],
      ['|=', 'or', 0x40],
      ['&=', 'and', 0x50],
      ['^=', 'xor', 0xa0],
    ] as const
  ).flatMap(
    ([sign, word, code]) =>
      [
        [`lock *(u32 *)(r1 -8) ${sign} r2`, { ...memory, opcode: 0xc3, immediate: code }],
        [`lock *(u64 *)(r1 -8) ${sign} r2`, { ...memory, opcode: 0xdb, immediate: code }],
        [`r2 = atomic_fetch_${word}((u32 *)(r1 -8), r2)`, { ...memory, opcode: 0xc3, immediate: code | 1 }],
        [`r2 = atomic64_fetch_${word}((u64 *)(r1 -8), r2)`, { ...memory, opcode: 0xdb, immediate: code | 1 }],
      ] as const,
  ),
  ['r2 = atomic_xchg((u32 *)(r1 -8), r2)', { ...memory, opcode: 0xc3, immediate: 0xe1 }],
  ['r2 = atomic64_xchg((u64 *)(r1 -8), r2)', { ...memory, opcode: 0xdb, immediate: 0xe1 }],
  ['r0 = atomic_cmpxchg((u32 *)(r1 -8), r0, r2)', { ...memory, opcode: 0xc3, immediate: 0xf1 }],
  ['r0 = atomic64_cmpxchg((u64 *)(r1 -8), r0, r2)', { ...memory, opcode: 0xdb, immediate: 0xf1 }],
  ['nospec', { opcode: 0xc2 }],
  ...comparisons.flatMap(
    ([sign, code]) =>
      [
        [`if r1 ${sign} 0xfffffff9 goto pc+4 <5>`, { ...d1s2, opcode: code | 5, immediate: -7, offset: 4 }],
        [`if r1 ${sign} r2 goto pc-1 <0>`, { ...d1s2, opcode: code | 0xd, offset: -1 }],
        [`if w1 ${sign} 0x10 goto pc+4 <5>`, { ...d1s2, opcode: code | 6, immediate: 16, offset: 4 }],
        [`if w1 ${sign} w2 goto pc+4 <5>`, { ...d1s2, opcode: code | 0xe, offset: 4 }],
      ] as const,
  ),
  ['goto pc+3 <4>', { opcode: 0x05, offset: 3 }],
  ['gotol pc+70000 <70001>', { opcode: 0x06, immediate: 70000 }],
  ['gotox r1', { opcode: 0x0d, destination: 1 }],
  ['may_goto pc+3 <4>', { opcode: 0xe5, offset: 3 }],
  ['call bpf_map_lookup_elem', { opcode: 0x85, immediate: 1 }],
  ['call helper#4711', { opcode: 0x85, immediate: 4711 }],
  ['call pc+9 <10>', { opcode: 0x85, source: 1, immediate: 9 }],
  ['call kernel-function#77', { opcode: 0x85, source: 2, immediate: 77 }],
  ['callx r1', { opcode: 0x8d, destination: 1 }],
  ['call bpf_tail_call', { opcode: 0xf5 }],
  ['exit', { opcode: 0x95 }],
  ['r1 = 0xfffffffeffffffff', { opcode: 0x18, destination: 1, immediate: -1, high: -2 }],
  ['r1 = map[id:7]', { opcode: 0x18, destination: 1, source: 1, immediate: 7, high: 0 }],
  ['r1 = map[id:7][0]+16', { opcode: 0x18, destination: 1, source: 2, immediate: 7, high: 16 }],
  ['r1 = kernel-variable#12', { opcode: 0x18, destination: 1, source: 3, immediate: 12, high: 0 }],
  ['r1 = function <8>', { opcode: 0x18, destination: 1, source: 4, immediate: 7, high: 0 }],
  ['r1 = map[index:7]', { opcode: 0x18, destination: 1, source: 5, immediate: 7, high: 0 }],
  ['r1 = map[index:7][0]+16', { opcode: 0x18, destination: 1, source: 6, immediate: 7, high: 16 }],
];

const helpers: CodeNames = {
  helper: ({ immediate }) => (immediate === 1 ? 'bpf_map_lookup_elem' : undefined),
};

describe('the text of an instruction', () => {
  it.each(known)('is %s', (text, fields) => {
    expect(textOf(fields, helpers)).toBe(text);
  });

  it('is another one for each, and says of none that it is unknown', () => {
    const texts = known.map(([text]) => text);
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts.filter((text) => text.startsWith('unknown'))).toEqual([]);
  });

  it('names what it is told the names of', () => {
    const names: CodeNames = {
      kernelFunction: () => 'bpf_dynptr_size',
      functionAt: (slot) => `function_${slot}`,
      map: () => 'stats',
      address: () => 'jiffies',
    };
    expect(textOf({ opcode: 0x85, source: 2 }, names)).toBe('call bpf_dynptr_size');
    expect(textOf({ opcode: 0x85, source: 1, immediate: 4 }, names)).toBe('call function_5 <5>');
    expect(textOf({ opcode: 0x18, source: 4, immediate: 4, high: 0 }, names)).toBe(
      'r0 = function function_5 <5>',
    );
    expect(textOf({ opcode: 0x18, source: 1, high: 0 }, names)).toBe('r0 = map[stats]');
    expect(textOf({ opcode: 0x18, source: 2, high: 8 }, names)).toBe('r0 = map[stats][0]+8');
    expect(textOf({ opcode: 0x18, immediate: 5, high: 0 }, names)).toBe('r0 = 0x5 <jiffies>');
  });

  it('is the same for both byte orders', () => {
    for (const [text, fields] of known) {
      const [instruction] = readInstructions(assembled(fields, false), false);
      expect(instruction && instructionText(instruction, helpers)).toBe(text);
    }
  });

  it.each([
    ['a sum with an offset', { opcode: 0x07, offset: 3 }],
    ['a signed move of 32 bits into 32', { opcode: 0xbc, offset: 32 }],
    ['a swap of 24 bits', { opcode: 0xd4, immediate: 24 }],
    ['an atomic operation on a byte', { opcode: 0xd3, immediate: 0 }],
    ['an atomic subtraction', { opcode: 0xc3, immediate: 0x10 }],
    ['half of a constant', { opcode: 0x18 }],
    ['a call of kind 9', { opcode: 0x85, source: 9 }],
    ['a constant of kind 9', { opcode: 0x18, source: 9, high: 0 }],
  ] as const)('says the bytes of %s, which is none', (_what, fields) => {
    expect(textOf(fields)).toBe(`unknown ${Buffer.from(assembled(fields)).toString('hex')}`);
  });

  it('is there for every pattern of 64 bits', () => {
    for (let opcode = 0; opcode < 256; opcode++) expect(textOf({ opcode })).not.toBe('');
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.boolean(), (bytes, littleEndian) => {
        const [instruction, ...more] = readInstructions(bytes, littleEndian);
        expect(more).toEqual([]);
        if (instruction === undefined) throw new Error('no instruction');
        expect(instructionText(instruction)).toMatch(/^\S.*\S$/);
        expect(operationOf(instruction).kind).not.toBe('');
      }),
      { numRuns: 5000 },
    );
  });

  it('is there for every run of them, and each is in one block', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 160 }), fc.boolean(), (bytes, littleEndian) => {
        const code = bytes.subarray(0, bytes.length - (bytes.length % 8));
        const instructions = readInstructions(code, littleEndian);
        expect(instructions.reduce((sum, { slots }) => sum + slots, 0)).toBe(code.length / 8);
        const blocks = basicBlocks(instructions);
        expect(blocks.flatMap((block) => block.instructions)).toEqual(instructions);
        for (const { edges } of blocks) for (const { to } of edges) expect(blocks[to]).toBeDefined();
      }),
      { numRuns: 2000 },
    );
  });
});

describe('code that is no whole number of instructions', () => {
  it('is refused', () => {
    expect(() => readInstructions(new Uint8Array(12), true)).toThrow(/12 bytes are no whole number/);
  });
});
