/**
 * Where a USDT probe's arguments are when it is hit, and the table entry by which `bpf_usdt_arg()` of libbpf's
 * usdt.bpf.h finds them. The layout of the entry is that header's, as of libbpf 0.8.
 */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';

/** One argument. */
export type UsdtArgument = {
  /** Bytes: 1, 2, 4 or 8. */
  readonly size: number;
  readonly signed: boolean;
} & (
  | { readonly kind: 'constant'; readonly value: bigint }
  /** `register`: bytes from the start of `struct pt_regs`. */
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'memory'; readonly register: number; readonly displacement: bigint }
);

const mostArguments = 12;
const entryArgumentSize = 16;
const cookieAt = mostArguments * entryArgumentSize;
const countAt = cookieAt + 8;
/** Behind the count the compiler leaves 6 bytes, where netkit marks an entry that is in use. */
const markAt = countAt + 4;
/** The width of one entry of the table. */
export const usdtEntrySize = countAt + 8;

// arch/x86/include/asm/ptrace.h: struct pt_regs, in words of 8 bytes, each with the names of its parts.
const x86Registers = [
  ['r15'],
  ['r14'],
  ['r13'],
  ['r12'],
  ['rbp', 'ebp', 'bp', 'bpl'],
  ['rbx', 'ebx', 'bx', 'bl'],
  ['r11'],
  ['r10'],
  ['r9'],
  ['r8'],
  ['rax', 'eax', 'ax', 'al'],
  ['rcx', 'ecx', 'cx', 'cl'],
  ['rdx', 'edx', 'dx', 'dl'],
  ['rsi', 'esi', 'si', 'sil'],
  ['rdi', 'edi', 'di', 'dil'],
  ['orig_rax'],
  ['rip', 'eip'],
  ['cs'],
  ['eflags'],
  ['rsp', 'esp', 'sp', 'spl'],
] as const;

function x86Register(name: string): number | undefined {
  const whole = /^(r(?:8|9|1[0-5]))[dwb]?$/.exec(name)?.[1] ?? name;
  const index = x86Registers.findIndex((names) => names.some((each) => each === whole));
  return index < 0 ? undefined : index * 8;
}

function armRegister(name: string): number | undefined {
  if (name === 'sp') return 31 * 8;
  const number = Number(/^[xw](\d|[12]\d|30)$/.exec(name)?.[1] ?? Number.NaN);
  return Number.isNaN(number) ? undefined : number * 8;
}

interface Notation {
  readonly constant: RegExp;
  readonly register: RegExp;
  /** Groups `displacement` and `register`. */
  readonly memory: RegExp;
  readonly find: (name: string) => number | undefined;
}

const notations: Readonly<Record<number, Notation>> = {
  62: {
    constant: /^\$(-?\w+)$/,
    register: /^%(\w+)$/,
    memory: /^(?<displacement>[-+]?\w+)?\(%(?<register>\w+)\)$/,
    find: x86Register,
  },
  183: {
    constant: /^(-?\d\w*)$/,
    register: /^([xw]\d+|sp)$/,
    memory: /^\[(?<register>\w+)(?:, *(?<displacement>-?\w+))?\]$/,
    find: armRegister,
  },
};

/**
 * Reads the arguments of a note: `-4@%eax 8@-16(%rbp) 4@$7`; the size is negative for signed ones.
 * @param machine `e_machine` of the binary
 * @throws NetkitError `unsupported` for a way of passing an argument that is not known, naming it
 */
export function parseUsdtArguments(text: string, machine: number): UsdtArgument[] {
  // A comma within brackets may have a blank behind it.
  const words = text.match(/-?\d+@(?:\[[^\]]*\]|\S+)/g) ?? [];
  if (words.join('').replaceAll(' ', '') !== text.replaceAll(' ', '')) throw unknownArgument(text);
  if (words.length > mostArguments) throw unknownArgument(`${words.length} arguments`);
  return words.map((word) => parseArgument(word, machine));
}

function parseArgument(word: string, machine: number): UsdtArgument {
  const notation = notations[machine];
  const [, sizeText = '', place = ''] = /^(-?\d+)@(.+)$/.exec(word) ?? [];
  const size = Math.abs(Number(sizeText));
  if (notation === undefined || ![1, 2, 4, 8].includes(size)) throw unknownArgument(word);
  const common = { size, signed: sizeText.startsWith('-') };
  const constant = notation.constant.exec(place)?.[1];
  if (constant !== undefined) return { ...common, kind: 'constant', value: integer(constant, word) };
  const inMemory = notation.memory.exec(place)?.groups;
  const name = inMemory?.['register'] ?? notation.register.exec(place)?.[1];
  const register = name === undefined ? undefined : notation.find(name);
  if (register === undefined) throw unknownArgument(word);
  if (inMemory === undefined) return { ...common, kind: 'register', register };
  const displacement = integer(inMemory['displacement'] ?? '0', word);
  return { ...common, kind: 'memory', register, displacement };
}

function integer(text: string, word: string): bigint {
  const [, sign, digits = ''] = /^([-+]?)(0x[0-9a-f]+|\d+)$/i.exec(text) ?? [];
  if (digits === '') throw unknownArgument(word);
  return sign === '-' ? -BigInt(digits) : BigInt(digits);
}

function unknownArgument(word: string): NetkitError {
  return new NetkitError('unsupported', `netkit does not know how a probe passes '${word}'`);
}

// enum __bpf_usdt_arg_type
const kinds = { constant: 0, register: 1, memory: 2 } as const;

/** The entry of libbpf's table for one place of a probe. */
export function usdtEntry(list: readonly UsdtArgument[], cookie: bigint): Uint8Array {
  const bytes = new Uint8Array(usdtEntrySize);
  const view = new DataView(bytes.buffer);
  for (const [index, argument] of list.entries()) {
    const at = index * entryArgumentSize;
    const value =
      argument.kind === 'constant' ? argument.value : argument.kind === 'memory' ? argument.displacement : 0n;
    view.setBigUint64(at, BigInt.asUintN(64, value), hostIsLittleEndian);
    view.setUint32(at + 8, kinds[argument.kind], hostIsLittleEndian);
    view.setInt16(at + 12, argument.kind === 'constant' ? 0 : argument.register, hostIsLittleEndian);
    view.setUint8(at + 14, argument.signed ? 1 : 0);
    view.setUint8(at + 15, 64 - argument.size * 8);
  }
  view.setBigUint64(cookieAt, cookie, hostIsLittleEndian);
  view.setInt16(countAt, list.length, hostIsLittleEndian);
  view.setUint8(markAt, 1);
  return bytes;
}

/** Whether an entry of the table is taken: one that netkit filled is never all zero. */
export function isUsdtEntryUsed(entry: Uint8Array): boolean {
  return entry.some((byte) => byte !== 0);
}
