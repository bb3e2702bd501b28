/** Reads a verifier log: the way that led to a refusal, what was known of the registers there, and the verdict. */

import { checkedBytes, type RegisterState, readRegister, readRegisters } from './registers.js';
import { movesPacket } from './stale-pointers.js';
import { readStatistics } from './statistics.js';

/** Where in the source the log itself says that something happened. */
export interface LoggedPlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The text of the line. */
  readonly source: string;
}

/** An instruction that the verifier went through. */
export interface Step {
  /** Counted from the start of the program; subprograms follow it. */
  readonly index: number;
  /** As the verifier prints it: `r1 = *(u8 *)(r1 +12)`. */
  readonly text: string;
  /** How many calls deep: 0 in the program itself. */
  readonly frame: number;
}

export interface VerifierLog {
  /** The verifier's own sentence. */
  readonly reason: string;
  /** All that it said after the last instruction, the sentence among it. */
  readonly verdict: readonly string[];
  /** The way to the refusal, the refused instruction last. */
  readonly steps: readonly Step[];
  /** What was known before the refused instruction, by name. */
  readonly registers: ReadonlyMap<string, RegisterState>;
  /** Bytes of stack of each function, where the log has the statistics. */
  readonly stackDepths: readonly number[];
  /** From the last `; source @ file:line` comment, which kernels from 6.9 on print. */
  readonly place: LoggedPlace | undefined;
}

/** Lines that the verifier prints after its verdict, or as a summary. */
const trailer =
  /^(processed \d+ insns|verification time|stack depth|insns processed|max_states|mark_precise|-- (BEGIN|END))/;
const stepLine = /^(\d+): \(([0-9a-f]{2})\) (.*)$/;
/** `3: R1=ctx() R10=fp0`, `from 5 to 8: R0=…`, ` frame1: R1=…`, ` R6=…` */
const stateLine = /^\s*(?:(?:from (\d+) to (\d+)|(\d+)):\s*)?(?:frame(\d+):\s*)?(?=R\d+(?:_[a-z]+)?=)/;
const bareStart = /^(?:from \d+ to \d+|\d+):\s*(?:frame\d+:)?\s*(?:safe)?$/;
/** On a jump's line follows the state of where it leads. */
const stateAfterJump = / (\d+): (?:frame(\d+): )?(?=R\d+(?:_[a-z]+)?=)/;
const sourceComment = /^; (.*?)(?: @ (.+?):(\d+))?$/;
/** History and summaries that come with a verdict but are not it. */
const noise =
  /^(fp-\d+|frame\d+:?\s*$|func#|Live regs before|\s+\d+: [.0-9]{10} |(?:cur|old) state:|caller:|callee:|returning from callee|to caller at|last_idx|regs=|parent |propagating |arg#\d+ reference|Validating |Func#\d+ is safe|func \w+ is global and|\s*$)/;
/** After a jump the kernel ends the line only together with what comes next: a verdict then follows the instruction. */
const jumpWithVerdict =
  /^((?:if .+? |may_)?goto[lx]? ?(?:pc[+-]?\d+|[+-]?\d+|or_nop pc[+-]\d+))\s+([A-Za-z].*)$/;
/** Says once more, and less, what the line before has said. */
const echo = /^R\d+ (min value|max value|offset) is outside of/;
const helperCall = /^call (?!pc[+-])/;

/** @param log without libbpf's framing */
export function readLog(log: string): VerifierLog {
  return new LogReader().read(log);
}

class LogReader {
  readonly #steps: Step[] = [];
  readonly #frames = new Map<number, Map<string, RegisterState>>();
  #frame = 0;
  #verdict: string[] = [];
  #place: LoggedPlace | undefined;
  /** What the last instruction does to registers is known only when its line ends: it is the refused one if it does not. */
  #pending: (() => void) | undefined;

  read(log: string): VerifierLog {
    for (const raw of log.split('\n')) this.#line(raw.trimEnd());
    const verdict = this.#verdict;
    return {
      reason: verdict.findLast((line, at) => at === 0 || !echo.test(line)) ?? 'it gave no reason',
      verdict,
      steps: this.#steps,
      registers: this.#frames.get(this.#frame) ?? new Map(),
      stackDepths: readStatistics(log).stackDepths,
      place: this.#place,
    };
  }

  #line(line: string): void {
    if (line === '' || trailer.test(line)) return;
    const step = stepLine.exec(line);
    if (step !== null) return this.#step(Number(step[1]), step[3] ?? '');
    const state = stateLine.exec(line);
    if (state !== null) return this.#state(line, state);
    const comment = sourceComment.exec(line);
    if (comment !== null) {
      const [, source = '', file, number] = comment;
      if (file !== undefined && number === '0') return;
      this.#place = file === undefined ? undefined : { file, line: Number(number), source };
      return;
    }
    if (bareStart.test(line) || noise.test(line)) return;
    this.#verdict.push(line);
  }

  #step(index: number, rest: string): void {
    this.#settle();
    this.#follow(index);
    this.#verdict = [];
    const [body = '', ...notes] = rest.split(/\s+; (?=frame\d+:|R\d|fp-|refs=|cb|$)/);
    const jumped = stateAfterJump.exec(body);
    const plain = (jumped === null ? body : body.slice(0, jumped.index)).replace(/ ; .*$/, '').trim();
    const [, jump, verdict] = jumpWithVerdict.exec(plain) ?? [];
    if (verdict !== undefined) this.#verdict.push(verdict);
    const text = jump ?? plain;
    this.#steps.push({ index, text, frame: this.#frame });
    const states = notes.join(' ');
    const frame = this.#frame;
    this.#pending = () => {
      const registers = this.#registers(frame);
      if (helperCall.test(text)) for (const name of ['R1', 'R2', 'R3', 'R4', 'R5']) registers.delete(name);
      if (movesPacket.test(text)) this.#forgetPacket();
      for (const [name, state] of readRegisters(states)) {
        shareWithCopies(registers, registers.get(name), state);
        registers.set(name, state);
      }
      if (jumped === null) return;
      this.#frame = Number(jumped[2] ?? 0);
      this.#frames.set(this.#frame, readRegisters(body.slice(jumped.index)));
    };
    // Only what went well has its effects on the line.
    if (states !== '' || jumped !== null) this.#settle();
  }

  #settle(): void {
    this.#pending?.();
    this.#pending = undefined;
  }

  /** All registers of a frame. */
  #state(line: string, [whole, from, , at, frame]: RegExpExecArray): void {
    // The states that a verdict comes with are those before the refused instruction.
    if (
      this.#pending !== undefined &&
      (at === undefined || Number(at) === this.#steps.at(-1)?.index) &&
      from === undefined
    ) {
      if (this.#verdict.length > 0 || !this.#isCall()) {
        this.#frames.set(this.#frame, new Map([...this.#registers(this.#frame), ...readRegisters(line)]));
        return;
      }
    }
    this.#settle();
    if (from !== undefined) this.#backTo((index) => index === Number(from));
    else if (at !== undefined) this.#follow(Number(at));
    if (at !== undefined || from !== undefined) this.#verdict = [];
    this.#frame = Number(frame ?? 0);
    this.#frames.set(this.#frame, readRegisters(line.slice(whole.length)));
  }

  #isCall(): boolean {
    return /^(call|exit)/.test(this.#steps.at(-1)?.text ?? '');
  }

  /** The kernel does not print registers that a call made worthless. */
  #forgetPacket(): void {
    for (const registers of this.#frames.values()) {
      for (const { name, type } of [...registers.values()])
        if (type.startsWith('pkt')) registers.set(name, readRegister(name, 'scalar()'));
    }
  }

  /** Kernels before 5.17 do not say in a log of all ways where a way begins that is looked at later. */
  #follow(next: number): void {
    const last = this.#steps.at(-1);
    if (last === undefined || mayFollow(last, next)) return;
    this.#backTo((index, text) => jumpTarget(index, text) === next);
  }

  /** A log of all ways goes on at a branch: the way to it is what counts. */
  #backTo(isBranch: (index: number, text: string) => boolean): void {
    const last = this.#steps.findLastIndex(({ index, text }) => isBranch(index, text));
    if (last >= 0) this.#steps.length = last + 1;
  }

  #registers(frame: number): Map<string, RegisterState> {
    const registers = this.#frames.get(frame) ?? new Map<string, RegisterState>();
    this.#frames.set(frame, registers);
    return registers;
  }
}

function jumpTarget(index: number, text: string): number | undefined {
  const distance = /\b(?:goto|call) pc([+-]\d+)/.exec(text)?.[1];
  return distance === undefined ? undefined : index + 1 + Number(distance);
}

function mayFollow({ index, text, frame }: Step, next: number): boolean {
  if (text.startsWith('exit')) return frame > 0;
  // A 64-bit constant takes two slots.
  return next === index + 1 || next === index + 2 || jumpTarget(index, text) === next;
}

/**
 * What a comparison tells of one pointer holds for its copies, which have the same id; the verifier prints only those that
 * the instruction names.
 */
function shareWithCopies(
  registers: Map<string, RegisterState>,
  before: RegisterState | undefined,
  now: RegisterState,
): void {
  const idOf = ({ fields }: RegisterState): string => fields.get('id') ?? '0';
  if (before === undefined || idOf(before) !== idOf(now) || now.type === 'scalar') return;
  const checked = now.type === 'pkt' ? checkedBytes(now) : undefined;
  for (const other of [...registers.values()]) {
    if (other.name === now.name || idOf(other) !== idOf(now)) continue;
    if (checked !== undefined && other.type === 'pkt' && checkedBytes(other) < checked) {
      registers.set(other.name, readRegister(other.name, other.text.replace(/\br=\d+/, `r=${checked}`)));
    } else if (other.type === before.type && /_or_null_?$/.test(other.type) && !/_or_null/.test(now.type)) {
      registers.set(other.name, { ...now, name: other.name });
    }
  }
}
