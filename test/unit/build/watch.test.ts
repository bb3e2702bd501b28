import { mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SourceWatch } from '../../../src/build/watch.js';

let folder: string;
let source: string;
let header: string;
/** What was reported, one entry a call. */
let reports: string[][];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-watch-'));
  source = join(folder, 'a.bpf.c');
  header = join(folder, 'a.h');
  writeFileSync(source, '1');
  writeFileSync(header, '1');
  reports = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function start(files: string[]): SourceWatch {
  return new SourceWatch(files, (changed) => reports.push([...changed]), { settle: 20 });
}

async function reported(count: number): Promise<void> {
  await expect.poll(() => reports.length, { timeout: 5000 }).toBeGreaterThanOrEqual(count);
}

describe('SourceWatch', () => {
  test('reports a file that was written', async () => {
    using _watch = start([source, header]);
    writeFileSync(source, '22');
    await reported(1);
    expect(reports).toEqual([[source]]);
  });

  test('reports a file that was replaced, as editors do, every time', async () => {
    using _watch = start([source]);
    for (const round of [1, 2, 3]) {
      writeFileSync(`${source}.swp`, `round ${round}`);
      renameSync(`${source}.swp`, source);
      await reported(round);
    }
    expect(reports).toEqual([[source], [source], [source]]);
  });

  test('reports one change where several events come at once', async () => {
    using _watch = start([source, header]);
    for (let round = 0; round < 20; round++) writeFileSync(source, `round ${round}`);
    writeFileSync(header, 'new');
    await reported(1);
    await sleep(100);
    expect(reports.flat().sort()).toEqual([source, header].sort());
    expect(reports.length).toBe(1);
  });

  test('reports a file that was gone when it is back', async () => {
    using _watch = start([source]);
    unlinkSync(source);
    await sleep(100);
    expect(reports).toEqual([]);
    writeFileSync(source, 'back');
    await reported(1);
    expect(reports).toEqual([[source]]);
  });

  test('passes over other files', async () => {
    using _watch = start([source]);
    writeFileSync(header, '2');
    writeFileSync(join(folder, 'a.bpf.o'), '2');
    await sleep(150);
    expect(reports).toEqual([]);
  });

  test('follows new files, and lets go of old ones', async () => {
    const other = join(folder, 'include');
    mkdirSync(other);
    const far = join(other, 'far.h');
    writeFileSync(far, '1');
    using watch = start([source]);
    watch.follow([far]);
    writeFileSync(source, '22');
    writeFileSync(far, '22');
    await reported(1);
    await sleep(100);
    expect(reports).toEqual([[far]]);
  });

  test('reports nothing any more once it has ended', async () => {
    const watch = start([source]);
    writeFileSync(source, '22');
    watch[Symbol.dispose]();
    await sleep(150);
    expect(reports).toEqual([]);
  });

  test('does not mind a folder that is not there', () => {
    using _watch = start([join(folder, 'nowhere', 'x.c')]);
    expect(reports).toEqual([]);
  });
});
