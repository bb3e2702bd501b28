/** A document from a file: its own JSON, or a report that has it inside. */
import { NetkitError } from '../../base/errors.js';
import { parseJson } from '../../base/json.js';
import { type BenchDocument, benchDocument } from '../document.js';

/** Of the embedded document. */
const opening = '<script type="application/json" id="document">';
/** As many mistakes are named. */
const mostNamed = 3;

/**
 * Reads a document, or the one inside of a report in HTML.
 * @param path what the text came from, for messages
 * @throws NetkitError `failed` with the place when it is cut off, no JSON, written by a newer netkit, or something in it is
 *   wrong or missing
 */
export function readBenchDocument(text: string, path: string): BenchDocument {
  const inside = insideOf(text, path);
  const found = parsed(inside.text, inside.line, path);
  const version = asRecord(found).schemaVersion;
  if (typeof version === 'number' && version > 1) {
    throw refused(path, `at schemaVersion: it is ${version}, and this netkit reads version 1`, {
      hint: 'a newer netkit wrote it: read it with that one',
    });
  }
  if (version === undefined) {
    throw refused(path, 'it is JSON, but no document of a benchmark: there is no schemaVersion', {
      hint: 'netkit bench SCENARIO --report FILE.json writes one',
    });
  }
  const mistakes: string[] = [];
  // Not the copy that the schema makes, whose members are in its own order: a report has those of the run.
  if (isDocument(found, mistakes)) return found;
  const more = mistakes.length > mostNamed ? `; and ${mistakes.length - mostNamed} more` : '';
  throw refused(path, `${mistakes.slice(0, mostNamed).join('; ')}${more}`, { details: { mistakes } });
}

function isDocument(found: unknown, mistakes: string[]): found is BenchDocument {
  const checked = benchDocument.safeParse(found);
  if (checked.success) return true;
  mistakes.push(...checked.error.issues.map(({ path, message }) => `at ${placeText(path)}: ${message}`));
  return false;
}

function refused(
  path: string,
  reason: string,
  { hint, details = {} }: { hint?: string; details?: Readonly<Record<string, unknown>> } = {},
): NetkitError {
  return new NetkitError('failed', `'${path}' is no document of a benchmark that can be read: ${reason}`, {
    hint,
    details: { path, ...details },
  });
}

/** The JSON, and the line in which it begins. */
function insideOf(text: string, path: string): { readonly text: string; readonly line: number } {
  if (!/^\s*<!doctype html/i.test(text)) return { text: text.replace(/^\ufeff/, ''), line: 1 };
  const start = text.indexOf(opening);
  if (start < 0) throw refused(path, 'it is HTML, but no report of netkit bench, or cut off before its data');
  const end = text.indexOf('</script>', start);
  const from = start + opening.length;
  if (end < 0) throw refused(path, `it is cut off in line ${lineOf(text, text.length)}, inside its data`);
  return { text: text.slice(from, end), line: lineOf(text, from) };
}

function lineOf(text: string, at: number): number {
  let line = 1;
  for (let next = text.indexOf('\n'); next >= 0 && next < at; next = text.indexOf('\n', next + 1)) line++;
  return line;
}

function parsed(text: string, firstLine: number, path: string): unknown {
  if (text.trim() === '') throw refused(path, 'it is empty');
  try {
    return JSON.parse(text);
  } catch {
    // Engines word their errors differently, and not all of them tell the place.
    throw refused(path, mistakeIn(text, firstLine));
  }
}

function mistakeIn(text: string, firstLine: number): string {
  try {
    parseJson(text, { firstLine });
    return 'it is no JSON';
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    const { line, column } = error.details;
    const lines = text.trimEnd().split('\n');
    const last = lines.at(-1)?.length ?? 0;
    const isAtEnd = Number(line) - firstLine >= lines.length - 1 && Number(column) > last;
    const isInString = /string/.test(error.message) && endsInString(lines.at(-1) ?? '');
    return isAtEnd || isInString
      ? `it is cut off: it ends in line ${lines.length + firstLine - 1}, column ${last}`
      : error.message;
  }
}

/** Strings of JSON have no line ends, so that their quotes in one line tell. */
function endsInString(line: string): boolean {
  return (line.replace(/\\./g, '').split('"').length - 1) % 2 === 1;
}

/** `groups[0].variants[2].samples[7].at` */
function placeText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'its top';
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : `${text}${text === '' ? '' : '.'}${String(part)}`,
    '',
  );
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
