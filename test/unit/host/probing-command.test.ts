import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ProbingEnd, runProbing } from '../../../src/host/probing-command.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-probing-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const soonMs = 5000;

/** Runs words of a shell, which must not take long whatever they start. */
async function running(words: string, timeoutMs = 60_000, signal?: AbortSignal): Promise<ProbingEnd> {
  const started = performance.now();
  try {
    return await runProbing('/bin/sh', ['-c', words], { cwd: folder, timeoutMs, signal });
  } finally {
    expect(performance.now() - started).toBeLessThan(soonMs);
  }
}

/** Whether the process whose id is in a file has ended. */
async function hasEnded(file: string): Promise<boolean> {
  const pid = readFileSync(join(folder, file), 'utf8').trim();
  for (let tries = 0; tries < 100; tries++) {
    try {
      // Nobody may have waited for it yet.
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return true;
    } catch {
      return true;
    }
    await sleep(20);
  }
  return false;
}

describe('a command that answers within a time', () => {
  it('is told by its status and the first line of its complaint', async () => {
    expect(await running('exit 0')).toEqual({ exitCode: 0, complaint: '' });
    expect(await running('echo out; echo one >&2; echo two >&2; exit 3')).toEqual({
      exitCode: 3,
      complaint: 'one',
    });
    expect((await running('kill -TERM $$')).exitCode).toBe(143);
  });

  it('is not waited for longer, and goes with all that it started', async () => {
    const late = await running('sleep 60 & echo $! > child; echo $$ > own; sleep 60', 300);
    expect(late).toEqual({ exitCode: undefined, complaint: '' });
    expect(await hasEnded('own')).toBe(true);
    expect(await hasEnded('child')).toBe(true);
  });

  it('may leave children that keep its output open: they go, and nobody waits for them', async () => {
    expect((await running('sleep 60 & echo $! > child; exit 4')).exitCode).toBe(4);
    expect(await hasEnded('child')).toBe(true);
  });

  it('may have started what left its group: nobody waits for that', async () => {
    expect((await running('setsid sleep 20 & echo $! > away; sleep 0.2; exit 0')).exitCode).toBe(0);
    process.kill(Number(readFileSync(join(folder, 'away'), 'utf8')), 'SIGKILL');
  });

  it('may write without end', async () => {
    expect(await running('yes', 300)).toEqual({ exitCode: undefined, complaint: '' });
    const loud = await running('yes complaining >&2', 300);
    expect(loud).toEqual({ exitCode: undefined, complaint: 'complaining' });
    const long = await running('head -c 100000 /dev/zero | tr "\\0" x >&2; exit 1');
    expect(long).toEqual({ exitCode: 1, complaint: 'x'.repeat(1000) });
  });

  it('ends with its signal', async () => {
    const stopping = new AbortController();
    setTimeout(() => stopping.abort(), 200);
    const work = running('sleep 60 & echo $! > child; sleep 60', 60_000, stopping.signal);
    await expect(work).rejects.toMatchObject({ code: 'interrupted' });
    expect(await hasEnded('child')).toBe(true);
    await expect(running('true', 1000, stopping.signal)).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('is named when it cannot be started', async () => {
    const work = runProbing(join(folder, 'none'), [], { cwd: folder, timeoutMs: 1000 });
    await expect(work).rejects.toMatchObject({ code: 'tool-failed', message: expect.stringMatching(/none/) });
  });
});
