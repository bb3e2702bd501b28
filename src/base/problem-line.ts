/** One mistake in a file that a user wrote, and where it is. */
export interface Problem {
  /** The path of the file as it was given; null for standard input. */
  readonly file: string | null;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** The path of the field, such as `spec.attach[0].priority`; empty for the document as a whole. */
  readonly path: string;
  /** What is wrong, with what was expected. */
  readonly message: string;
  /** What was expected, by itself; null where that is no matter of one field. */
  readonly expected: string | null;
}

/** `fw.yaml:12:7: spec.attach[0].priority: expected a whole number from 1 to 65535, not 'high'` */
export function problemLine({ file, line, column, path, message }: Problem): string {
  return `${file ?? '<stdin>'}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;
}

/** The lines for all problems that an error's details list; none for other errors. */
export function problemLines({ problems, count }: Readonly<Record<string, unknown>>): string[] {
  if (!Array.isArray(problems) || !problems.every(isProblem)) return [];
  const lines = problems.map(problemLine);
  return typeof count === 'number' && count > lines.length
    ? [...lines, `… and ${count - lines.length} more`]
    : lines;
}

function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null || !('file' in value)) return false;
  return 'line' in value && 'column' in value && 'path' in value && 'message' in value;
}
