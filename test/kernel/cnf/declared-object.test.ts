import {
  chmodSync,
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
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { compile } from '../../../src/build/clang.js';
import { type ResolvedObject, type ResolveOptions, resolveObject } from '../../../src/cnf/declared/object.js';
import { readInline } from '../../../src/cnf/entries/inline.js';
import type { DeclaredProgram } from '../../../src/cnf/manifest/schema.js';
import { configuration } from '../../../src/functions/firewall/configuration.js';
import { requireTool } from '../../../src/host/command.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { describeWith, itWith } from '../../support/requirements.js';

let folder: string;
/** Where the compiler writes a line at each start. */
let starts: string;

const at = (...path: string[]) => join(folder, ...path);
const put = (text: string, ...path: string[]) => writeFileSync(at(...path), text);
const source = (...heads: string[]) =>
  [
    '#include <linux/bpf.h>',
    '#include <bpf/bpf_helpers.h>',
    ...heads,
    '#ifndef MORE\n#define MORE 0\n#endif',
    'volatile const int limit = 5;',
    'SEC("xdp")\nint prog(struct xdp_md *ctx) { return limit > V + MORE ? XDP_PASS : XDP_DROP; }',
    '',
  ].join('\n');

/** Something to start in clang's place, which starts clang. */
function compiler(name: string, before = ''): string {
  const path = at(name);
  writeFileSync(path, `#!/bin/sh\necho start >>${starts}\n${before}\nexec ${requireTool('clang')} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

const started = () => readFileSync(starts, 'utf8').split('\n').length - 1;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-declared-'));
  for (const name of ['inc', 'tmp', 'state']) mkdirSync(at(name));
  starts = at('starts');
  put('', 'starts');
  put('#define V 2\n', 'inc', 'v.h');
  put(source('#include "v.h"'), 'fw.bpf.c');
  vi.stubEnv('NETKIT_CLANG', compiler('clang'));
  vi.stubEnv('TMPDIR', at('tmp'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  // Whatever happened, what it was compiled in is gone.
  const left = readdirSync(at('tmp'));
  rmSync(folder, { recursive: true });
  expect(left).toEqual([]);
});

const declared: DeclaredProgram = { source: 'fw.bpf.c', includes: ['inc'] };
const resolveHere = (program: DeclaredProgram = declared, options: Partial<ResolveOptions> = {}) =>
  resolveObject(program, { folder, stored: (file) => at('state', file), ...options });

/** What would be recorded of the object, which is put where the records are. */
function recorded({ spec, path, sha256, built }: ResolvedObject): ResolveOptions['previous'] {
  const file = `f-${sha256.slice(0, 12)}.bpf.o`;
  writeFileSync(at('state', file), spec.bytes);
  return { object: { path, file, sha256 }, builtFrom: built };
}

const tools = ['clang', 'llvm-strip'];
const asRoot = { check: () => (process.geteuid?.() === 0 ? undefined : 'root') };

describeWith({ tools }, 'a declared source', () => {
  test('becomes the object that netkit build makes, wherever netkit is', async () => {
    const object = await resolveHere();
    await compile({ sources: ['fw.bpf.c'], includes: ['inc'], cwd: folder, output: at('fw.bpf.o') });
    expect(Buffer.from(object.spec.bytes).equals(readFileSync(at('fw.bpf.o')))).toBe(true);
    expect(object).toMatchObject({
      path: at('fw.bpf.c'),
      compiled: 'it was not compiled before',
      diagnostics: [],
    });
    expect([object.spec.name, object.spec.libbpfName]).toEqual(['fw', 'fw']);
    expect(object.spec.sourceLine('prog', 0)).toMatchObject({ file: 'fw.bpf.c' });
  });

  test('is known by all that was read for it, system headers too', async () => {
    const { built } = await resolveHere();
    const paths = built?.inputs.map(({ path }) => path) ?? [];
    expect(paths[0]).toBe(at('fw.bpf.c'));
    expect(paths).toContain(at('inc', 'v.h'));
    expect(paths).toContain('/usr/include/bpf/bpf_helpers.h');
    expect(new Set(paths).size).toBe(paths.length);
  });

  test('is not compiled again when nothing has changed: not with clang, and not without', async () => {
    const first = await resolveHere();
    const once = started();
    const previous = recorded(first);
    const second = await resolveHere(declared, { previous });
    expect(second).toMatchObject({
      compiled: null,
      sha256: first.sha256,
      path: first.path,
      built: first.built,
    });
    expect([second.spec.name, second.spec.libbpfName]).toEqual(['fw', 'fw']);
    expect(started()).toBe(once);
    vi.stubEnv('NETKIT_CLANG', '');
    vi.stubEnv('PATH', '/nowhere');
    expect(await resolveHere(declared, { previous })).toMatchObject({ compiled: null });
    put('#define V 3\n', 'inc', 'v.h');
    await expect(resolveHere(declared, { previous })).rejects.toMatchObject({ code: 'tool-missing' });
  });

  test('gives an object of its own each time', async () => {
    const first = await resolveHere();
    const previous = recorded(first);
    const second = await resolveHere(declared, { previous });
    second.spec.globals.set('limit', '7');
    const third = await resolveHere(declared, { previous });
    expect(third.spec).not.toBe(second.spec);
    expect([second, third].map(({ spec }) => spec.globals.get('limit'))).toEqual([7, 5]);
  });

  test.each<[string, () => DeclaredProgram | undefined, RegExp]>([
    ['the source', () => void put(source('#define V 3'), 'fw.bpf.c'), /fw\.bpf\.c' has changed/],
    ['a header', () => void put('#define V 3\n', 'inc', 'v.h'), /v\.h' has changed/],
    ['a define', () => ({ ...declared, defines: { MORE: '1' } }), /flags/],
    [
      'an include folder',
      () => {
        mkdirSync(at('other'));
        put('#define V 3\n', 'other', 'v.h');
        return { ...declared, includes: ['other'] };
      },
      /flags/,
    ],
    ['a header that is found earlier', () => void put('#define V 3\n', 'v.h'), /v\.h' is new/],
  ])('is compiled again, to something else, when %s has changed', async (_, change, reason) => {
    const first = await resolveHere();
    const previous = recorded(first);
    const again = change() ?? declared;
    const second = await resolveHere(again, { previous });
    expect(second.compiled).toMatch(reason);
    expect(second.sha256).not.toBe(first.sha256);
    const third = await resolveHere(again, { previous: recorded(second) });
    expect(third).toMatchObject({ compiled: null, sha256: second.sha256 });
  });

  test('is compiled again when the compiler, the stored object or the record of it is another one', async () => {
    const first = await resolveHere();
    const previous = recorded(first);
    vi.stubEnv('NETKIT_CLANG', compiler('clang-99'));
    const second = await resolveHere(declared, { previous });
    expect(second).toMatchObject({ compiled: 'the compiler is another one', sha256: first.sha256 });
    const file = previous?.object.file ?? '';
    const again = recorded(second);
    put('', 'state', file);
    const damaged = { compiled: 'the stored object is gone or damaged', sha256: first.sha256 };
    expect(await resolveHere(declared, { previous: again })).toMatchObject(damaged);
    rmSync(at('state', file));
    expect(await resolveHere(declared, { previous: again })).toMatchObject(damaged);
    if (again === null || again === undefined) throw new Error('there is no record');
    const unknown = { ...again, builtFrom: null };
    expect((await resolveHere(declared, { previous: unknown })).compiled).toBe('it was not compiled before');
  });

  test('with the types of the kernel counts these among what it was made of', {
    timeout: 60_000,
  }, async () => {
    put(
      '#include "vmlinux.h"\n#include <bpf/bpf_helpers.h>\nSEC("xdp")\nint prog(struct xdp_md *ctx) { return XDP_PASS; }\n',
      'fw.bpf.c',
    );
    const first = await resolveHere();
    expect(first.built?.inputs.some(({ path }) => path.endsWith('/vmlinux.h'))).toBe(true);
    expect(first.built?.flags.filter((flag) => flag.startsWith('kernel '))).toHaveLength(1);
    const previous = recorded(first);
    const once = started();
    expect(await resolveHere(declared, { previous })).toMatchObject({ compiled: null });
    expect(started()).toBe(once);
  });

  test('that does not compile is told with every diagnostic and the path, whatever folder netkit is in', async () => {
    put(source('#define V nonsense'), 'fw.bpf.c');
    const path = at('fw.bpf.c');
    await expect(resolveHere()).rejects.toMatchObject({
      code: 'compile-failed',
      message: expect.stringMatching(new RegExp(`^${path}:\\d+:\\d+: .*'nonsense'`)),
      details: {
        source: path,
        diagnostics: [expect.objectContaining({ severity: 'error', file: path, line: expect.any(Number) })],
      },
    });
  });

  test('tells its warnings once, when it is compiled', async () => {
    put(source('#define V 2', '#warning "watch out"'), 'fw.bpf.c');
    const first = await resolveHere();
    expect(first.diagnostics).toEqual([
      expect.objectContaining({ severity: 'warning', file: at('fw.bpf.c'), line: 4 }),
    ]);
    expect((await resolveHere(declared, { previous: recorded(first) })).diagnostics).toEqual([]);
  });

  test('that is written while it is compiled is compiled once more', async () => {
    const change = `[ -e ${at('done')} ] || { sleep 0.05; echo '#define V 3' >${at('inc', 'v.h')}; touch ${at('done')}; }`;
    vi.stubEnv('NETKIT_CLANG', compiler('clang', change));
    const object = await resolveHere();
    expect(started()).toBeGreaterThan(1);
    vi.stubEnv('NETKIT_CLANG', compiler('clang'));
    expect(object.sha256).toBe((await resolveHere()).sha256);
    expect(object.built?.inputs.find(({ path }) => path.endsWith('/v.h'))?.size).toBe(12);
  });

  test('that is written all the time is compiled, and taken for unknown the next time', async () => {
    vi.stubEnv('NETKIT_CLANG', compiler('clang', `sleep 0.05; touch ${at('inc', 'v.h')}`));
    const object = await resolveHere();
    expect(started()).toBe(3);
    expect(object.built).toBeNull();
  });

  test('ends with its signal, at once', async () => {
    vi.stubEnv('NETKIT_CLANG', compiler('clang', 'exec sleep 60'));
    const began = performance.now();
    const signal = AbortSignal.timeout(100);
    await expect(resolveHere(declared, { signal })).rejects.toMatchObject({ code: 'interrupted' });
    expect(performance.now() - began).toBeLessThan(5000);
  });

  for (const path of ['fw.bpf.c', 'inc', 'inc/v.h', '.']) {
    itWith(asRoot, `is refused to root when others can write to ${path}`, async () => {
      const first = await resolveHere();
      const previous = recorded(first);
      chmodSync(at(path), statSync(at(path)).mode | 0o002);
      const refusal = { code: 'not-permitted', message: expect.stringMatching(/is not trusted.*everybody/) };
      await expect(resolveHere()).rejects.toMatchObject(refusal);
      await expect(resolveHere(declared, { previous })).rejects.toMatchObject(refusal);
    });
  }

  itWith({ timing: true }, 'that has not changed costs less than 15 ms', async () => {
    const first = await resolveObject(
      { source: 'bpf/firewall.bpf.c' },
      { folder: packageRoot(), stored: (file) => at('state', file) },
    );
    const previous = recorded(first);
    const options = { folder: packageRoot(), stored: (file: string) => at('state', file), previous };
    const times: number[] = [];
    for (let round = 0; round < 9; round++) {
      const began = performance.now();
      expect(await resolveObject({ source: 'bpf/firewall.bpf.c' }, options)).toMatchObject({
        compiled: null,
      });
      times.push(performance.now() - began);
    }
    expect(times.sort((a, b) => a - b)[4]).toBeLessThan(15);
  });
});

describeWith({ tools }, 'a declared program', () => {
  test.each<[string, DeclaredProgram, object]>([
    ['a source that is not there', { source: 'none.c' }, { code: 'not-found' }],
    ['an object as source', { source: 'fw.bpf.o' }, { code: 'usage', hint: "declare it as 'object'" }],
    ['a folder as source', { source: 'folder.c' }, { code: 'usage' }],
    ['an include folder that is not there', { ...declared, includes: ['none'] }, { code: 'not-found' }],
    ['an include folder that is a file', { ...declared, includes: ['starts'] }, { code: 'usage' }],
    ['a source as object', { object: 'fw.bpf.c' }, { code: 'bad-object', hint: "declare it as 'source'" }],
    ['an object that is not there', { object: 'none.o' }, { code: 'not-found' }],
    ['an object that is none', { object: 'starts' }, { code: 'bad-object' }],
    ['a function that does not come with netkit', { builtin: 'firewal' }, { code: 'not-found' }],
  ])('that is %s is refused, and nothing is compiled', async (_, program, error) => {
    mkdirSync(at('folder.c'));
    await expect(resolveHere(program)).rejects.toMatchObject(error);
    expect(started()).toBe(0);
  });

  test('that is an object file, or a built-in function, is read as it is', async () => {
    const { spec, sha256 } = await resolveHere();
    writeFileSync(at('fw.bpf.o'), spec.bytes);
    expect(await resolveHere({ object: 'fw.bpf.o' })).toMatchObject({
      path: at('fw.bpf.o'),
      sha256,
      built: null,
      compiled: null,
    });
    const builtin = await resolveHere({ builtin: 'firewall' });
    expect(builtin).toMatchObject({ path: 'builtin:firewall', built: null, compiled: null });
    expect(builtin.spec.program('firewall').type).toBe('xdp');
  });

  test('that is the firewall takes all that its configuration says', async () => {
    const { spec } = await resolveHere({ builtin: 'firewall' });
    const reading = configuration.resolve({
      defaultAction: 'drop',
      block: ['10.0.0.0/8', '2001:db8::/32'],
      allow: ['10.1.2.3'],
      maxEntries: 2,
    });
    if (reading.problems !== null) throw new Error(JSON.stringify(reading.problems));
    const { globals, maps } = reading.resolved;
    for (const [name, text] of Object.entries(globals)) spec.globals.set(name, text);
    expect(spec.globals.get('default_action')).toBe('drop');
    for (const [name, { maxEntries = 0 }] of Object.entries(maps)) spec.setMapSize(name, maxEntries);
    const counts = Object.entries(maps).map(
      ([name, { entries = {} }]) => readInline(spec, name, entries).count,
    );
    expect(counts).toEqual([2, 1]);
  });

  itWith(asRoot, 'that is an object is refused to root when others can write to it', async () => {
    const { spec } = await resolveHere();
    writeFileSync(at('fw.bpf.o'), spec.bytes, { mode: 0o644 });
    chmodSync(at('fw.bpf.o'), 0o666);
    await expect(resolveHere({ object: 'fw.bpf.o' })).rejects.toMatchObject({ code: 'not-permitted' });
  });
});
