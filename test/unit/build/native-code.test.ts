import { expect, it } from 'vitest';
import { disassembleNative, readDisassembly } from '../../../src/build/native-code.js';
import { describeWith } from '../../support/requirements.js';

/** As llvm-objdump writes it. */
const written = `.f0:

0000000000000000 <.f0>:
       0: 0f 1f 44 00 00               \tnopl\t(%rax,%rax)
       5: 48 89 e5                     \tmovq\t%rsp, %rbp
       8: e8 10 00 00 00               \tcallq\t0x1d <.f0+0x1d>
       d: 74 f6                        \tje\t0x5 <.f0+0x5>
       f: e9 00 00 00 c0               \tjmp\t0xffffffffc0000014 <.f0+0xffffffffc0000014>
      14: ff                           \t<unknown>
`;
const code = Uint8Array.from([
  ...[0x0f, 0x1f, 0x44, 0, 0, 0x48, 0x89, 0xe5, 0xe8, 16, 0, 0, 0],
  ...[0x74, 0xf6, 0xe9, 0, 0, 0, 0xc0, 0xff],
]);

describeWith({ tools: ['llvm-mc', 'llvm-objdump'] }, 'machine code', () => {
  it('is read from what llvm prints, with the places that calls and jumps go to', () => {
    const found = readDisassembly(written, code, /^(?:j\w+|call)/);
    expect(found.map(({ offset, text, target }) => [offset, text, target])).toEqual([
      [0, 'nopl (%rax,%rax)', undefined],
      [5, 'movq %rsp, %rbp', undefined],
      [8, 'callq 0x1d', 0x1d],
      [13, 'je 0x5', 5],
      [15, 'jmp 0xffffffffc0000014', -0x3fffffec],
      [20, '<unknown>', undefined],
    ]);
    expect(Buffer.concat(found.map(({ bytes }) => bytes))).toEqual(Buffer.from(code));
  });

  it('is read of 64-bit ARM too, whose bytes come as one word', () => {
    const arm = '       4: 94000004     \tbl\t0x14 <.f0+0x14>\n       8: d65f03c0     \tret\n';
    const found = readDisassembly(arm, new Uint8Array(12), /^bl?\b/);
    expect(found.map(({ offset, bytes, text, target }) => [offset, bytes.length, text, target])).toEqual([
      [4, 4, 'bl 0x14', 0x14],
      [8, 4, 'ret', undefined],
    ]);
  });

  it('of this machine is read by llvm as it is installed, to its last byte, several functions at once', async () => {
    if (process.arch !== 'x64') return;
    const [first, none, second] = await disassembleNative([
      code,
      new Uint8Array(),
      Uint8Array.of(0xc3, 0xcc),
    ]);
    expect(first?.map(({ offset }) => offset)).toEqual([0, 5, 8, 13, 15, 20]);
    expect(first?.map(({ target }) => target)).toEqual([
      undefined,
      undefined,
      0x1d,
      5,
      -0x3fffffec,
      undefined,
    ]);
    expect(none).toEqual([]);
    expect(second?.map(({ text }) => text)).toEqual(['retq', 'int3']);
  });
});
