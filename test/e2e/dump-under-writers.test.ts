import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { parseJson } from '../../src/base/json.js';
import { packageRoot } from '../../src/host/package-root.js';
import { makeBpffs } from '../support/bpffs.js';
import { type CliResult, netkit } from '../support/cli.js';
import { leavingNothing } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { Objects } from './objects.js';

const keys = 50_000;
const dumps = 15;

const entry = z.object({ key: z.int(), value: z.union([z.int(), z.bigint()]) });
const dumped = z.object({ entries: z.array(entry) });

/** Both halves of a value tell its key: a torn value, or another key's, shows. */
const valueFor = (key: number): bigint => BigInt(key) * 4_294_967_297n;

function entriesOf(result: CliResult, format: 'dump' | 'ndjson'): z.infer<typeof entry>[] {
  if (format === 'dump') return dumped.parse(parseJson(result.stdout)).entries;
  const lines = result.stdout.trimEnd().split('\n');
  return lines.map((line) => entry.parse(parseJson(line)));
}

describeAsRoot('a hash that another process writes and deletes at full speed', () => {
  it('is dumped and exported to an end, each key once, and never with an entry that never was', async () => {
    await leavingNothing(async () => {
      using objects = new Objects();
      using bpffs = makeBpffs();
      const object = await objects.compile('test/fixtures/entries.bpf.c');
      const does = (...args: string[]): CliResult => {
        const result = netkit(args, { env: bpffs.env });
        expect(result.status, `${args.join(' ')}: ${result.stderr}`).toBe(0);
        return result;
      };
      does('load', object, '--name', 'e', '--map-size', `numbers=${keys}`);
      const pin = join(bpffs.root.path, 'netkit/e/maps/numbers');
      const writer = spawn(
        process.execPath,
        [join(packageRoot(), 'test/support/restless-writer.mjs'), pin, `${keys}`],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let said = '';
      writer.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      const ended = new Promise<void>((resolve) => writer.on('close', () => resolve()));
      while (!said.includes('writing')) await sleep(5);
      let read = 0;
      for (let round = 0; round < dumps; round++) {
        const format = round % 2 === 0 ? 'dump' : 'ndjson';
        const args = format === 'dump' ? ['dump', 'e/numbers', '--json'] : ['export', 'e/numbers', '-'];
        const entries = entriesOf(does('map', ...args), format);
        const seen = new Set<number>();
        for (const { key, value } of entries) {
          expect(key).toBeLessThan(keys);
          expect(BigInt(value), `key ${key}`).toBe(valueFor(key));
          expect(seen.has(key), `key ${key} twice`).toBe(false);
          seen.add(key);
        }
        // Two of three steps write: about two thirds of the keys are there at any time.
        expect(entries.length).toBeGreaterThan(keys / 3);
        read += entries.length;
        // Signals and output of the writer arrive only here.
        await sleep(1);
      }
      writer.kill('SIGTERM');
      await ended;
      const writes = Number(said.trim().split('\n').at(-1));
      expect(writes, 'the writer wrote all the while').toBeGreaterThan(keys);
      console.log(`${dumps} dumps gave ${read} entries while ${writes} were written`);
      does('unload', 'e');
    });
  });
});
