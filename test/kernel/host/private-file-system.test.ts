import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isBpffs } from '../../../src/host/mounts.js';
import { PrivateFileSystem } from '../../../src/host/private-file-system.js';
import { describeAsRoot } from '../../support/requirements.js';

describeAsRoot('a file system of a process alone', () => {
  it('has files for the process and its children, and no mount', () => {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    using files = new PrivateFileSystem('tmpfs');
    const path = join(files.path, 'file');
    writeFileSync(path, 'here');
    expect(spawnSync('cat', [path], { encoding: 'utf8' }).stdout).toBe('here');
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(mounts);
  });

  it('is a bpf file system where that is asked for', () => {
    using files = new PrivateFileSystem('bpf');
    expect(isBpffs(files.path)).toBe(true);
  });

  it('is gone when it is disposed of', () => {
    const files = new PrivateFileSystem('tmpfs');
    const { path } = files;
    expect(existsSync(path)).toBe(true);
    files[Symbol.dispose]();
    expect(existsSync(path)).toBe(false);
  });
});
