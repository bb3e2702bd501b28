import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireLock } from '../../../src/host/lock.js';
import { packageRoot } from '../../../src/host/package-root.js';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'netkit-lock-'));
  path = join(directory, 'state/lock');
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const load = { timeoutMs: 2000, command: 'netkit load x' };
const attach = { timeoutMs: 2000, command: 'netkit attach x eth0' };

describe('lock', () => {
  it('makes a directory and a file that only their owner reads', async () => {
    using _lock = await acquireLock(path, load);
    expect(statSync(join(directory, 'state')).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is refused to a second one, who learns who holds it', async () => {
    using _lock = await acquireLock(path, load);
    await expect(acquireLock(path, { ...attach, timeoutMs: 0 })).rejects.toMatchObject({
      code: 'locked',
      message: `another netkit command holds the lock: 'netkit load x' (pid ${process.pid}, for 0 s)`,
      details: { holder: { command: 'netkit load x' } },
    });
  });

  it('is waited for, saying once for whom', async () => {
    const first = await acquireLock(path, load);
    const waited: string[] = [];
    setTimeout(() => {
      first[Symbol.dispose]();
    }, 150);
    using _second = await acquireLock(path, { ...attach, onWait: (holder) => waited.push(holder) });
    expect(waited).toEqual([`'netkit load x' (pid ${process.pid}, for 0 s)`]);
    expect(readFileSync(path, 'utf8')).toContain('netkit attach x eth0');
  });

  it('says nothing of waiting when it is free', async () => {
    const waited: string[] = [];
    using _lock = await acquireLock(path, { ...load, onWait: (holder) => waited.push(holder) });
    expect(waited).toEqual([]);
  });

  it('is given up after the timeout and not much later', async () => {
    using _lock = await acquireLock(path, load);
    const before = performance.now();
    await expect(acquireLock(path, { ...attach, timeoutMs: 120 })).rejects.toMatchObject({ code: 'locked' });
    expect(performance.now() - before).toBeGreaterThanOrEqual(115);
    expect(performance.now() - before).toBeLessThan(1000);
  });

  it('is given up at once when the command is interrupted', async () => {
    using _lock = await acquireLock(path, load);
    const waiting = acquireLock(path, { ...attach, timeoutMs: 20_000, signal: AbortSignal.timeout(50) });
    await expect(waiting).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('names nobody after it was released', async () => {
    const lock = await acquireLock(path, load);
    lock[Symbol.dispose]();
    lock[Symbol.dispose]();
    expect(readFileSync(path, 'utf8')).toBe('');
  });

  it('is held by one of many at a time', async () => {
    let inside = 0;
    let most = 0;
    const worker = async () => {
      using _lock = await acquireLock(path, { ...load, timeoutMs: 20_000 });
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 3));
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 12 }, worker));
    expect(most).toBe(1);
  });

  it('excludes others also after the file was removed while they waited', async () => {
    const first = await acquireLock(path, load);
    const second = acquireLock(path, attach);
    rmSync(path);
    using _third = await acquireLock(path, { ...load, command: 'netkit unload x' });
    first[Symbol.dispose]();
    await expect(Promise.race([second, Promise.resolve('still waiting')])).resolves.toBe('still waiting');
    await expect(acquireLock(path, { ...attach, timeoutMs: 0 })).rejects.toMatchObject({ code: 'locked' });
    _third[Symbol.dispose]();
    (await second)[Symbol.dispose]();
  });

  it('ends with the process that holds it, even if that is killed', async () => {
    const args = ['scripts/run.mjs', 'test/support/host-probe.ts', 'hold-lock', path];
    const holder = spawn(process.execPath, args, {
      cwd: packageRoot(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    await expect(acquireLock(path, { ...attach, timeoutMs: 0 })).rejects.toThrow(
      `'netkit load held' (pid ${holder.pid}`,
    );
    holder.kill('SIGKILL');
    using _lock = await acquireLock(path, attach);
    expect(readFileSync(path, 'utf8')).toContain('netkit attach x eth0');
  });

  it('says that the state directory may not be used', async () => {
    writeFileSync(join(directory, 'state'), '');
    await expect(acquireLock(path, load)).rejects.toThrow(`cannot lock '${path}'`);
  });
});
