import { NetkitError } from '../base/errors.js';
import type { Explanation } from '../obj/verifier/explanation.js';

/** Where in the source a refusal happened. */
export interface SourcePlace {
  /** As the compiler was given it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The text of the line, empty when the object does not have it. */
  readonly source: string;
}

/** What is known of a refusal. */
export interface Refusal {
  /** The verifier's own sentence. */
  readonly reason: string;
  /** The line to look at. */
  readonly place: SourcePlace | undefined;
  /** Undefined when the refusal is none of those that netkit explains. */
  readonly explanation: Explanation | undefined;
  /** All that the verifier said. */
  readonly log: string;
  /** Said in place of how to mend the code: what the user lacks. */
  readonly lacking?: string | undefined;
}

/** The kernel's verifier refused a program: the message says what is wrong where, the hint how such code is usually mended. */
export class VerifierError extends NetkitError {
  override readonly name = 'VerifierError';
  /** The name of the program that was refused. */
  readonly program: string;
  /** All that the verifier said. */
  readonly log: string;
  /** The rule that was broken, the registers that matter, how to mend it; undefined for an uncommon refusal. */
  readonly explanation: Explanation | undefined;
  /** The line to look at. */
  readonly place: SourcePlace | undefined;
  /** The verifier's own sentence. */
  readonly reason: string;
  /** What the user lacks, when the program itself may be right. */
  readonly lacking: string | undefined;

  /** @internal */
  constructor(program: string, refusal: Refusal) {
    const { reason, place, explanation, log } = refusal;
    const where = place === undefined ? '' : ` at ${place.file}:${place.line}`;
    super(
      'verifier-refused',
      `the verifier refused program '${program}'${where}: ${explanation?.message ?? reason}`,
      {
        hint: refusal.lacking ?? hintOf(refusal),
        details: {
          program,
          rule: explanation?.rule ?? null,
          reason,
          mend: explanation?.mend ?? null,
          registers: explanation?.registers ?? [],
          file: place?.file ?? null,
          line: place?.line ?? null,
          source: place?.source ?? null,
          related: (explanation?.related ?? []).map(({ about, place: other }) => ({
            file: other.file,
            line: other.line,
            source: other.source,
            about,
          })),
          log,
        },
      },
    );
    this.program = program;
    this.log = log;
    this.explanation = explanation;
    this.place = place;
    this.reason = reason;
    this.lacking = refusal.lacking;
  }
}

function hintOf({ place, explanation }: Refusal): string {
  const source = place?.source.trim() ?? '';
  const line = source === '' ? '' : `the line is: ${source} — `;
  return `${line}${explanation?.mend ?? 'this refusal is none of those that netkit explains'}`;
}
