import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findBinary, readBinary } from '../../../src/host/binary-file.js';

describe('the file of a program or library', () => {
  const folder = mkdtempSync(join(tmpdir(), 'netkit-test-'));
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is the path that was given, a program of PATH, or a library of the system', () => {
    const own = join(folder, 'netkit-own-program');
    writeFileSync(own, 'x');
    vi.stubEnv('PATH', `:${folder}`);
    expect(findBinary('./anything')).toBe('./anything');
    expect(findBinary('netkit-own-program')).toBe(own);
    expect(findBinary('libc.so.6')).toMatch(/^\/.*\/libc\.so\.6$/);
    expect([...readBinary(own)]).toEqual([0x78]);
  });

  it('is said to be missing when it is, and a folder is none', () => {
    expect(() => findBinary('netkit-no-such-program')).toThrow(/there is no program or library/);
    expect(() => readBinary('/none/at/all')).toThrow(/there is no such file/);
    expect(() => readBinary('/')).toThrow('/: not a regular file');
  });
});
