/** Machine code as text, through llvm. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { runCommand } from '../host/command.js';

/** An instruction of the machine. */
export interface NativeInstruction {
  /** Bytes from the start of the function. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** Of a call or jump: where it goes, in bytes from the start of the function. */
  readonly target: number | undefined;
}

interface Machine {
  readonly triple: string;
  /** Calls and jumps that name their target. */
  readonly branch: RegExp;
}

const machines: Readonly<Record<string, Machine>> = {
  x64: { triple: 'x86_64', branch: /^(?:j\w+|call)/ },
  arm64: { triple: 'aarch64', branch: /^(?:bl?|b\.\w+|cbn?z|tbn?z)\b/ },
};

/**
 * Disassembles functions for the machine that netkit runs on.
 * @throws NetkitError `tool-missing`, `tool-failed`, `unsupported` for another machine
 */
export async function disassembleNative(
  functions: readonly Uint8Array[],
  signal?: AbortSignal,
): Promise<NativeInstruction[][]> {
  const machine = machines[process.arch];
  if (machine === undefined)
    throw new NetkitError('unsupported', `machine code of ${process.arch} cannot be shown`);
  const folder = await mkdtemp(join(tmpdir(), 'netkit-native-'));
  try {
    const [source, object] = [join(folder, 'code.s'), join(folder, 'code.o')];
    await writeFile(source, assembly(functions));
    await llvm('llvm-mc', ['-filetype=obj', `--triple=${machine.triple}`, source, '-o', object], signal);
    // It is there only when the assembler made it, whatever it said.
    await readFile(object);
    const text = await llvm('llvm-objdump', ['-d', `--triple=${machine.triple}`, object], signal);
    return functions.map((code, index) => readDisassembly(sectionOf(text, index), code, machine.branch));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A section for each function, so that each begins at 0 and what is wrong in one does not reach another. */
function assembly(functions: readonly Uint8Array[]): string {
  return functions
    .map((code, index) => `.section .f${index},"ax"\n${code.length === 0 ? '' : `.byte ${code.join(',')}\n`}`)
    .join('');
}

async function llvm(tool: string, args: readonly string[], signal: AbortSignal | undefined): Promise<string> {
  const { stdout, stderr, exitCode } = await runCommand(tool, args, { signal });
  if (exitCode === 0) return stdout;
  throw new NetkitError('tool-failed', `${tool} failed: ${stderr.split('\n')[0] ?? exitCode}`, {
    details: { tool, exitCode },
  });
}

function sectionOf(text: string, index: number): string {
  const [, ...parts] = text.split(/^Disassembly of section /m);
  return parts.find((part) => part.startsWith(`.f${index}:`)) ?? '';
}

/** @internal Lines of `llvm-objdump -d`: offset, bytes, instruction. */
export function readDisassembly(text: string, code: Uint8Array, branch: RegExp): NativeInstruction[] {
  const found: NativeInstruction[] = [];
  for (const line of text.split('\n')) {
    const parts = /^\s*([0-9a-f]+):\s+((?:[0-9a-f]{2} ?)+|[0-9a-f]{8})\s*(\S.*)?$/.exec(line);
    if (parts === null) continue;
    const [, at = '', hex = '', written = ''] = parts;
    const offset = Number.parseInt(at, 16);
    const bytes = code.subarray(offset, offset + hex.replaceAll(' ', '').length / 2);
    // What follows in pointed brackets is a place in the made-up section.
    const clean = written.replaceAll(/\s+/g, ' ').replace(/ <[^>]*>$/, '');
    found.push({ offset, bytes, text: clean, target: branch.test(clean) ? targetOf(clean) : undefined });
  }
  return found;
}

function targetOf(text: string): number | undefined {
  const digits = /\b(0x[0-9a-f]+)$/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(BigInt.asIntN(64, BigInt(digits)));
}
