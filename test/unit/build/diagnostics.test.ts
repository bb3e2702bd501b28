import { describe, expect, test } from 'vitest';
import { compileError, formatDiagnostic, parseDiagnostics } from '../../../src/build/diagnostics.js';

// As clang 14 writes it.
const output = `In file included from broken.bpf.c:3:
./rules.h:4:7: warning: unused variable 'unused' [-Wunused-variable]
  int unused = 1;
      ^
broken.bpf.c:9:10: error: use of undeclared identifier 'XDP_PAS'; did you mean 'XDP_PASS'?
  return XDP_PAS;
         ^~~~~~~
         XDP_PASS
/usr/include/linux/bpf.h:6092:2: note: 'XDP_PASS' declared here
        XDP_PASS,
        ^
broken.bpf.c:14:18: error: expected ';' after return statement
  return XDP_PASS
                 ^
                 ;
1 warning and 2 errors generated.
`;

describe('parseDiagnostics', () => {
  test('reads place, severity, message, option and source line', () => {
    const [warning, error] = parseDiagnostics(output);
    expect(warning).toEqual({
      file: 'rules.h',
      line: 4,
      column: 7,
      severity: 'warning',
      message: "unused variable 'unused'",
      option: '-Wunused-variable',
      source: 'int unused = 1;',
      notes: [],
    });
    expect(error).toMatchObject({
      file: 'broken.bpf.c',
      line: 9,
      column: 10,
      severity: 'error',
      source: 'return XDP_PAS;',
    });
  });

  test('puts notes with what they belong to', () => {
    expect(parseDiagnostics(output)[1]?.notes).toEqual([
      { message: "'XDP_PASS' declared here", file: '/usr/include/linux/bpf.h', line: 6092, column: 2 },
    ]);
  });

  test('reads all of them, and nothing else', () => {
    expect(parseDiagnostics(output).map(({ severity }) => severity)).toEqual(['warning', 'error', 'error']);
    expect(parseDiagnostics('')).toEqual([]);
    expect(parseDiagnostics('2 errors generated.\n')).toEqual([]);
  });

  test('reads complaints without a place, and fatal ones', () => {
    expect(
      parseDiagnostics(
        "clang: error: unknown argument: '-zzz'\nv.c:1:10: fatal error: 'x.h' file not found\n",
      ),
    ).toMatchObject([
      { severity: 'error', message: "unknown argument: '-zzz'" },
      { severity: 'error', file: 'v.c', line: 1, column: 10, message: "'x.h' file not found" },
    ]);
  });

  test('reads warnings that are made errors', () => {
    expect(
      parseDiagnostics(
        "a.c:1:2: error: implicit declaration of function 'g' [-Werror,-Wimplicit-function-declaration]\n",
      ),
    ).toMatchObject([
      {
        message: "implicit declaration of function 'g'",
        option: '-Wimplicit-function-declaration',
        severity: 'error',
      },
    ]);
  });

  test('passes over exact repetitions, which the code generator writes', () => {
    const line = 'a.c:6:3: error: Looks like the BPF stack limit of 512 bytes is exceeded.\n  x();\n  ^\n';
    expect(parseDiagnostics(line.repeat(12))).toHaveLength(1);
  });

  test('reads file names with spaces and colons', () => {
    expect(parseDiagnostics('./sub dir/a:b.h:1:34: warning: odd\n')).toMatchObject([
      { file: 'sub dir/a:b.h', line: 1, column: 34 },
    ]);
  });
});

describe('compileError', () => {
  test('says the first error, and carries all that was said', () => {
    const error = compileError('broken.bpf.c', output);
    expect(error.code).toBe('compile-failed');
    expect(error.message).toBe(
      "broken.bpf.c:9:10: use of undeclared identifier 'XDP_PAS'; did you mean 'XDP_PASS'?",
    );
    expect(error.hint).toBe('and 1 more error');
    expect(error.details).toEqual({ source: 'broken.bpf.c', diagnostics: parseDiagnostics(output) });
  });

  test.each([
    ["x.c:2:10: fatal error: 'bpf/bpf_helpers.h' file not found", 'on Debian: apt-get install libbpf-dev'],
    ["x.c:1:10: fatal error: 'linux/bpf.h' file not found", 'on Debian: apt-get install linux-libc-dev'],
    ["x.c:1:10: fatal error: 'mine.h' file not found", undefined],
  ])('%s: hint %s', (stderr, hint) => {
    expect(compileError('x.c', stderr).hint).toBe(hint);
  });

  test('is tool-failed when clang broke down without a diagnostic', () => {
    const error = compileError('x.c', 'Stack dump:\n0. Program arguments: clang\nSegmentation fault\n');
    expect(error).toMatchObject({
      code: 'tool-failed',
      message: "clang failed on 'x.c': Segmentation fault",
    });
    expect(compileError('x.c', '').message).toBe("clang failed on 'x.c'");
  });
});

test('formatDiagnostic writes what editors read', () => {
  const rest = { severity: 'error', message: 'm', notes: [] } as const;
  expect(formatDiagnostic({ ...rest, file: 'a.c', line: 1, column: 2 })).toBe('a.c:1:2: m');
  expect(formatDiagnostic({ ...rest, file: 'a.c', line: 1, column: 0 })).toBe('a.c:1: m');
  expect(formatDiagnostic(rest)).toBe('m');
});
