import { counted } from '../base/counted.js';
import { NetkitError } from '../base/errors.js';
import type { Diagnostic } from '../build/diagnostics.js';
import type { DocumentOf } from './schema/index.js';

/** A remark of the compiler as documents show it. */
export type DiagnosticInfo = DocumentOf<'build'>['diagnostics'][number];

/** The compiler's diagnostics as a flat list: each note follows what it belongs to. */
export function flattened(diagnostics: readonly Diagnostic[]): DiagnosticInfo[] {
  return diagnostics.flatMap((diagnostic) => [
    entry(diagnostic.severity, diagnostic),
    ...diagnostic.notes.map((note) => entry('note', note)),
  ]);
}

function entry(
  severity: DiagnosticInfo['severity'],
  {
    file,
    line,
    column,
    message,
  }: { readonly file?: string; readonly line?: number; readonly column?: number; readonly message: string },
): DiagnosticInfo {
  return { file: file ?? null, line: line || null, column: column || null, severity, message };
}

/** `file:line:column: error: message`, one diagnostic a line. */
export function diagnosticsText(diagnostics: readonly DiagnosticInfo[]): string {
  return diagnostics
    .map(({ file, line, column, severity, message }) => {
      const place = [file, line, column].filter((part) => part !== null).join(':');
      return `${place === '' ? '' : `${place}: `}${severity}: ${message}\n`;
    })
    .join('');
}

/** The diagnostics that came with a failed compilation; `undefined` for any other failure. */
export function diagnosticsOf(error: unknown): DiagnosticInfo[] | undefined {
  if (!(error instanceof NetkitError) || error.code !== 'compile-failed') return undefined;
  const { diagnostics } = error.details;
  return Array.isArray(diagnostics) ? flattened(diagnostics.filter(isDiagnostic)) : undefined;
}

function isDiagnostic(value: unknown): value is Diagnostic {
  return (
    typeof value === 'object' &&
    value !== null &&
    'severity' in value &&
    'message' in value &&
    'notes' in value
  );
}

/** A failed compilation whose diagnostics the user has read already. */
export function summaryOf(
  source: string,
  diagnostics: readonly DiagnosticInfo[],
  cause: NetkitError,
): NetkitError {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  // What the compiler's own error counts, this one does.
  const hint = cause.hint?.startsWith('and ') ? undefined : cause.hint;
  return new NetkitError('compile-failed', `'${source}' does not compile: ${counted(errors, 'error')}`, {
    hint,
    details: cause.details,
    cause,
  });
}
