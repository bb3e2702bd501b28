import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/host/package-root.js';
import { ObjectSpec } from '../../src/obj/spec.js';
import { netkit, startNetkit } from '../support/cli.js';
import { expectValid } from '../support/schema.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-build-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const fixture = (name: string): string => join(packageRoot(), 'test/fixtures', name);

/** Puts a fixture into the test's folder, so that messages name it without a path. */
function bring(name: string, as = name): void {
  copyFileSync(fixture(name), join(folder, as));
}

function build(...args: string[]) {
  return netkit(['build', ...args], { cwd: folder });
}

const unused = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp")
int warned(struct xdp_md *ctx) {
  int unused = 1;
  return XDP_PASS;
}
`;

describe('netkit build', () => {
  it('writes an object with BTF beside the sources name, and says what is in it', () => {
    bring('tc.bpf.c');
    const result = build('tc.bpf.c');
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.stdout).toMatch(/^tc\.bpf\.o: 1 program, 1 map, \d+ bytes\n$/);
    const spec = ObjectSpec.readSync(join(folder, 'tc.bpf.o'));
    expect(spec.btf).toBeDefined();
    expect(readdirSync(folder).sort()).toEqual(['tc.bpf.c', 'tc.bpf.o']);
  });

  it('gives the same as a JSON document', () => {
    bring('tcx.bpf.c');
    const document = build('tcx.bpf.c', '--json').json();
    expectValid('build', document);
    expect(document).toMatchObject({
      objects: [
        {
          file: 'tcx.bpf.o',
          sources: ['tcx.bpf.c'],
          bytes: statSync(join(folder, 'tcx.bpf.o')).size,
          programs: ['on_ingress', 'on_egress'],
          maps: ['packets', 'drop'],
        },
      ],
      diagnostics: [],
    });
  });

  it('compiles several sources into a folder', () => {
    bring('pass.bpf.c');
    bring('tc.bpf.c');
    mkdirSync(join(folder, 'out'));
    expect(build('pass.bpf.c', 'tc.bpf.c', '-o', 'out').status).toBe(0);
    expect(readdirSync(join(folder, 'out')).sort()).toEqual(['pass.bpf.o', 'tc.bpf.o']);
  });

  it('takes -D and -I', () => {
    mkdirSync(join(folder, 'headers'));
    writeFileSync(join(folder, 'headers/mine.h'), '#define VERDICT (BASE + 1)\n');
    writeFileSync(
      join(folder, 'x.bpf.c'),
      '#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n#include "mine.h"\nSEC("xdp") int x(struct xdp_md *ctx) { return VERDICT; }\n',
    );
    expect(build('x.bpf.c', '-D', 'BASE=1', '-I', 'headers', '-o', 'one.o').status).toBe(0);
    expect(existsSync(join(folder, 'one.o'))).toBe(true);
    expect(build('x.bpf.c').status).toBe(1);
  });

  it('says warnings on standard error as file:line:column, and with --quiet nothing', () => {
    writeFileSync(join(folder, 'w.bpf.c'), unused);
    const result = build('w.bpf.c');
    expect(result.status).toBe(0);
    expect(result.stderr).toBe("w.bpf.c:5:7: warning: unused variable 'unused'\n");
    expect(build('w.bpf.c', '--quiet')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    const json = build('w.bpf.c', '--json');
    expect(json.stderr).toBe('');
    expectValid('build', json.json());
    expect(json.json()).toMatchObject({
      diagnostics: [
        { file: 'w.bpf.c', line: 5, column: 7, severity: 'warning', message: "unused variable 'unused'" },
      ],
    });
  });

  it('names each error of a source that does not compile, exits 1 and leaves the old object as it was', () => {
    bring('broken.bpf.c');
    writeFileSync(join(folder, 'broken.bpf.o'), 'old');
    const result = build('broken.bpf.c');
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toMatch(/^broken\.bpf\.c:9:10: error: use of undeclared identifier 'XDP_PAS'/m);
    expect(result.stderr).toMatch(/^broken\.bpf\.c:14:18: error: expected ';'/m);
    expect(result.stderr).toMatch(/^netkit: 'broken\.bpf\.c' does not compile: 2 errors$/m);
    expect(readFileSync(join(folder, 'broken.bpf.o'), 'utf8')).toBe('old');
    expect(readdirSync(folder).sort()).toEqual(['broken.bpf.c', 'broken.bpf.o']);
  });

  it('gives the errors as JSON on standard error', () => {
    bring('broken.bpf.c');
    const result = build('broken.bpf.c', '--json');
    expect(result).toMatchObject({ status: 1, stdout: '' });
    const document = result.jsonError();
    expectValid('error', document);
    expect(document).toMatchObject({
      error: {
        code: 'compile-failed',
        details: {
          source: 'broken.bpf.c',
          diagnostics: expect.arrayContaining([
            expect.objectContaining({ file: 'broken.bpf.c', line: 9, column: 10, severity: 'error' }),
          ]),
        },
      },
    });
  });

  it.each([
    ['no such source', ['missing.bpf.c'], 3, /missing\.bpf\.c/],
    ['no source at all', [], 2, /SRC is missing/],
    ['one output file for two sources', ['pass.bpf.c', 'tc.bpf.c', '-o', 'one.o'], 2, /2 sources/],
    ['an output folder that is not there', ['pass.bpf.c', '-o', 'nowhere/pass.o'], 3, /nowhere\/pass\.o/],
    ['an output that is a device', ['pass.bpf.c', '-o', '/dev/null'], 2, /neither a file nor a folder/],
    ['a folder as a source', ['.'], 2, /not a file/],
  ] as const)('refuses %s', (_what, args, status, message) => {
    bring('pass.bpf.c');
    bring('tc.bpf.c');
    const result = build(...args);
    expect(result.status).toBe(status);
    expect(result.stderr).toMatch(message);
    expect(readdirSync(folder).sort()).toEqual(['pass.bpf.c', 'tc.bpf.c']);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('says with status 3 what to install where clang is missing', () => {
    bring('pass.bpf.c');
    const missing = netkit(['build', 'pass.bpf.c', '--json'], {
      cwd: folder,
      env: { NETKIT_CLANG: join(folder, 'no-clang') },
    });
    expect(missing.status).toBe(3);
    expectValid('error', missing.jsonError());
    expect(missing.jsonError()).toMatchObject({ error: { code: 'tool-missing' } });
    const nowhere = netkit(['build', 'pass.bpf.c'], {
      cwd: folder,
      env: { NETKIT_CLANG: 'clang-that-is-not-here' },
    });
    expect(nowhere).toMatchObject({ status: 3, stdout: '' });
  });

  it('builds a source that includes vmlinux.h with the types of this kernel', () => {
    writeFileSync(
      join(folder, 'v.bpf.c'),
      '#include "vmlinux.h"\n#include <bpf/bpf_helpers.h>\nSEC("xdp") int v(struct xdp_md *ctx) { return sizeof(struct task_struct) > 64 ? XDP_PASS : XDP_DROP; }\n',
    );
    expect(build('v.bpf.c')).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('netkit build --watch', () => {
  const edit = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
  };
  const source = (verdict: string) =>
    `#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n#include "mine.h"\nSEC("xdp") int x(struct xdp_md *ctx) { return ${verdict}; }\n`;

  it('builds again after a change of the source or a header, goes on after an error, and ends with Ctrl-C', async () => {
    edit('mine.h', '');
    edit('x.bpf.c', source('XDP_PASS'));
    using watch = startNetkit(['build', '--watch', 'x.bpf.c'], { cwd: folder });
    await watch.output(/^(x\.bpf\.o: .*\n){1}$/);
    edit('x.bpf.c', source('XDP_PAS'));
    await watch.output(/x\.bpf\.c:4:\d+: error: use of undeclared identifier/);
    edit('x.bpf.c', source('XDP_DROP'));
    await watch.output(/^(x\.bpf\.o: .*\n){2}$/);
    edit('mine.h', 'int broken = ;\n');
    await watch.output(/mine\.h:1:\d+: error: expected expression/);
    edit('mine.h', '\n');
    await watch.output(/^(x\.bpf\.o: .*\n){3}$/);
    const { status } = await watch.stop();
    expect(status).toBe(130);
    expect(readdirSync(folder).sort()).toEqual(['mine.h', 'x.bpf.c', 'x.bpf.o']);
  });

  it('gives one JSON document a line for each build', async () => {
    edit('mine.h', '');
    edit('x.bpf.c', source('XDP_PAS'));
    using watch = startNetkit(['build', '--watch', '--json', 'x.bpf.c'], { cwd: folder });
    await watch.output(/\n/);
    edit('x.bpf.c', source('XDP_PASS'));
    await watch.output(/\n.*\n/);
    const documents = (await watch.stop()).jsonLines();
    for (const document of documents) expectValid('build', document);
    expect(documents).toMatchObject([
      { objects: [], diagnostics: [{ file: 'x.bpf.c', line: 4, severity: 'error' }, {}] },
      { objects: [{ file: 'x.bpf.o', programs: ['x'] }], diagnostics: [] },
    ]);
  });

  it('ends at once for a command line that no change of a file makes right', () => {
    expect(build('--watch', 'missing.bpf.c').status).toBe(3);
  });
});
