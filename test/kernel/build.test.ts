import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type CompileOptions, compile } from '../../src/build/clang.js';
import { packageRoot } from '../../src/host/package-root.js';
import { ObjectSpec } from '../../src/obj/spec.js';
import { describeWith } from '../support/requirements.js';

const fixtures = join(packageRoot(), 'test', 'fixtures');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-build-test-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Writes a source that is a program with this body. */
function source(name: string, body: string, head = ''): string {
  const path = join(folder, name);
  writeFileSync(
    path,
    `#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n${head}\nSEC("xdp")\nint prog(struct xdp_md *ctx) {\n  ${body}\n}\n`,
  );
  return path;
}

function build(options: Partial<CompileOptions>) {
  return compile({ sources: [], cwd: folder, ...options });
}

describeWith({ tools: ['clang', 'llvm-strip'] }, 'compile', () => {
  test('makes an object with BTF and line information, named after the source, in the current directory', async () => {
    source('a.bpf.c', 'return XDP_PASS;');
    const { objects, warnings } = await build({ sources: ['a.bpf.c'] });
    expect(warnings).toEqual([]);
    expect(objects).toEqual([
      { source: 'a.bpf.c', object: 'a.bpf.o', dependencies: [join(folder, 'a.bpf.c')] },
    ]);
    const spec = ObjectSpec.readSync(join(folder, 'a.bpf.o'));
    expect(spec.program('prog').type).toBe('xdp');
    expect(spec.sourceLine('prog', 0)).toMatchObject({
      file: 'a.bpf.c',
      line: 6,
      source: 'return XDP_PASS;',
    });
  });

  test('takes DWARF out', async () => {
    source('a.bpf.c', 'return XDP_PASS;');
    await build({ sources: ['a.bpf.c'] });
    expect(readFileSync(join(folder, 'a.bpf.o')).includes('.debug_info')).toBe(false);
  });

  test.each([
    'pass',
    'oob',
    'tc',
    'tcx',
    'globals',
    'maps',
    'many',
    'pinned',
    'legacy',
    'ulong',
    'subprograms',
  ])(
    'compiles the fixture %s without a warning, to the programs, maps and globals of the object that is kept',
    async (name) => {
      const { warnings } = await build({ sources: [join(fixtures, `${name}.bpf.c`)] });
      expect(warnings).toEqual([]);
      const now = ObjectSpec.readSync(join(folder, `${name}.bpf.o`));
      const kept = ObjectSpec.readSync(join(fixtures, 'objects', `${name}.bpf.o`));
      const summary = (spec: ObjectSpec) => ({
        programs: spec.programs.map((program) => [program.name, program.type]),
        maps: spec.maps.map((map) => [map.name, map.type, map.keySize, map.valueSize, map.maxEntries]).sort(),
        globals: spec.globals.list().map((variable) => [variable.name, variable.typeName]),
      });
      expect(summary(now)).toEqual(summary(kept));
    },
  );

  test('gives the same bytes wherever the sources are', async () => {
    const bytes: Buffer[] = [];
    for (const place of ['one', 'two/three']) {
      mkdirSync(join(folder, place), { recursive: true });
      source(`${place}/a.bpf.c`, 'return XDP_PASS;');
      await compile({ sources: ['a.bpf.c'], cwd: join(folder, place) });
      bytes.push(readFileSync(join(folder, place, 'a.bpf.o')));
    }
    expect(bytes[0]?.equals(bytes[1] ?? Buffer.alloc(0))).toBe(true);
  });

  test('returns warnings, with their places', async () => {
    source('a.bpf.c', 'int unused = 1;\n  return XDP_PASS;');
    const { warnings } = await build({ sources: ['a.bpf.c'] });
    expect(warnings).toMatchObject([
      {
        file: 'a.bpf.c',
        line: 6,
        column: 7,
        severity: 'warning',
        option: '-Wunused-variable',
        source: 'int unused = 1;',
      },
    ]);
  });

  test('refuses what does not compile with the place and text of the first error, and all of them in the details', async () => {
    await expect(
      compile({ sources: ['broken.bpf.c'], cwd: fixtures, output: join(folder, 'x.o') }),
    ).rejects.toMatchObject({
      code: 'compile-failed',
      message: "broken.bpf.c:9:10: use of undeclared identifier 'XDP_PAS'; did you mean 'XDP_PASS'?",
      details: {
        diagnostics: expect.arrayContaining([expect.objectContaining({ line: 14, severity: 'error' })]),
      },
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('leaves the old object and nothing else when a build fails', async () => {
    source('a.bpf.c', 'return XDP_PASS;');
    await build({ sources: ['a.bpf.c'] });
    const before = readFileSync(join(folder, 'a.bpf.o'));
    source('a.bpf.c', 'return oops;');
    await expect(build({ sources: ['a.bpf.c'] })).rejects.toMatchObject({ code: 'compile-failed' });
    expect(readFileSync(join(folder, 'a.bpf.o')).equals(before)).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['a.bpf.c', 'a.bpf.o']);
  });

  test('refuses a call of a function that is declared nowhere, which could only fail at load time', async () => {
    source('a.bpf.c', 'return nowhere(1);');
    await expect(build({ sources: ['a.bpf.c'] })).rejects.toMatchObject({
      code: 'compile-failed',
      message: expect.stringMatching(/^a\.bpf\.c:6:10: .*'nowhere'/),
    });
  });

  test('names the stack limit and what to do about it', async () => {
    source('a.bpf.c', 'volatile char big[600];\n  big[ctx->rx_queue_index & 511] = 1;\n  return big[3];');
    await expect(build({ sources: ['a.bpf.c'] })).rejects.toMatchObject({
      code: 'compile-failed',
      hint: 'keep large variables in a per-CPU array map with one entry',
    });
  });

  test('takes include directories and defines', async () => {
    mkdirSync(join(folder, 'my headers'));
    writeFileSync(join(folder, 'my headers', 'mine.h'), '#define VERDICT XDP_DROP\n');
    source('a.bpf.c', 'return ANSWER + VERDICT;', '#include "mine.h"');
    const { objects } = await build({
      sources: ['a.bpf.c'],
      includes: ['my headers'],
      defines: ['ANSWER=40', 'PLAIN'],
    });
    expect(objects[0]?.dependencies).toEqual([join(folder, 'a.bpf.c'), join(folder, 'my headers', 'mine.h')]);
  });

  test('finds the headers of netkit', async () => {
    const [header] = readdirSync(join(packageRoot(), 'bpf', 'include', 'netkit')).filter((name) =>
      name.endsWith('.h'),
    );
    expect(header).toBeDefined();
    source('a.bpf.c', 'return XDP_PASS;', `#include <netkit/${header}>`);
    await expect(build({ sources: ['a.bpf.c'] })).resolves.toBeDefined();
  });

  test("gives a source that asks for vmlinux.h the running kernel's", { timeout: 60_000 }, async () => {
    writeFileSync(
      join(folder, 'v.bpf.c'),
      [
        '#include "vmlinux.h"',
        '#include <bpf/bpf_helpers.h>',
        'SEC("xdp")',
        'int prog(struct xdp_md *ctx) { return sizeof(struct task_struct) > 100 ? XDP_PASS : XDP_DROP; }',
      ].join('\n'),
    );
    const { objects, warnings } = await build({ sources: ['v.bpf.c'] });
    expect(warnings).toEqual([]);
    expect(objects[0]?.dependencies).toEqual([join(folder, 'v.bpf.c')]);
  });

  test("prefers the source's own vmlinux.h", async () => {
    writeFileSync(join(folder, 'vmlinux.h'), '#include <linux/bpf.h>\n#define MINE 1\n');
    writeFileSync(
      join(folder, 'v.bpf.c'),
      '#include "vmlinux.h"\n#include <bpf/bpf_helpers.h>\nSEC("xdp")\nint prog(void *ctx) { return MINE; }\n',
    );
    const { objects } = await build({ sources: ['v.bpf.c'] });
    expect(objects[0]?.dependencies).toContain(join(folder, 'vmlinux.h'));
  });

  test('writes one object a source, into a directory where one is given', async () => {
    source('a.bpf.c', 'return XDP_PASS;');
    source('b.c', 'return XDP_DROP;');
    mkdirSync(join(folder, 'out'));
    const { objects } = await build({ sources: ['a.bpf.c', 'b.c'], output: 'out' });
    expect(objects.map(({ object }) => object)).toEqual(['out/a.bpf.o', 'out/b.bpf.o']);
    expect(readdirSync(join(folder, 'out')).sort()).toEqual(['a.bpf.o', 'b.bpf.o']);
  });

  test('refuses several sources for one file, two sources for one object, and an object in place of a source', async () => {
    source('a.bpf.c', 'return XDP_PASS;');
    source('a.c', 'return XDP_PASS;');
    await expect(build({ sources: ['a.bpf.c', 'a.c'], output: 'x.o' })).rejects.toMatchObject({
      code: 'usage',
    });
    await expect(build({ sources: ['a.bpf.c', 'a.c'] })).rejects.toMatchObject({
      code: 'usage',
      message: "'a.bpf.c' and 'a.c' would both become 'a.bpf.o'",
    });
    await expect(build({ sources: ['a.c'], output: './a.c' })).rejects.toMatchObject({ code: 'usage' });
    await expect(build({ sources: [] })).rejects.toMatchObject({ code: 'usage' });
    expect(readdirSync(folder).sort()).toEqual(['a.bpf.c', 'a.c']);
  });

  test('says which file or directory is missing', async () => {
    await expect(build({ sources: ['none.bpf.c'] })).rejects.toMatchObject({
      code: 'not-found',
      message: "cannot read 'none.bpf.c': there is no such file or directory",
    });
    source('a.bpf.c', 'return XDP_PASS;');
    await expect(build({ sources: ['a.bpf.c'], output: 'no/where/a.o' })).rejects.toMatchObject({
      code: 'not-found',
      message: "cannot write 'no/where/a.o': there is no directory 'no'",
    });
    await expect(build({ sources: ['.'] })).rejects.toMatchObject({ code: 'usage' });
  });

  test('runs the compiler that NETKIT_CLANG names', async () => {
    const other = join(folder, 'my-clang');
    writeFileSync(other, `#!/bin/sh\ntouch '${join(folder, 'was-run')}'\nexec clang "$@"\n`);
    chmodSync(other, 0o755);
    source('a.bpf.c', 'return XDP_PASS;');
    vi.stubEnv('NETKIT_CLANG', other);
    await build({ sources: ['a.bpf.c'] });
    expect(existsSync(join(folder, 'was-run'))).toBe(true);
  });

  test('names the package to install, or the variable to correct, when there is no compiler', async () => {
    source('a.bpf.c', 'return XDP_PASS;');
    vi.stubEnv('NETKIT_CLANG', '/nowhere/clang');
    await expect(build({ sources: ['a.bpf.c'] })).rejects.toMatchObject({
      code: 'tool-missing',
      message: "the program '/nowhere/clang' is not installed",
      hint: 'NETKIT_CLANG names it',
    });
    expect(readdirSync(folder)).toEqual(['a.bpf.c']);
  });

  test('ends the compiler and cleans up when it is interrupted', async () => {
    source('a.bpf.c', 'return XDP_PASS;');
    const slow = join(folder, 'slow-clang');
    writeFileSync(slow, '#!/bin/sh\nexec sleep 30\n');
    chmodSync(slow, 0o755);
    vi.stubEnv('NETKIT_CLANG', slow);
    const signal = AbortSignal.timeout(200);
    await expect(build({ sources: ['a.bpf.c'], signal })).rejects.toMatchObject({ code: 'interrupted' });
    expect(readdirSync(folder).sort()).toEqual(['a.bpf.c', 'slow-clang']);
  });
});
