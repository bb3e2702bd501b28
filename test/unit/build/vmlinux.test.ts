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
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultCacheDirectory, vmlinuxHeader } from '../../../src/build/vmlinux.js';
import { BtfBuilder } from '../../support/btf-builder.js';

let folder: string;
let cacheDir: string;
let btfPath: string;

function writeBtf(member: string): void {
  const btf = new BtfBuilder();
  const int = btf.int('int', 4, { signed: true });
  btf.struct('pair', 8, [
    { name: member, type: int, offset: 0 },
    { name: 'right', type: int, offset: 4 },
  ]);
  writeFileSync(btfPath, btf.bytes());
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-vmlinux-'));
  cacheDir = join(folder, 'cache');
  btfPath = join(folder, 'btf');
  writeBtf('left');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('vmlinuxHeader', () => {
  it('writes a header named vmlinux.h, alone in its directory', () => {
    const path = vmlinuxHeader({ btfPath, cacheDir });
    expect(basename(path)).toBe('vmlinux.h');
    expect(readdirSync(dirname(path))).toEqual(['vmlinux.h']);
    expect(readFileSync(path, 'utf8')).toContain('struct pair {\n\tint left;\n\tint right;\n};');
  });

  it('keeps the cache to its user', () => {
    const path = vmlinuxHeader({ btfPath, cacheDir });
    expect(statSync(cacheDir).mode & 0o777).toBe(0o700);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('takes a header from the cache as it stands', () => {
    const path = vmlinuxHeader({ btfPath, cacheDir });
    writeFileSync(path, 'kept');
    expect(vmlinuxHeader({ btfPath, cacheDir })).toBe(path);
    expect(readFileSync(path, 'utf8')).toBe('kept');
  });

  it('makes another header for another BTF', () => {
    const first = vmlinuxHeader({ btfPath, cacheDir });
    writeBtf('west');
    const second = vmlinuxHeader({ btfPath, cacheDir });
    expect(second).not.toBe(first);
    expect(readFileSync(second, 'utf8')).toContain('int west;');
  });

  it('says that the kernel does not show its types when the file is missing', () => {
    expect(() => vmlinuxHeader({ btfPath: join(folder, 'none'), cacheDir })).toThrow(
      expect.objectContaining({
        code: 'unsupported',
        hint: expect.stringContaining('CONFIG_DEBUG_INFO_BTF'),
      }),
    );
  });

  it('leaves no header behind when the BTF is damaged', () => {
    writeFileSync(btfPath, readFileSync(btfPath).subarray(0, 40));
    expect(() => vmlinuxHeader({ btfPath, cacheDir })).toThrow(
      expect.objectContaining({ code: 'bad-object' }),
    );
    const left = readdirSync(cacheDir, { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
  });

  it('refuses a cache that others can write to', () => {
    mkdirSync(join(cacheDir, 'vmlinux'), { recursive: true });
    chmodSync(join(cacheDir, 'vmlinux'), 0o777);
    expect(() => vmlinuxHeader({ btfPath, cacheDir })).toThrow(
      expect.objectContaining({
        code: 'not-permitted',
        message: expect.stringContaining('others can write'),
      }),
    );
  });

  it('names the path when the cache cannot be made', () => {
    writeFileSync(cacheDir, '');
    expect(() => vmlinuxHeader({ btfPath, cacheDir })).toThrow(
      expect.objectContaining({ name: 'NetkitError', message: expect.stringContaining(cacheDir) }),
    );
  });
});

describe('defaultCacheDirectory', () => {
  it('is the system’s for root', () => {
    expect(defaultCacheDirectory({ XDG_CACHE_HOME: '/x' }, 0)).toBe('/var/cache/netkit');
  });

  it('follows XDG_CACHE_HOME for others', () => {
    expect(defaultCacheDirectory({ XDG_CACHE_HOME: '/x' }, 1000)).toBe('/x/netkit');
  });

  it.each([undefined, '', 'relative'])('ignores %j as XDG_CACHE_HOME', (value) => {
    expect(defaultCacheDirectory({ XDG_CACHE_HOME: value }, 1000)).toBe(join(homedir(), '.cache', 'netkit'));
  });
});
