import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultCacheDirectory } from '../../../../src/build/vmlinux.js';
import type { BuiltFrom } from '../../../../src/cnf/declaration.js';
import {
  type BuildRequest,
  checkBuild,
  fileIdentity,
  isOfSystem,
  recordBuild,
  sameFile,
} from '../../../../src/cnf/declared/build-inputs.js';
import { packageRoot } from '../../../../src/host/package-root.js';

let folder: string;
let request: BuildRequest;
let built: BuiltFrom;

const at = (...path: string[]) => join(folder, ...path);
const put = (text: string, ...path: string[]) => writeFileSync(at(...path), text);
/** So long ago that the next write is at another time. */
const age = (...path: string[]) => utimesSync(at(...path), 1_000_000, 1_000_000);

function program(name: string): string {
  const path = at(name);
  writeFileSync(path, '#!/bin/sh\nexit 1\n');
  chmodSync(path, 0o755);
  return path;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-inputs-'));
  for (const name of ['src', 'first', 'second']) mkdirSync(at(name));
  put('int a;\n', 'src', 'fw.bpf.c');
  put('#define A 1\n', 'second', 'a.h');
  put('#define L 1\n', 'src', 'local.h');
  for (const path of [
    ['src', 'fw.bpf.c'],
    ['second', 'a.h'],
    ['src', 'local.h'],
  ])
    age(...path);
  vi.stubEnv('NETKIT_CLANG', program('clang'));
  request = { source: at('src', 'fw.bpf.c'), folder, includes: ['first', 'second'], defines: ['N=1'] };
  built = recordBuild(request, [request.source, at('second', 'a.h'), at('src', 'local.h')]);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const changed = (now: BuildRequest = request) => checkBuild(built, now).changed;

describe('an object that was compiled', () => {
  it('is as good as new while nothing has changed', () => {
    expect(checkBuild(built, request)).toEqual({ changed: null, built });
  });

  it('is recorded in plain data', () => {
    expect(JSON.parse(JSON.stringify(built))).toEqual(built);
    expect(built.inputs.map(({ path }) => path)).toEqual([
      at('src', 'fw.bpf.c'),
      at('second', 'a.h'),
      at('src', 'local.h'),
    ]);
    expect(built.flags).toContain('-DN=1');
  });

  it.each([
    ['src', 'fw.bpf.c'],
    ['second', 'a.h'],
    ['src', 'local.h'],
  ])('is compiled again when %s/%s has changed, in size or not', (...path) => {
    const before = readFileSync(at(...path), 'utf8');
    put(before.replace('1', '10').replace('a', 'ab'), ...path);
    expect(changed()).toBe(`'${at(...path)}' has changed`);
    put(before.replace('1', '2').replace('a', 'b'), ...path);
    expect(changed()).toBe(`'${at(...path)}' has changed`);
    put(before, ...path);
    expect(changed()).toBeNull();
  });

  it('is not compiled again for files that were written again as they were, whose times are then remembered', () => {
    put(readFileSync(at('second', 'a.h'), 'utf8'), 'second', 'a.h');
    const check = checkBuild(built, request);
    if (check.changed !== null) throw new Error(check.changed);
    expect(check.built).not.toEqual(built);
    expect(check.built).toEqual(
      recordBuild(
        request,
        built.inputs.map(({ path }) => path),
      ),
    );
  });

  it('reads no file whose size and time are as before', () => {
    const path = at('second', 'a.h');
    writeFileSync(path, '#define A 2\n');
    age('second', 'a.h');
    // The one thing that tells that nothing was read: the change goes unnoticed, as the comment says.
    expect(changed()).toBeNull();
  });

  it('is compiled again when a header is gone', () => {
    rmSync(at('second', 'a.h'));
    expect(changed()).toBe(`'${at('second', 'a.h')}' has changed`);
    rmSync(at('second'), { recursive: true });
    put('a file', 'second');
    expect(changed()).toBe(`'${at('second', 'a.h')}' has changed`);
  });

  it.each<[string, Partial<BuildRequest>]>([
    ['another define', { defines: ['N=2'] }],
    ['one more define', { defines: ['N=1', 'M'] }],
    ['no define', { defines: [] }],
    ['another include folder', { includes: ['second'] }],
    ['include folders in another order', { includes: ['second', 'first'] }],
    ['another folder of the manifest', { folder: '/' }],
  ])('is compiled again with %s', (_, other) => {
    expect(changed({ ...request, ...other })).toBe('the flags of the compiler are others');
  });

  it.each(['CPATH', 'C_INCLUDE_PATH', 'CCC_OVERRIDE_OPTIONS'])(
    'is compiled again with another %s in the environment',
    (name) => {
      vi.stubEnv(name, '/x');
      expect(changed()).toBe('the flags of the compiler are others');
    },
  );

  it('is compiled again for another source, whatever is in it', () => {
    const source = at('src', 'other.bpf.c');
    symlinkSync(request.source, source);
    expect(changed({ ...request, source })).toBe('it is another source');
  });

  it('is compiled again by another compiler, and by one that was installed anew', () => {
    vi.stubEnv('NETKIT_CLANG', program('clang-99'));
    expect(changed()).toBe('the compiler is another one');
    vi.stubEnv('NETKIT_CLANG', at('clang'));
    expect(changed()).toBeNull();
    put('#!/bin/sh\nexit 2 # newer\n', 'clang');
    expect(changed()).toBe('the compiler is another one');
  });

  it('stays good where there is no compiler any more', () => {
    vi.stubEnv('NETKIT_CLANG', at('none'));
    expect(changed()).toBeNull();
    vi.stubEnv('NETKIT_CLANG', '');
    vi.stubEnv('PATH', '/nowhere');
    expect(changed()).toBeNull();
  });

  it('is compiled again when a new header would be found before the old one', () => {
    put('', 'first', 'a.h');
    expect(changed()).toBe(`'${at('first', 'a.h')}' is new`);
    rmSync(at('first', 'a.h'));
    put('', 'src', 'a.h');
    expect(changed()).toBe(`'${at('src', 'a.h')}' is new`);
    rmSync(at('src', 'a.h'));
    put('', 'first', 'unknown.h');
    expect(changed()).toBeNull();
  });

  it('does not take for new what was passed over already', () => {
    put('', 'first', 'local.h');
    built = recordBuild(request, [request.source, at('src', 'local.h')]);
    expect(built.flags).toContain(`passed over ${at('first', 'local.h')}`);
    expect(changed()).toBeNull();
    put('', 'second', 'local.h');
    expect(changed()).toBe(`'${at('second', 'local.h')}' is new`);
  });

  it('is compiled again on another kernel, if it was with the types of this one', () => {
    // Such a file would be the last thing to be looked at.
    const header = join(defaultCacheDirectory(), 'vmlinux', 'x', 'vmlinux.h');
    const mark = 'kernel 4.1 of another time';
    const inputs = [...built.inputs, { path: header, size: 0, mtimeNs: '0', sha256: '' }];
    expect(checkBuild({ ...built, inputs, flags: [...built.flags, mark] }, request).changed).toBe(
      'the types of another kernel',
    );
  });
});

describe('what came with the system', () => {
  it.each([
    ['/usr/include/linux/bpf.h', true],
    ['/usr/lib/llvm-14/lib/clang/14.0.6/include/stddef.h', true],
    [join(packageRoot(), 'bpf/include/netkit/packet.h'), true],
    [join(defaultCacheDirectory(), 'vmlinux/x/vmlinux.h'), true],
    ['/usr/local/src/fw/fw.h', false],
    ['/usr/src/fw/fw.h', false],
    [join(packageRoot(), 'bpf/includes/x.h'), false],
    ['/usr/included/x.h', false],
  ])('%s: %s', (path, expected) => {
    expect(isOfSystem(path)).toBe(expected);
  });
});

describe('the identity of a file', () => {
  it('is its size, time and contents', () => {
    expect(fileIdentity(at('second', 'a.h'))).toEqual({
      path: at('second', 'a.h'),
      size: 12,
      mtimeNs: '1000000000000000',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('of a file that is not there is an error, and none to compare with', () => {
    const before = fileIdentity(at('second', 'a.h'));
    rmSync(at('second', 'a.h'));
    expect(() => fileIdentity(at('second', 'a.h'))).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(sameFile(before)).toBeUndefined();
  });

  it('of a file on whose way another file has come is another one', () => {
    const before = fileIdentity(at('second', 'a.h'));
    rmSync(at('second'), { recursive: true });
    put('', 'second');
    expect(sameFile(before)).toBeUndefined();
  });
});
