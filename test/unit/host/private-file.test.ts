import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PrivateFile } from '../../../src/host/private-file.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'netkit-private-'));
  vi.stubEnv('TMPDIR', directory);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const own = (): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(directory) ? [target] : [];
    } catch {
      // The descriptor of the listing itself.
      return [];
    }
  });

describe('PrivateFile', () => {
  it('has no name from the beginning', () => {
    using file = new PrivateFile();
    expect(readdirSync(directory)).toEqual([]);
    expect(own()).toEqual([expect.stringMatching(/ \(deleted\)$/)]);
    expect(file.size).toBe(0);
  });

  it('gives back what was added, piece by piece', () => {
    using file = new PrivateFile();
    file.append(Buffer.from('abc'));
    file.append(Buffer.from('defgh'));
    expect(file.size).toBe(8);
    const bytes = Buffer.alloc(5);
    expect(file.read(bytes, 2)).toBe(5);
    expect(bytes.toString()).toBe('cdefg');
    expect(file.read(bytes, 6)).toBe(2);
    expect(bytes.toString('utf8', 0, 2)).toBe('gh');
    file.append(Buffer.from('i'));
    expect(file.read(bytes, 8)).toBe(1);
  });

  it('is gone when it is disposed, also twice', () => {
    const file = new PrivateFile();
    file[Symbol.dispose]();
    file[Symbol.dispose]();
    expect(own()).toEqual([]);
  });

  it('says where it cannot be', () => {
    vi.stubEnv('TMPDIR', join(directory, 'none'));
    expect(() => new PrivateFile()).toThrow(/cannot write '.*none'/);
  });
});
