import { spawnSync } from 'node:child_process';
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
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFileSynced } from '../../../src/host/atomic-file.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'netkit-atomic-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('writeFileSynced', () => {
  it('writes a file that only its owner reads, whatever the umask', () => {
    const path = join(directory, 'state.json');
    const umask = process.umask(0o777);
    try {
      writeFileSynced(path, '{}');
    } finally {
      process.umask(umask);
    }
    expect(readFileSync(path, 'utf8')).toBe('{}');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('replaces a file and takes the mode that is asked for', () => {
    const path = join(directory, 'state.json');
    writeFileSync(path, 'old and longer');
    chmodSync(path, 0o600);
    writeFileSynced(path, new Uint8Array([110, 101, 119]), { mode: 0o644 });
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(readdirSync(directory)).toEqual(['state.json']);
  });

  it('leaves no temporary file when it fails', () => {
    const path = join(directory, 'taken');
    mkdirSync(path);
    expect(() => writeFileSynced(path, 'x')).toThrow(`cannot write '${path}'`);
    expect(readdirSync(directory)).toEqual(['taken']);
  });

  it('says that the directory does not exist', () => {
    expect(() => writeFileSynced(join(directory, 'no/state.json'), 'x')).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
  });

  it('removes what dead writers left and nothing else', () => {
    const dead = spawnSync('true').pid;
    const left = `.state.json.${dead}-0123abcd.tmp`;
    const alive = `.state.json.${process.pid}-0123abcd.tmp`;
    const foreign = '.state.json.tmp';
    for (const name of [left, alive, foreign]) writeFileSync(join(directory, name), 'part');
    writeFileSynced(join(directory, 'other.json'), 'x');
    expect(readdirSync(directory).sort()).toEqual([alive, foreign, 'other.json'].sort());
  });
});
