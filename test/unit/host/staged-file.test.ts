import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StagedFile } from '../../../src/host/staged-file.js';

const disk = vi.hoisted(() => ({ failures: 0 }));

// As Linux has it: a page that cannot be written is told to one sync, and the next one succeeds.
vi.mock('node:fs', async (load) => {
  const fs = await load<typeof import('node:fs')>();
  const fdatasync = (fd: number, done: (error: Error | null) => void): void => {
    if (disk.failures === 0) fs.fdatasync(fd, done);
    else setTimeout(() => done(disk.failures-- > 0 ? new Error('EIO: i/o error, fdatasync') : null), 20);
  };
  return { ...fs, fdatasync };
});

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'netkit-staged-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('StagedFile', () => {
  it('takes its place as a whole, with the mode asked for', async () => {
    const path = join(directory, 'entries.csv');
    writeFileSync(path, 'old');
    {
      using file = new StagedFile(path, { mode: 0o640 });
      file.write(Buffer.from('new '));
      file.write(Buffer.from('text'));
      expect(readFileSync(path, 'utf8')).toBe('old');
      await file.commit();
      expect(readFileSync(path, 'utf8')).toBe('new text');
    }
    expect(readFileSync(path, 'utf8')).toBe('new text');
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(directory)).toEqual(['entries.csv']);
  });

  it('leaves the old file, and nothing beside it, when it is not committed', () => {
    const path = join(directory, 'entries.csv');
    writeFileSync(path, 'old');
    const before = descriptors();
    {
      using file = new StagedFile(path, { mode: 0o644 });
      file.write(Buffer.from('new'));
    }
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(directory)).toEqual(['entries.csv']);
    expect(descriptors()).toBe(before);
  });

  it('takes more than is kept unsynced, and closes its descriptor when the last sync is over', async () => {
    const path = join(directory, 'large');
    const before = descriptors();
    const piece = Buffer.alloc(1 << 20, 'x');
    {
      using file = new StagedFile(path, { mode: 0o644 });
      for (let written = 0; written < 20; written++) file.write(piece);
      await file.commit();
    }
    expect(statSync(path).size).toBe(20 << 20);
    const deadline = performance.now() + 5000;
    while (descriptors() > before && performance.now() < deadline) await sleep(5);
    expect(descriptors()).toBe(before);
  });

  it('is not put in place when the disk could not take a part of it', async () => {
    const path = join(directory, 'entries.csv');
    writeFileSync(path, 'old');
    const before = descriptors();
    const message = `cannot write '${path}': EIO: i/o error, fdatasync`;
    {
      using file = new StagedFile(path, { mode: 0o644 });
      disk.failures = 1;
      file.write(Buffer.alloc(9 << 20, 'x'));
      await expect(file.commit()).rejects.toThrow(message);
    }
    {
      using file = new StagedFile(path, { mode: 0o644 });
      disk.failures = 1;
      file.write(Buffer.alloc(9 << 20, 'x'));
      while (disk.failures > 0) await sleep(5);
      expect(() => file.write(Buffer.from('more'))).toThrow(message);
    }
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(directory)).toEqual(['entries.csv']);
    expect(descriptors()).toBe(before);
  });

  it('removes what a killed writer left', async () => {
    const path = join(directory, 'entries.csv');
    const dead = spawnSync('true').pid;
    writeFileSync(join(directory, `.entries.csv.${dead}-0123abcd.tmp`), 'half');
    using file = new StagedFile(path, { mode: 0o644 });
    await file.commit();
    expect(readdirSync(directory)).toEqual(['entries.csv']);
  });

  it('says where it cannot write', () => {
    expect(() => new StagedFile(join(directory, 'none/entries.csv'), { mode: 0o644 })).toThrow(
      /cannot write '.*none\/entries\.csv'/,
    );
    expect(readdirSync(directory)).toEqual([]);
  });
});
