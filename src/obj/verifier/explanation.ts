/** What an explanation of a refusal says, and what it is made from. */
import type { SourceLine } from '../source-lines.js';
import type { VerifierLog } from './log.js';
import type { RegisterState } from './registers.js';

/** The commonest reasons for which the verifier refuses a program. */
export const refusalRules = [
  'packet-bounds',
  'null-pointer',
  'map-value-bounds',
  'stack-uninitialised',
  'stack-bounds',
  'stack-limit',
  'register-uninitialised',
  'scalar-as-pointer',
  'endless-loop',
  'too-complex',
  'helper-not-allowed',
  'helper-argument',
  'context-access',
  'return-value',
  'pointer-arithmetic',
  'reference-leak',
  'spin-lock',
  'unbounded-length',
  'read-only',
  'gpl-only',
] as const;

export type RefusalRule = (typeof refusalRules)[number];

/** A function of a program, as the verifier counts its instructions: the program first, then those that it calls. */
export interface PlacedFunction {
  readonly name: string;
  /** Index of its first instruction. */
  readonly first: number;
  /** Index behind its last. */
  readonly end: number;
  /** Calls of functions of the program: where, and the index of the function in the list. */
  readonly calls: readonly { readonly at: number; readonly target: number }[];
  /** Calls of the kernel's helpers, by name. */
  readonly helpers: readonly { readonly at: number; readonly name: string }[];
  /** Where it may go other than on to the next instruction. */
  readonly jumps: readonly { readonly at: number; readonly to: number }[];
}

/** What is known of the program beside the log. */
export interface ExplanationContext {
  /** The kernel's word, such as `xdp`. */
  readonly programType: string;
  readonly functions: readonly PlacedFunction[];
  /** Where an instruction comes from. */
  line(instruction: number): SourceLine | undefined;
  /** The lines of a source file, where it can be read. */
  source?(file: string): readonly string[] | undefined;
}

/** A register that matters for the refusal. */
export interface ExplainedRegister {
  /** `R3` */
  readonly name: string;
  /** As the verifier prints it. */
  readonly state: string;
  /** «R3 is a packet pointer with 0 bytes checked» */
  readonly words: string;
}

/** Another line that has to do with a refusal. */
export interface RelatedPlace {
  readonly place: SourceLine;
  /** What is there, to be read after «line N:». */
  readonly about: string;
}

export interface Explanation {
  readonly rule: RefusalRule;
  /** What is wrong, without a full stop. */
  readonly message: string;
  /** How such code is usually mended. */
  readonly mend: string;
  readonly registers: readonly ExplainedRegister[];
  /** The line to look at, in the program's own file where there is one. */
  readonly place: SourceLine | undefined;
  /** Further lines: of a function in a header that the compiler put there, or where a path ends. */
  readonly related: readonly RelatedPlace[];
  /** The verifier's own sentence. */
  readonly reason: string;
  /** The refused instruction, where it is one. */
  readonly instruction: number | undefined;
}

/** What the rules see. */
export interface Scene {
  readonly log: VerifierLog;
  readonly context: ExplanationContext;
  /** Of the refused instruction, as the verifier prints it; empty when there is none. */
  readonly text: string;
  /** `bpf_map_lookup_elem`, when the refused instruction calls a helper. */
  readonly helper: string | undefined;
  /** @param number of the register, as a pattern found it */
  register(number: string | undefined): RegisterState | undefined;
}

/** What a rule finds. */
export interface Finding {
  readonly rule: RefusalRule;
  readonly message: string;
  readonly mend: string;
  /** Names of the registers that matter. */
  readonly registers?: readonly string[];
  /** The instruction to look at, when it is not the refused one. */
  readonly at?: number | undefined;
  /** The line to look at, when no instruction has it. */
  readonly line?: SourceLine | undefined;
  readonly related?: readonly { readonly at: number; readonly about: string }[];
}

/** One form of a refusal. */
export interface Form {
  /** Matched against the verdict, whose lines it may take together. */
  readonly pattern: RegExp;
  /** Returns nothing when it is something else after all. */
  find(match: RegExpExecArray, scene: Scene): Finding | undefined;
}
