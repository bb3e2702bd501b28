/** Instructions as text, in the words of the verifier's log, with names in place of numbers where they are known. */
import type { Instruction } from './instruction.js';
import { operationOf, targetOf } from './meaning.js';
import type { Constant, Operand, Operation, Width } from './operation.js';

/** Where names come from; without one a number is shown. */
export interface CodeNames {
  readonly helper?: ((instruction: Instruction) => string | undefined) | undefined;
  /** A kfunc, or a helper that the verifier replaced. */
  readonly kernelFunction?: ((instruction: Instruction) => string | undefined) | undefined;
  /** The function that begins at a slot. */
  readonly functionAt?: ((slot: number) => string | undefined) | undefined;
  readonly map?: ((instruction: Instruction) => string | undefined) | undefined;
  /** What lies at an address of the kernel. */
  readonly address?: ((instruction: Instruction, value: bigint) => string | undefined) | undefined;
  /** The slot at which a called function begins; what the instruction says by itself when left out. */
  readonly callee?: ((instruction: Instruction, distance: number) => number | undefined) | undefined;
}

/** The text of an instruction, such as `r1 = *(u32 *)(r6 +16)` or `if r1 == 0x0 goto pc+3 <12>`. Never throws. */
export function instructionText(instruction: Instruction, names: CodeNames = {}): string {
  return textOf(instruction, operationOf(instruction), names);
}

const register = (number: number, width: Width = 64): string => `${width === 64 ? 'r' : 'w'}${number}`;
const signed = (value: number): string => (value < 0 ? String(value) : `+${value}`);
const place = (bytes: number, base: number, offset: number, sign = 'u'): string =>
  `*(${sign}${bytes * 8} *)(r${base} ${signed(offset)})`;

function operandText(operand: Operand, width: Width): string {
  return 'register' in operand ? register(operand.register, width) : String(operand.value);
}

function textOf(instruction: Instruction, operation: Operation, names: CodeNames): string {
  switch (operation.kind) {
    case 'arithmetic': {
      const { operator, width, operand } = operation;
      return `${register(operation.register, width)} ${operator}= ${operandText(operand, width)}`;
    }
    case 'move': {
      const { width, operand, signExtend } = operation;
      const cast = signExtend === undefined ? '' : `(s${signExtend})`;
      return `${register(operation.register, width)} = ${cast}${operandText(operand, width)}`;
    }
    case 'negate': {
      const name = register(operation.register, operation.width);
      return `${name} = -${name}`;
    }
    case 'swap': {
      const name = register(operation.register);
      return `${name} = ${operation.order}${operation.bits} ${name}`;
    }
    case 'address-space-cast': {
      const { source, target, from } = operation;
      return `${register(operation.register)} = addr_space_cast(r${source}, ${target}, ${from})`;
    }
    case 'per-cpu-address':
      return `${register(operation.register)} = &(void __percpu *)(r${operation.source})`;
    case 'constant':
      return `${register(operation.register)} = ${constantText(instruction, operation.constant, names)}`;
    case 'load': {
      const { size, base, offset } = operation;
      return `${register(operation.register)} = ${place(size, base, offset, operation.signed ? 's' : 'u')}`;
    }
    case 'store': {
      const { size, base, offset, operand } = operation;
      return `${place(size, base, offset)} = ${operandText(operand, 64)}`;
    }
    case 'atomic':
    case 'load-acquire':
    case 'store-release':
      return atomicText(operation);
    case 'packet': {
      const { size, offset } = operation;
      const at = operation.register === undefined ? String(offset) : `r${operation.register} + ${offset}`;
      return `r0 = *(u${size * 8} *)skb[${at}]`;
    }
    case 'barrier':
      return 'nospec';
    case 'jump':
      return `${operation.long ? 'gotol' : 'goto'} ${jumpText(instruction, operation)}`;
    case 'may-goto':
      return `may_goto ${jumpText(instruction, operation)}`;
    case 'indirect-jump':
      return `gotox ${register(operation.register)}`;
    case 'branch': {
      const { comparison, width, operand } = operation;
      const right =
        'register' in operand ? register(operand.register, width) : `0x${(operand.value >>> 0).toString(16)}`;
      return `if ${register(operation.register, width)} ${comparison} ${right} goto ${jumpText(instruction, operation)}`;
    }
    case 'helper-call':
      return `call ${names.helper?.(instruction) ?? `helper#${operation.helper}`}`;
    case 'kernel-call':
      return `call ${names.kernelFunction?.(instruction) ?? `kernel-function#${operation.type}`}`;
    case 'subprogram-call':
      return `call ${calleeText(instruction, operation.distance, names)}`;
    case 'tail-call':
      return 'call bpf_tail_call';
    case 'indirect-call':
      return `callx ${register(operation.register)}`;
    case 'exit':
      return 'exit';
    case 'unknown':
      return `unknown ${Buffer.from(instruction.bytes).toString('hex')}`;
  }
}

function jumpText(instruction: Instruction, operation: Operation & { distance: number }): string {
  return `pc${signed(operation.distance)} <${targetOf(instruction, operation)}>`;
}

function calleeText(instruction: Instruction, distance: number, names: CodeNames): string {
  const slot =
    names.callee === undefined ? instruction.index + 1 + distance : names.callee(instruction, distance);
  const name = slot === undefined ? undefined : names.functionAt?.(slot);
  // In an object file a call of a kernel function looks like one of a subprogram.
  if (slot === undefined) return names.kernelFunction?.(instruction) ?? `pc${signed(distance)}`;
  return name === undefined ? `pc${signed(distance)} <${slot}>` : `${name} <${slot}>`;
}

function constantText(instruction: Instruction, constant: Constant, names: CodeNames): string {
  switch (constant.of) {
    case 'number': {
      const name = names.address?.(instruction, constant.value);
      return `0x${constant.value.toString(16)}${name === undefined ? '' : ` <${name}>`}`;
    }
    case 'map':
    case 'map-value': {
      const number = constant.indexed ? `index:${constant.map}` : `id:${constant.map}`;
      const map = `map[${names.map?.(instruction) ?? number}]`;
      return constant.of === 'map' ? map : `${map}[0]+${constant.offset}`;
    }
    case 'kernel-variable':
      return names.address?.(instruction, 0n) ?? `kernel-variable#${constant.type}`;
    case 'function': {
      const slot =
        names.callee === undefined ? constant.target : names.callee(instruction, instruction.immediate);
      const name = slot === undefined ? undefined : names.functionAt?.(slot);
      return `function ${name ?? ''}<${slot ?? constant.target}>`.replace(/(\w)</, '$1 <');
    }
  }
}

function atomicText(
  operation: Extract<Operation, { kind: 'atomic' | 'load-acquire' | 'store-release' }>,
): string {
  const { size, base, offset } = operation;
  const source = register(operation.register);
  const where = `(u${size * 8} *)(r${base} ${signed(offset)})`;
  if (operation.kind !== 'atomic') {
    return operation.kind === 'load-acquire'
      ? `${source} = load_acquire(${where})`
      : `store_release(${where}, ${source})`;
  }
  const prefix = size === 8 ? 'atomic64' : 'atomic';
  switch (operation.operator) {
    case 'exchange':
      return `${source} = ${prefix}_xchg(${where}, ${source})`;
    case 'compare-exchange':
      return `r0 = ${prefix}_cmpxchg(${where}, r0, ${source})`;
    default: {
      if (operation.fetch) return `${source} = ${prefix}_fetch_${operation.operator}(${where}, ${source})`;
      return `lock *${where} ${lockOperators[operation.operator]} ${source}`;
    }
  }
}

const lockOperators = { add: '+=', or: '|=', and: '&=', xor: '^=' } as const;
