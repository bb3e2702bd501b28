import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { compileError, parseDiagnostics } from '../../../src/build/diagnostics.js';
import { diagnosticsOf, diagnosticsText, flattened, summaryOf } from '../../../src/cli/diagnostics.js';

const stderr = `In file included from a.c:1:
./a.c:9:7: warning: unused variable 'x' [-Wunused-variable]
  int x;
      ^
a.c:10:10: error: use of undeclared identifier 'Y'
  return Y;
         ^
b.h:3:1: note: did you mean this?
error: too big
2 errors generated.
`;

describe('diagnostics of the compiler', () => {
  it('become a flat list in which notes follow what they belong to', () => {
    expect(flattened(parseDiagnostics(stderr))).toEqual([
      { file: 'a.c', line: 9, column: 7, severity: 'warning', message: "unused variable 'x'" },
      { file: 'a.c', line: 10, column: 10, severity: 'error', message: "use of undeclared identifier 'Y'" },
      { file: 'b.h', line: 3, column: 1, severity: 'note', message: 'did you mean this?' },
      { file: null, line: null, column: null, severity: 'error', message: 'too big' },
    ]);
  });

  it('are written as editors read them', () => {
    expect(diagnosticsText(flattened(parseDiagnostics(stderr)))).toBe(
      [
        "a.c:9:7: warning: unused variable 'x'",
        "a.c:10:10: error: use of undeclared identifier 'Y'",
        'b.h:3:1: note: did you mean this?',
        'error: too big',
        '',
      ].join('\n'),
    );
  });

  it('are found in a failed compilation, and in no other failure', () => {
    expect(diagnosticsOf(compileError('a.c', stderr))).toHaveLength(4);
    expect(diagnosticsOf(new NetkitError('failed', 'no'))).toBeUndefined();
    expect(diagnosticsOf(new Error('no'))).toBeUndefined();
  });

  it('are summed up in one line that counts the errors', () => {
    const error = compileError('a.c', stderr);
    const summary = summaryOf('a.c', diagnosticsOf(error) ?? [], error);
    expect(summary).toMatchObject({
      code: 'compile-failed',
      message: "'a.c' does not compile: 2 errors",
      hint: undefined,
    });
  });

  it('keep the hint that tells what to install', () => {
    const error = compileError('a.c', "a.c:1:10: fatal error: 'bpf/bpf_helpers.h' file not found\n");
    const summary = summaryOf('a.c', diagnosticsOf(error) ?? [], error);
    expect(summary.message).toBe("'a.c' does not compile: 1 error");
    expect(summary.hint).toMatch(/libbpf-dev/);
  });
});
