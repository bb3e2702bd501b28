/** What an instruction does: its bits sorted by meaning (kernel: Documentation/bpf/standardization/instruction-set.rst). */
/** Bits of a register that take part. */
export type Width = 32 | 64;
/** Bytes in memory. */
export type Size = 1 | 2 | 4 | 8;
/** A register by its number, or a number. */
export type Operand = { readonly register: number } | { readonly value: number };

export const arithmeticOperators = [
  '+',
  '-',
  '*',
  '/',
  '|',
  '&',
  '<<',
  '>>',
  '%',
  '^',
  's>>',
  's/',
  's%',
] as const;
export type ArithmeticOperator = (typeof arithmeticOperators)[number];
export type Comparison = '==' | '>' | '>=' | '&' | '!=' | 's>' | 's>=' | '<' | '<=' | 's<' | 's<=';
export type AtomicOperator = 'add' | 'or' | 'and' | 'xor';

/** What the 64-bit constant stands for. */
export type Constant =
  | { readonly of: 'number'; readonly value: bigint }
  /** `map` is a descriptor, an index or, of a loaded program, an id: see `indexed`. */
  | { readonly of: 'map'; readonly map: number; readonly indexed: boolean }
  | { readonly of: 'map-value'; readonly map: number; readonly offset: number; readonly indexed: boolean }
  /** A variable of the kernel, by its BTF id and the descriptor of a module's BTF. */
  | { readonly of: 'kernel-variable'; readonly type: number; readonly btf: number }
  /** The function at that slot. */
  | { readonly of: 'function'; readonly target: number };

export type Operation =
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly width: Width;
      readonly register: number;
      readonly operand: Operand;
    }
  | {
      readonly kind: 'move';
      readonly width: Width;
      readonly register: number;
      readonly operand: Operand;
      /** Bits that are kept and extended by their sign. */
      readonly signExtend: 8 | 16 | 32 | undefined;
    }
  | { readonly kind: 'negate'; readonly width: Width; readonly register: number }
  | {
      readonly kind: 'swap';
      readonly order: 'be' | 'le' | 'bswap';
      readonly bits: number;
      readonly register: number;
    }
  | {
      readonly kind: 'address-space-cast';
      readonly register: number;
      readonly from: number;
      readonly target: number;
      readonly source: number;
    }
  | { readonly kind: 'per-cpu-address'; readonly register: number; readonly source: number }
  | { readonly kind: 'constant'; readonly register: number; readonly constant: Constant }
  | {
      readonly kind: 'load';
      readonly size: Size;
      readonly signed: boolean;
      readonly register: number;
      readonly base: number;
      readonly offset: number;
    }
  | {
      readonly kind: 'store';
      readonly size: Size;
      readonly base: number;
      readonly offset: number;
      readonly operand: Operand;
    }
  | {
      readonly kind: 'atomic';
      readonly operator: AtomicOperator | 'exchange' | 'compare-exchange';
      readonly fetch: boolean;
      readonly size: Size;
      readonly base: number;
      readonly offset: number;
      readonly register: number;
    }
  | {
      readonly kind: 'load-acquire' | 'store-release';
      readonly size: Size;
      readonly base: number;
      readonly offset: number;
      readonly register: number;
    }
  /** Bytes of a packet, the old way. */
  | {
      readonly kind: 'packet';
      readonly size: Size;
      readonly offset: number;
      readonly register: number | undefined;
    }
  | { readonly kind: 'barrier' }
  | {
      readonly kind: 'jump';
      readonly distance: number;
      /** `gotol`: the distance is in the 32-bit part. */
      readonly long: boolean;
    }
  | { readonly kind: 'may-goto'; readonly distance: number }
  | { readonly kind: 'indirect-jump'; readonly register: number }
  | {
      readonly kind: 'branch';
      readonly comparison: Comparison;
      readonly width: Width;
      readonly register: number;
      readonly operand: Operand;
      readonly distance: number;
    }
  | { readonly kind: 'helper-call'; readonly helper: number }
  | { readonly kind: 'kernel-call'; readonly type: number; readonly btf: number }
  | { readonly kind: 'subprogram-call'; readonly distance: number }
  | { readonly kind: 'tail-call' }
  | { readonly kind: 'indirect-call'; readonly register: number }
  | { readonly kind: 'exit' }
  | { readonly kind: 'unknown' };
