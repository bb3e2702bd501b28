import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findTool, requireTool, runCommand } from '../../../src/host/command.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'netkit-command-'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

describe('findTool', () => {
  it('finds an executable file in PATH and nothing else', () => {
    const tool = join(directory, 'some-tool');
    writeFileSync(tool, '#!/bin/sh\n');
    mkdirSync(join(directory, 'folder'));
    vi.stubEnv('PATH', directory);
    expect(findTool('some-tool')).toBeUndefined();
    chmodSync(tool, 0o755);
    expect(findTool('some-tool')).toBe(tool);
    expect(findTool('folder')).toBeUndefined();
  });

  it('looks into the system directories when PATH lacks them', () => {
    vi.stubEnv('PATH', directory);
    expect(findTool('ldconfig')).toMatch(/^(\/usr)?\/sbin\/ldconfig$/);
  });

  it('never takes a program of the current directory', () => {
    const tool = join(directory, 'some-tool');
    writeFileSync(tool, '#!/bin/sh\n', { mode: 0o755 });
    const before = process.cwd();
    try {
      process.chdir(directory);
      vi.stubEnv('PATH', ':.');
      expect(findTool('some-tool')).toBeUndefined();
    } finally {
      process.chdir(before);
    }
  });

  it('names the Debian package of a missing tool', () => {
    vi.stubEnv('PATH', directory);
    expect(() => requireTool('no-such-tool')).toThrow(
      expect.objectContaining({ code: 'tool-missing', hint: undefined }),
    );
    expect(findTool('llvm-strip')).toBeUndefined();
    expect(() => requireTool('llvm-strip')).toThrow(
      expect.objectContaining({ code: 'tool-missing', hint: 'on Debian: apt-get install llvm' }),
    );
  });
});

describe('runCommand', () => {
  it('gives output, errors and status of a program that fails', async () => {
    const result = await runCommand('sh', ['-c', 'echo out; echo err >&2; exit 3']);
    expect(result).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  it('passes input, environment and directory', async () => {
    const result = await runCommand('sh', ['-c', 'cat; echo "$WORD"; pwd'], {
      input: 'given ',
      env: { WORD: 'word' },
      cwd: directory,
    });
    expect(result.stdout).toBe(`given word\n${directory}\n`);
  });

  it('gives a program without input an empty one', async () => {
    expect(await runCommand('cat', [])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('counts a signal as shells do', async () => {
    expect((await runCommand('sh', ['-c', 'kill -TERM $$'])).exitCode).toBe(143);
  });

  it('refuses a missing program', async () => {
    await expect(runCommand('no-such-tool', [])).rejects.toMatchObject({ code: 'tool-missing' });
  });

  it('says why a program could not be started', async () => {
    const gone = join(directory, 'gone');
    await expect(runCommand('sh', ['-c', 'true'], { cwd: gone })).rejects.toMatchObject({
      code: 'tool-failed',
    });
  });

  it('ends a program when it is interrupted', async () => {
    const before = performance.now();
    const running = runCommand('sleep', ['20'], { signal: AbortSignal.timeout(50) });
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it('starts nothing when it is interrupted already', async () => {
    const running = runCommand('sleep', ['20'], { signal: AbortSignal.abort() });
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
  });
});
