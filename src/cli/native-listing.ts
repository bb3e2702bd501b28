/** A program's native code with names, source lines and what calls and jumps go to. */
import { hostIsLittleEndian } from '../base/byte-order.js';
import { disassembleNative, type NativeInstruction } from '../build/native-code.js';
import type { Program } from '../ebpf/program.js';
import { readNativeCode, readProgramCode } from '../ebpf/program-code.js';
import { functionStarts } from '../ebpf/program-listing.js';
import { KernelSymbols } from '../host/kernel-symbols.js';
import { readInstructions } from '../obj/instructions/instruction.js';
import { lineOf } from '../obj/instructions/listing.js';
import type { SourceLine } from '../obj/source-lines.js';
import { type FunctionInfo, sourceDocument } from './code-document.js';

/**
 * Disassembles what the kernel compiled a program to.
 * @throws NetkitError `not-permitted` when the kernel hides it, `unsupported` when the program is interpreted,
 *   `tool-missing` without llvm
 */
export async function nativeListing(program: Program, signal: AbortSignal): Promise<FunctionInfo[]> {
  const native = readNativeCode(program);
  const code = readProgramCode(program);
  const starts = functionStarts(
    code,
    program.info().name,
    readInstructions(code.instructions, hostIsLittleEndian),
  );
  const lines = new Map<bigint, SourceLine>();
  for (const [index, address] of native.lineAddresses.entries()) {
    const info = code.lines[index];
    if (info !== undefined && info.line !== 0 && !lines.has(address)) lines.set(address, lineOf(info));
  }
  const names = new Map(
    native.functions.map(({ address }, index) => [address, starts[index]?.name ?? `function ${index}`]),
  );
  const symbols = KernelSymbols.read();
  const disassembled = await disassembleNative(
    native.functions.map((each) => each.code),
    signal,
  );
  return native.functions.map(({ address, code: bytes }, index) => {
    let before = '';
    return {
      name: names.get(address) ?? '',
      declaration: starts[index]?.declaration ?? null,
      start: starts[index]?.start ?? 0,
      address: `0x${address.toString(16)}`,
      instructions: (disassembled[index] ?? []).map((each) => {
        const line = lines.get(address + BigInt(each.offset));
        const place = line === undefined ? before : `${line.file}:${line.line}`;
        const shown = place === before ? undefined : line;
        before = place;
        return instructionDocument(
          each,
          address,
          bytes.length,
          shown,
          (to) => names.get(to) ?? symbols.at(to),
        );
      }),
    };
  });
}

function instructionDocument(
  { offset, bytes, text, target }: NativeInstruction,
  address: bigint,
  size: number,
  line: SourceLine | undefined,
  nameAt: (address: bigint) => string | undefined,
): FunctionInfo['instructions'][number] {
  const inside = target !== undefined && target >= 0 && target < size;
  const name = target === undefined || inside ? undefined : nameAt(address + BigInt(target));
  return {
    at: offset,
    bytes: Buffer.from(bytes).toString('hex'),
    text: named(text, target, address, inside ? undefined : name),
    target: inside ? target : null,
    source: sourceDocument(line),
  };
}

/** llvm takes the function for all there is: a target in it is an offset, and one outside is the kernel's. */
function named(text: string, target: number | undefined, address: bigint, name: string | undefined): string {
  if (target === undefined) return text;
  const to =
    name === undefined ? text : text.replace(/0x[0-9a-f]+$/, `0x${(address + BigInt(target)).toString(16)}`);
  return name === undefined ? to : `${to} <${name}>`;
}
