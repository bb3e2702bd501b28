/** From the bits of an instruction to what it does. */
import { type Instruction, wideConstant } from './instruction.js';
import type {
  ArithmeticOperator,
  AtomicOperator,
  Comparison,
  Constant,
  Operand,
  Operation,
  Size,
  Width,
} from './operation.js';

const arithmetic: Readonly<Record<number, ArithmeticOperator>> = {
  0: '+',
  16: '-',
  32: '*',
  48: '/',
  64: '|',
  80: '&',
  96: '<<',
  112: '>>',
  144: '%',
  160: '^',
  192: 's>>',
};
const comparisons: Readonly<Record<number, Comparison>> = {
  16: '==',
  32: '>',
  48: '>=',
  64: '&',
  80: '!=',
  96: 's>',
  112: 's>=',
  160: '<',
  176: '<=',
  192: 's<',
  208: 's<=',
};
const atomics: Readonly<Record<number, AtomicOperator>> = { 0: 'add', 64: 'or', 80: 'and', 160: 'xor' };

const sizes: readonly Size[] = [4, 2, 1, 8];
const sizeOf = (opcode: number): Size => sizes[(opcode >> 3) & 3] ?? 8;
const unknown: Operation = { kind: 'unknown' };

/** The meaning of an instruction; `unknown` where it has none. Never throws. */
export function operationOf(instruction: Instruction): Operation {
  switch (instruction.opcode & 7) {
    case 0:
      return loadSpecial(instruction);
    case 1:
      return load(instruction);
    case 2:
      return storeImmediate(instruction);
    case 3:
      return storeRegister(instruction);
    case 4:
      return compute(instruction, 32);
    case 7:
      return compute(instruction, 64);
    case 5:
      return jump(instruction, 64);
    default:
      return jump(instruction, 32);
  }
}

/** The slot that a jump or branch may go to. */
export function targetOf(instruction: Instruction, operation: Operation): number | undefined {
  const jumps = operation.kind === 'jump' || operation.kind === 'branch' || operation.kind === 'may-goto';
  return jumps ? instruction.index + 1 + operation.distance : undefined;
}

function operandOf({ opcode, source, immediate }: Instruction): Operand {
  return (opcode & 8) === 0 ? { value: immediate } : { register: source };
}

function compute(instruction: Instruction, width: Width): Operation {
  const { opcode, destination: register, source, offset, immediate } = instruction;
  const operand = operandOf(instruction);
  const byRegister = (opcode & 8) !== 0;
  switch (opcode & 0xf0) {
    case 0x80:
      return byRegister ? unknown : { kind: 'negate', width, register };
    case 0xb0:
      if (byRegister && width === 64 && offset === 1) {
        const [target, from] = [immediate >>> 16, immediate & 0xffff];
        return { kind: 'address-space-cast', register, source, from, target };
      }
      if (byRegister && width === 64 && offset === -1) return { kind: 'per-cpu-address', register, source };
      if (offset === 0) return { kind: 'move', width, register, operand, signExtend: undefined };
      if (byRegister && (offset === 8 || offset === 16 || (offset === 32 && width === 64)))
        return { kind: 'move', width, register, operand, signExtend: offset };
      return unknown;
    case 0xd0:
      if (width === 64) return byRegister ? unknown : swap('bswap', immediate, register);
      return swap(byRegister ? 'be' : 'le', immediate, register);
    default: {
      const operator = arithmetic[opcode & 0xf0];
      if (operator === undefined) return unknown;
      const signed = offset === 1 && (operator === '/' || operator === '%');
      if (!signed && offset !== 0) return unknown;
      return { kind: 'arithmetic', operator: signed ? `s${operator}` : operator, width, register, operand };
    }
  }
}

function swap(order: 'be' | 'le' | 'bswap', bits: number, register: number): Operation {
  return bits === 16 || bits === 32 || bits === 64 ? { kind: 'swap', order, bits, register } : unknown;
}

function loadSpecial(instruction: Instruction): Operation {
  const { opcode, source, immediate, slots } = instruction;
  const size = sizeOf(opcode);
  switch (opcode & 0xe0) {
    case 0x00:
      return size === 8 && slots === 2 ? constant(instruction) : unknown;
    case 0x20:
      return size === 8 ? unknown : { kind: 'packet', size, offset: immediate, register: undefined };
    case 0x40:
      return size === 8 ? unknown : { kind: 'packet', size, offset: immediate, register: source };
    default:
      return unknown;
  }
}

function constant(instruction: Instruction): Operation {
  const { destination: register, source, immediate, high, index } = instruction;
  const made = (value: Constant): Operation => ({ kind: 'constant', register, constant: value });
  switch (source) {
    case 0:
      return made({ of: 'number', value: wideConstant(instruction) });
    case 1:
    case 5:
      return made({ of: 'map', map: immediate, indexed: source === 5 });
    case 2:
    case 6:
      return made({ of: 'map-value', map: immediate, offset: high >>> 0, indexed: source === 6 });
    case 3:
      return made({ of: 'kernel-variable', type: immediate, btf: high });
    case 4:
      return made({ of: 'function', target: index + 1 + immediate });
    default:
      return unknown;
  }
}

// Beside their own modes, loads and stores have those that the kernel gives to accesses which may fault: of a loaded
// program some kernels show them.

function load({ opcode, destination: register, source: base, offset }: Instruction): Operation {
  const size = sizeOf(opcode);
  switch (opcode & 0xe0) {
    case 0x20:
    case 0x60:
    case 0xa0:
      return { kind: 'load', size, signed: false, register, base, offset };
    case 0x40:
    case 0x80:
    case 0xc0:
      return size === 8 ? unknown : { kind: 'load', size, signed: true, register, base, offset };
    default:
      return unknown;
  }
}

function storeImmediate({ opcode, destination: base, offset, immediate }: Instruction): Operation {
  switch (opcode & 0xe0) {
    case 0x60:
    case 0xa0:
      return { kind: 'store', size: sizeOf(opcode), base, offset, operand: { value: immediate } };
    case 0xc0:
      return opcode === 0xc2 ? { kind: 'barrier' } : unknown;
    default:
      return unknown;
  }
}

function storeRegister(instruction: Instruction): Operation {
  const { opcode, destination: base, source, offset } = instruction;
  switch (opcode & 0xe0) {
    case 0x60:
    case 0xa0:
      return { kind: 'store', size: sizeOf(opcode), base, offset, operand: { register: source } };
    case 0xc0:
    case 0xe0:
      return atomic(instruction);
    default:
      return unknown;
  }
}

const fetchFlag = 1;

function atomic({ opcode, destination, source, offset, immediate }: Instruction): Operation {
  const size = sizeOf(opcode);
  if (immediate === 0x100) return { kind: 'load-acquire', size, base: source, offset, register: destination };
  const at = { size, base: destination, offset, register: source };
  if (immediate === 0x110) return { kind: 'store-release', ...at };
  if (size < 4) return unknown;
  if (immediate === 0xe1) return { kind: 'atomic', operator: 'exchange', fetch: true, ...at };
  if (immediate === 0xf1) return { kind: 'atomic', operator: 'compare-exchange', fetch: true, ...at };
  const operator = atomics[immediate & ~fetchFlag];
  return operator === undefined
    ? unknown
    : { kind: 'atomic', operator, fetch: (immediate & fetchFlag) !== 0, ...at };
}

function jump(instruction: Instruction, width: Width): Operation {
  const { opcode, destination, offset, immediate } = instruction;
  const byRegister = (opcode & 8) !== 0;
  switch (opcode & 0xf0) {
    case 0x00:
      if (width === 32) return byRegister ? unknown : { kind: 'jump', distance: immediate, long: true };
      return byRegister
        ? { kind: 'indirect-jump', register: destination }
        : { kind: 'jump', distance: offset, long: false };
    case 0x80:
      return width === 32 ? unknown : call(instruction);
    case 0x90:
      return width === 64 && !byRegister ? { kind: 'exit' } : unknown;
    case 0xe0:
      return width === 64 && !byRegister ? { kind: 'may-goto', distance: offset } : unknown;
    case 0xf0:
      return width === 64 && !byRegister ? { kind: 'tail-call' } : unknown;
    default: {
      const comparison = comparisons[opcode & 0xf0];
      if (comparison === undefined) return unknown;
      const operand = operandOf(instruction);
      return { kind: 'branch', comparison, width, register: destination, operand, distance: offset };
    }
  }
}

function call({ opcode, destination, source, offset, immediate }: Instruction): Operation {
  if ((opcode & 8) !== 0) return { kind: 'indirect-call', register: destination };
  switch (source) {
    case 0:
      return { kind: 'helper-call', helper: immediate };
    case 1:
      return { kind: 'subprogram-call', distance: immediate };
    case 2:
      return { kind: 'kernel-call', type: immediate, btf: offset };
    default:
      return unknown;
  }
}
