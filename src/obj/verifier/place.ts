/** Which line of the source a programmer has to look at. */
import type { SourceLine } from '../source-lines.js';
import type { ExplanationContext, RelatedPlace } from './explanation.js';
import { inlinedCall } from './inlined-call.js';
import type { VerifierLog } from './log.js';

export interface ChosenPlace {
  readonly place: SourceLine | undefined;
  readonly related: readonly RelatedPlace[];
}

/**
 * The line of an instruction. When that is in a header, whose function the compiler put into the program or the program
 * calls, it is the line of the program's own file from where control got there, and the header's line is named as well.
 *
 * @param instruction as the verifier counts; undefined when the refusal has none
 */
export function placeOf(
  log: VerifierLog,
  context: ExplanationContext,
  instruction: number | undefined,
): ChosenPlace {
  const line = instruction === undefined ? undefined : context.line(instruction);
  if (line === undefined || instruction === undefined) return { place: logged(log), related: [] };
  const own = ownFile(context);
  if (own === undefined || line.file === own) return { place: line, related: [] };
  const before = lastOwnLine(log, context, instruction, own);
  const place = inlinedCall(context, line, own, before, nextOwnLine(context, instruction, own)) ?? before;
  if (place === undefined) return { place: line, related: [] };
  return {
    place,
    related: [{ place: line, about: 'what the verifier refused, in a function that is used there' }],
  };
}

function logged({ place }: VerifierLog): SourceLine | undefined {
  return place === undefined ? undefined : { ...place, column: 0, source: place.source.trim() };
}

/** The file of the program's first line that is not a header's. */
function ownFile(context: ExplanationContext): string | undefined {
  const [main] = context.functions;
  const end = main?.end ?? 1;
  for (let at = 0; at < end; at++) {
    const file = context.line(at)?.file;
    if (file !== undefined && !/\.(h|hpp|hh)$/.test(file)) return file;
  }
  return context.line(0)?.file;
}

function lastOwnLine(
  { steps }: VerifierLog,
  context: ExplanationContext,
  instruction: number,
  own: string,
): SourceLine | undefined {
  const start = steps.findLastIndex(({ index }) => index === instruction);
  for (let at = start; at >= 0; at--) {
    const line = context.line(steps[at]?.index ?? 0);
    if (line?.file === own) return line;
  }
  for (let at = instruction; at >= 0; at--) {
    const line = context.line(at);
    if (line?.file === own) return line;
  }
  return undefined;
}

/** The next line of the own file in the order of the code, of the same function. */
function nextOwnLine(context: ExplanationContext, instruction: number, own: string): SourceLine | undefined {
  const home = context.functions.find(({ first, end }) => first <= instruction && instruction < end);
  for (let at = instruction; at < (home?.end ?? instruction); at++) {
    const line = context.line(at);
    if (line?.file === own) return line;
  }
  return undefined;
}
