import { describe, expect, it } from 'vitest';
import {
  isUsdtEntryUsed,
  parseUsdtArguments,
  usdtEntry,
  usdtEntrySize,
} from '../../../../src/obj/executable/usdt-arguments.js';

const x86 = 62;
const arm = 183;

describe('the arguments of a probe', () => {
  it('are constants, registers and places in memory, on x86-64', () => {
    expect(
      parseUsdtArguments('-4@%eax 8@-16(%rbp) 4@$7 1@%dil 2@(%r12) -8@$-0x10 8@0x20(%rip)', x86),
    ).toEqual([
      { size: 4, signed: true, kind: 'register', register: 80 },
      { size: 8, signed: false, kind: 'memory', register: 32, displacement: -16n },
      { size: 4, signed: false, kind: 'constant', value: 7n },
      { size: 1, signed: false, kind: 'register', register: 112 },
      { size: 2, signed: false, kind: 'memory', register: 24, displacement: 0n },
      { size: 8, signed: true, kind: 'constant', value: -16n },
      { size: 8, signed: false, kind: 'memory', register: 128, displacement: 32n },
    ]);
    expect(
      parseUsdtArguments('4@%r9d 2@%r10w 1@%r11b 8@%rsp', x86).map(
        (each) => 'register' in each && each.register,
      ),
    ).toEqual([64, 56, 48, 152]);
  });

  it('are written otherwise on arm64', () => {
    expect(parseUsdtArguments('-4@w1 8@[sp, 24] 8@[x30] 4@[x2,-8] 4@12 8@sp', arm)).toEqual([
      { size: 4, signed: true, kind: 'register', register: 8 },
      { size: 8, signed: false, kind: 'memory', register: 248, displacement: 24n },
      { size: 8, signed: false, kind: 'memory', register: 240, displacement: 0n },
      { size: 4, signed: false, kind: 'memory', register: 16, displacement: -8n },
      { size: 4, signed: false, kind: 'constant', value: 12n },
      { size: 8, signed: false, kind: 'register', register: 248 },
    ]);
  });

  it('are none for an empty note', () => {
    expect(parseUsdtArguments('', x86)).toEqual([]);
  });

  it.each([
    ['8@(%rax,%rbx,4)', x86],
    ['8@symbol(%rip)', x86],
    ['3@%eax', x86],
    ['8@%xmm0', x86],
    ['8@%rax,', x86],
    ['%rax', x86],
    ['8@x31', arm],
    ['8@%rax', 8],
    [Array.from({ length: 13 }, () => '4@$1').join(' '), x86],
  ])('%s is refused by name where nobody knows it', (text, machine) => {
    expect(() => parseUsdtArguments(text, machine)).toThrow(/does not know how a probe passes/);
  });

  it('fill the entry of libbpf’s table', () => {
    const entry = usdtEntry(parseUsdtArguments('-4@%eax 8@-16(%rbp) 1@$7', x86), 0x1122n);
    expect(entry.length).toBe(usdtEntrySize);
    const view = new DataView(entry.buffer);
    const argument = (at: number) => [
      view.getBigInt64(at, true),
      view.getUint32(at + 8, true),
      view.getInt16(at + 12, true),
      view.getUint8(at + 14),
      view.getUint8(at + 15),
    ];
    expect([0, 16, 32].map(argument)).toEqual([
      [0n, 1, 80, 1, 32],
      [-16n, 2, 32, 0, 0],
      [7n, 0, 0, 0, 56],
    ]);
    expect(view.getBigUint64(192, true)).toBe(0x1122n);
    expect(view.getInt16(200, true)).toBe(3);
    expect(isUsdtEntryUsed(entry)).toBe(true);
    expect(isUsdtEntryUsed(usdtEntry([], 0n))).toBe(true);
    expect(isUsdtEntryUsed(new Uint8Array(usdtEntrySize))).toBe(false);
  });
});
