import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BpfMap } from '../../src/ebpf/map.js';
import { packageRoot } from '../../src/host/package-root.js';
import { makeBpffs } from '../support/bpffs.js';
import { netkit, startNetkit } from '../support/cli.js';
import { leavingNothing } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { isThorough } from '../support/sampling.js';
import { Objects } from './objects.js';

/** A hundred of them, or another number in NETKIT_TEST_KILLS, with as many entries as a big list has; a few by default. */
const kills = Number(process.env['NETKIT_TEST_KILLS'] ?? (isThorough ? 100 : 6));
/** Entries of each of the two contents; three quarters of the keys stand in both. */
const size = isThorough ? 120_000 : 60_000;
const shift = size / 4;
/** Less than both contents together: a replacement has to make room on its way. */
const room = size + shift / 2;

/** Old and new content, which are new and old in the next run. Of the keys in both, every other changes its value. */
const contents = [0, 1].map((which) => ({
  first: which * shift,
  valueFor: (key: number): bigint => BigInt(key) * 2n + (key % 2 === 0 ? BigInt(which) : 0n),
}));
const standing = { from: shift, until: size };

type Content = (typeof contents)[number];

function ndjson({ first, valueFor }: Content): string {
  const lines = Array.from({ length: size }, (_, index) => {
    const key = first + index;
    return `{"key":${key},"value":${valueFor(key)}}`;
  });
  return `${lines.join('\n')}\n`;
}

/** What a map holds, by key; absent keys have no entry, and `count` says how many there are. */
function held(map: BpfMap): { readonly values: readonly (bigint | undefined)[]; readonly count: number } {
  const values: (bigint | undefined)[] = new Array(size + shift);
  let total = 0;
  for (const { count, keys, values: bytes } of map.batches()) {
    const [keyView, valueView] = [viewOf(keys), viewOf(bytes)];
    for (let entry = 0; entry < count; entry++)
      values[keyView.getUint32(entry * 4, true)] = valueView.getBigUint64(entry * 8, true);
    total += count;
  }
  return { values, count: total };
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** How many of the changes between two contents a map has seen, how many there are, and how many entries it holds. */
function progress(map: BpfMap, from: Content, to: Content): { done: number; all: number; count: number } {
  const { values, count } = held(map);
  let done = 0;
  let all = 0;
  for (let key = 0; key < size + shift; key++) {
    const before = key >= from.first && key < from.first + size ? from.valueFor(key) : undefined;
    const after = key >= to.first && key < to.first + size ? to.valueFor(key) : undefined;
    const value = values[key];
    if (before === after) {
      if (value !== before) throw new Error(`key ${key}, which does not change, is ${value}`);
      continue;
    }
    all++;
    if (value === after) done++;
    else if (value !== before) throw new Error(`key ${key} is ${value}, neither ${before} nor ${after}`);
  }
  return { done, all, count };
}

const report = z.object({ rounds: z.int(), reads: z.int(), missed: z.array(z.int()) });

describeAsRoot(`\`map import --replace\`, killed at ${kills} random moments`, () => {
  describe('under a reader that never rests', () => {
    it('keeps every entry that stands in the old and in the new content, and a second run reaches the target', async () => {
      await leavingNothing(async () => {
        using objects = new Objects();
        using bpffs = makeBpffs();
        const object = await objects.compile('test/fixtures/entries.bpf.c');
        const does = (...args: string[]): void => {
          const result = netkit(args, { env: bpffs.env });
          expect(result.status, `${args.join(' ')}: ${result.stderr}`).toBe(0);
        };
        does('load', object, '--name', 'e', '--map-size', `numbers=${room}`);
        const files = contents.map((content, which) => {
          const path = join(objects.folder, `content-${which}.ndjson`);
          writeFileSync(path, ndjson(content));
          return path;
        });
        const importing = (which: number) => ['map', 'import', 'e/numbers', files[which] ?? '', '--replace'];
        does(...importing(0));
        const pin = join(bpffs.root.path, 'netkit/e/maps/numbers');
        using map = BpfMap.fromPin(pin);

        const reader = spawn(
          process.execPath,
          [
            join(packageRoot(), 'test/support/standing-reader.mjs'),
            pin,
            `${standing.from}`,
            `${standing.until}`,
          ],
          { stdio: ['ignore', 'pipe', 'inherit'] },
        );
        let said = '';
        reader.stdout.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
        const readerEnded = new Promise<void>((resolve) => reader.on('close', () => resolve()));
        while (!said.includes('reading')) await sleep(5);

        const histogram = new Array<number>(10).fill(0);
        let between = 0;
        let writingMs = size / 1200;
        for (let run = 0; run < kills; run++) {
          const [from, to] = run % 2 === 0 ? [0, 1] : [1, 0];
          const [old, next] = [contents[from], contents[to]];
          if (old === undefined || next === undefined) throw new Error('there are two contents');
          // The first key of a file whose entry is new or changes.
          const firstWritten = next.first < old.first ? next.first : standing.from;
          const running = startNetkit(importing(to), { env: bpffs.env });
          const started = performance.now();
          while (
            map.get(firstWritten) !== next.valueFor(firstWritten) &&
            performance.now() - started < 20_000
          )
            await new Promise((resolve) => setImmediate(resolve));
          await sleep(Math.random() * writingMs);
          running.process.kill('SIGKILL');
          await running.ended.catch(() => undefined);
          const { done, all } = progress(map, old, next);
          if (done > 0 && done < all) {
            between++;
            const bin = Math.floor((done / all) * 10);
            histogram[bin] = (histogram[bin] ?? 0) + 1;
          }
          // Kills that come too late, or all early, teach how long the writing takes on this machine.
          writingMs = done === all ? writingMs * 0.8 : writingMs * 1.05;
          does(...importing(to));
          expect(progress(map, old, next)).toEqual({ done: all, all, count: size });
        }
        reader.kill('SIGTERM');
        await readerEnded;
        const seen = report.parse(JSON.parse(said.trim().split('\n').at(-1) ?? ''));
        console.log(
          `killed between the first and the last write: ${between} of ${kills}; by tenths of the changes: ${histogram.join(' ')}; ` +
            `${seen.reads} reads in ${seen.rounds} rounds missed ${seen.missed.length}`,
        );
        expect(seen.missed).toEqual([]);
        expect(seen.rounds).toBeGreaterThan(kills);
        // Of a few one more falls outside now and then.
        expect(between).toBeGreaterThanOrEqual((isThorough ? 0.6 : 0.4) * kills);
        does('unload', 'e');
      });
    }, 900_000);
  });
});
