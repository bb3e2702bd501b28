import { NetkitError } from '../base/errors.js';

/** Where in the source a refusal happened. */
export interface SourcePlace {
  /** As the compiler was given it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The text of the line, empty when the object does not have it. */
  readonly source: string;
}

/** The kernel's verifier refused a program: the message is its useful line, `log` is all that it said. */
export class VerifierError extends NetkitError {
  override readonly name = 'VerifierError';
  /** The name of the program that was refused. */
  readonly program: string;
  /** All that the verifier said. */
  readonly log: string;

  /** @internal */
  /** @param hint in place of the source line */
  constructor(program: string, reason: string, place: SourcePlace | undefined, log: string, hint?: string) {
    const where = place === undefined ? '' : ` at ${place.file}:${place.line}`;
    super('verifier-refused', `the verifier refused program '${program}'${where}: ${reason}`, {
      hint:
        hint ??
        (place?.source === undefined || place.source === ''
          ? undefined
          : `the line is: ${place.source.trim()}`),
      details: {
        program,
        reason,
        file: place?.file ?? null,
        line: place?.line ?? null,
        source: place?.source ?? null,
        log,
      },
    });
    this.program = program;
    this.log = log;
  }
}

/** What a verifier log says about its end. */
export interface Refusal {
  /** The verifier's own sentence. */
  readonly reason: string;
  /** The last instruction that it looked at, counted from the start of the program. */
  readonly instruction: number | undefined;
  /** From the last `; source @ file:line` comment, which kernels from 6.9 on print. */
  readonly place: SourcePlace | undefined;
}

/** Lines that the verifier prints after its verdict, or as a summary. */
const trailer = /^(processed \d+ insns|verification time|stack depth|max_states|mark_precise|-- (BEGIN|END))/;
const instructionLine = /^(\d+): (?:\([0-9a-f]{2}\)|R\d|safe)/;
const sourceComment = /^; (.*?)(?: @ (.+?):(\d+))?$/;
/** State and history that comes with a verdict but is not it. */
const stateLine =
  /^(R\d|fp-|frame\d|func#|(?:cur|old) state:|from \d+ to|caller:|callee:|last_idx|regs=|parent |arg#\d+ reference|\d+: )/;
/** On a jump it follows the instruction on the same line. */
const loopVerdict = /infinite loop detected at insn \d+$/;
/** Says once more, and less, what the line before has said. */
const explanation = /^R\d+ (min value|max value|offset) is outside of/;

/** Finds the verdict in a verifier log (libbpf's framing removed). */
export function readRefusal(log: string): Refusal {
  let reason: string | undefined;
  let instruction: number | undefined;
  let place: SourcePlace | undefined;
  for (const raw of log.split('\n')) {
    const line = raw.trimEnd();
    if (line === '' || trailer.test(line)) continue;
    const step = instructionLine.exec(line);
    if (step !== null) {
      instruction = Number(step[1]);
      reason = loopVerdict.exec(line)?.[0];
      continue;
    }
    const comment = sourceComment.exec(line);
    if (comment !== null) {
      const [, source = '', file, lineNumber] = comment;
      place = file === undefined ? undefined : { file, line: Number(lineNumber), source };
      continue;
    }
    if (reason !== undefined && explanation.test(line)) continue;
    if (
      !stateLine.test(line) ||
      / (invalid|expected|type=|!read_ok|pointer|min value|unbounded|leaks)/.test(line)
    )
      reason = line;
  }
  return { reason: reason ?? 'it gave no reason', instruction, place };
}
