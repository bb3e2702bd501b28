import { counted } from '../base/counted.js';
import { NetkitError } from '../base/errors.js';

/** A place in a source file, as the compiler names it. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1; 0 when not known. */
  readonly column: number;
}

/** What the compiler adds to an error or a warning. */
export interface Note extends Partial<Place> {
  readonly message: string;
}

/** One complaint of the compiler. */
export interface Diagnostic extends Partial<Place> {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** The option that switches it: `-Wunused-variable`. */
  readonly option?: string;
  /** The line of source, without the indentation. */
  readonly source?: string;
  readonly notes: readonly Note[];
}

const located = /^(.+?):(\d+):(\d+): (fatal error|error|warning|note): (.*)$/;
const general = /^(?:\S*clang\S*: )?(fatal error|error|warning|note): (.*)$/;
const trailingOption = / \[(?:-Werror,)?(-W[^\]]+)\]$/;
const excerptEnd = /^\s*[~^]|^\s*\S+\s*$/;

/**
 * Reads what clang writes to standard error (LC_ALL=C, no colours). Lines that are no diagnostic are passed over, and
 * so is a complaint that repeats an earlier one word for word, as the code generator's do.
 */
export function parseDiagnostics(text: string): Diagnostic[] {
  const found: (Diagnostic & { notes: Note[] })[] = [];
  const met = new Set<string>();
  const lines = text.split('\n');
  for (const [at, line] of lines.entries()) {
    const entry = readLine(line);
    if (entry === undefined) continue;
    const { severity, message, place } = entry;
    if (severity === 'note') {
      found.at(-1)?.notes.push({ message, ...place });
      continue;
    }
    const key = JSON.stringify([severity, message, place]);
    if (met.has(key)) continue;
    met.add(key);
    const option = trailingOption.exec(message)?.[1];
    const source = place === undefined ? undefined : excerptAfter(lines, at);
    found.push({
      severity,
      message: message.replace(trailingOption, ''),
      ...place,
      ...(option === undefined ? {} : { option }),
      ...(source === undefined ? {} : { source }),
      notes: [],
    });
  }
  return found;
}

/** `file:line:column: message`, as compilers write it and editors read it. */
export function formatDiagnostic({ file, line, column, message }: Diagnostic): string {
  if (file === undefined) return message;
  const place = column === undefined || column === 0 ? [file, line] : [file, line, column];
  return `${place.join(':')}: ${message}`;
}

/**
 * The error for a source that does not compile: its message is the first error, its details hold everything. Output
 * without an error in it, as a broken installation gives, becomes `tool-failed` with the last line.
 */
export function compileError(source: string, stderr: string): NetkitError {
  const diagnostics = parseDiagnostics(stderr);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first === undefined) {
    const last = stderr.trim().split('\n').at(-1) ?? '';
    return new NetkitError('tool-failed', `clang failed on '${source}'${last === '' ? '' : `: ${last}`}`, {
      details: { source, stderr },
    });
  }
  const more = errors.length - 1;
  const hint = hintFor(first) ?? (more > 0 ? `and ${counted(more, 'more error')}` : undefined);
  return new NetkitError('compile-failed', formatDiagnostic(first), {
    hint,
    details: { source, diagnostics },
  });
}

function readLine(
  line: string,
): { severity: 'error' | 'warning' | 'note'; message: string; place: Place | undefined } | undefined {
  const match = located.exec(line);
  if (match) {
    const [, file = '', row = '', column = '', word = '', message = ''] = match;
    const place = { file: file.replace(/^\.\//, ''), line: Number(row), column: Number(column) };
    return { severity: severityOf(word), message, place: file === '<unknown>' ? undefined : place };
  }
  const [, word, message] = general.exec(line) ?? [];
  if (word === undefined || message === undefined) return undefined;
  return { severity: severityOf(word), message, place: undefined };
}

function severityOf(word: string): 'error' | 'warning' | 'note' {
  if (word === 'warning' || word === 'note') return word;
  return 'error';
}

/** The line of source below a diagnostic, which a line with a caret follows. */
function excerptAfter(lines: readonly string[], at: number): string | undefined {
  const source = lines[at + 1];
  const caret = lines[at + 2];
  if (source === undefined || caret === undefined || !caret.includes('^') || !excerptEnd.test(caret))
    return undefined;
  return source.trim();
}

const headerPackages: readonly (readonly [RegExp, string])[] = [
  [/^'bpf\/.*' file not found/, 'libbpf-dev'],
  [/^'(linux|asm|asm-generic)\/.*' file not found/, 'linux-libc-dev'],
];

function hintFor({ message }: Diagnostic): string | undefined {
  const debianPackage = headerPackages.find(([pattern]) => pattern.test(message))?.[1];
  if (debianPackage !== undefined) return `on Debian: apt-get install ${debianPackage}`;
  if (message.includes('BPF stack limit'))
    return 'keep large variables in a per-CPU array map with one entry';
  return undefined;
}
