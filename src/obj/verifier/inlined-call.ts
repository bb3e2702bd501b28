/** Finds the call of a function that the compiler dissolved: what is left of it in the object is the lines of its body. */
import type { SourceLine } from '../source-lines.js';
import type { ExplanationContext } from './explanation.js';

/** How many functions deep calls in headers are followed. */
const deepest = 4;
/** A function begins at the left margin, and is not a declaration. */
const definition = /^(?!#|\/|\*|struct\b[^(]*\{|typedef\b)[A-Za-z_][^;=]*?\b([A-Za-z_]\w*)\s*\([^;]*$/;

/**
 * The line of the program's own file that calls the function in which `inner` is, directly or through others of that header.
 * Needs the text of both files; undefined when they cannot be read, or are not those that were compiled.
 *
 * @param before the last line of the own file on the way to it
 * @param after the next line of the own file behind it
 */
export function inlinedCall(
  context: ExplanationContext,
  inner: SourceLine,
  own: string,
  before: SourceLine | undefined,
  after: SourceLine | undefined,
): SourceLine | undefined {
  const header = textOf(context, inner);
  const text = before === undefined ? undefined : textOf(context, before);
  if (header === undefined || text === undefined || before === undefined) return undefined;
  let names = new Set([enclosing(header, inner.line)].filter((name) => name !== undefined));
  for (let depth = 0; depth < deepest && names.size > 0; depth++) {
    const line = firstCall(text, names, before.line, after?.line);
    if (line !== undefined) return { file: own, line, column: 0, source: text[line - 1]?.trim() ?? '' };
    names = callersOf(header, names);
  }
  return undefined;
}

function textOf(
  context: ExplanationContext,
  { file, line, source }: SourceLine,
): readonly string[] | undefined {
  const text = context.source?.(file);
  return text !== undefined && text[line - 1]?.trim() === source ? text : undefined;
}

/** The name of the function that a line is in. */
function enclosing(text: readonly string[], line: number): string | undefined {
  for (let at = line; at >= 1; at--) {
    const name = definition.exec(text[at - 1] ?? '')?.[1];
    if (name !== undefined) return name;
  }
  return undefined;
}

/** The nearest call at or behind the line before, within the function; else the last one before it. */
function firstCall(
  text: readonly string[],
  names: ReadonlySet<string>,
  from: number,
  to: number | undefined,
): number | undefined {
  const calls = new RegExp(`\\b(?:${[...names].join('|')})\\s*\\(`);
  const last = to !== undefined && to >= from ? to : text.length;
  for (let line = from; line <= last; line++) {
    const written = text[line - 1] ?? '';
    if (line > from && written.startsWith('}')) break;
    if (calls.test(written)) return line;
  }
  for (let line = from - 1; line >= 1; line--) {
    const written = text[line - 1] ?? '';
    if (written.startsWith('}')) return undefined;
    if (calls.test(written) && definition.exec(written) === null) return line;
  }
  return undefined;
}

function callersOf(text: readonly string[], names: ReadonlySet<string>): Set<string> {
  const calls = new RegExp(`\\b(?:${[...names].join('|')})\\s*\\(`);
  const callers = new Set<string>();
  text.forEach((written, at) => {
    if (!calls.test(written) || definition.test(written)) return;
    const name = enclosing(text, at);
    if (name !== undefined && !names.has(name)) callers.add(name);
  });
  return callers;
}
