// What a listing gives while another process writes and deletes at full speed.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BpfMap, type CreateMapOptions } from '../../../src/ebpf/map.js';
import { packageRoot } from '../../../src/host/package-root.js';
import type { EntryBatch } from '../../../src/obj/entries/batch.js';
import { makeBpffs } from '../../support/bpffs.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { emulated } from '../../support/known-kernels.js';
import { describeAsRoot } from '../../support/requirements.js';

const keys = 20_000;
const standing = 1000;
const rounds = emulated ? 5 : 40;
const quarter = 4_294_967_297n;

/** Runs `work` while another process writes and deletes the keys from 0 to `keys`. */
async function whileWritten(map: BpfMap, path: string, work: () => Promise<void>): Promise<void> {
  map.pin(path);
  const args = ['scripts/run.mjs', 'test/support/busy-writer.ts', path, `${keys}`];
  const writer = spawn(process.execPath, args, { cwd: packageRoot(), stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => writer.on('close', resolve));
  let said = '';
  writer.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  try {
    while (!said.includes('writing')) {
      if (writer.exitCode !== null) throw new Error('the writer ended');
      await sleep(20);
    }
    await work();
    expect(writer.exitCode).toBeNull();
  } finally {
    writer.stdin.end();
    expect(await ended).toBe(0);
  }
}

/** The keys of a batch, if each value is what was ever written for its key; with `tears` a part of it may be zero still. */
function* checkedKeys({ count, keys: keyBytes, values }: EntryBatch, tears: boolean): Generator<number> {
  const keyView = new DataView(keyBytes.buffer, keyBytes.byteOffset, keyBytes.byteLength);
  const valueView = new DataView(values.buffer, values.byteOffset, values.byteLength);
  for (let index = 0; index < count; index++) {
    const key = keyView.getUint32(index * 4, true);
    for (let at = index * 32; at < (index + 1) * 32; at += 8) {
      const part = valueView.getBigUint64(at, true);
      const whole = BigInt(key) * quarter;
      if (part !== whole && !(tears && (part & ~whole) === 0n))
        throw new Error(`${key} has ${part} in its value`);
    }
    yield key;
  }
}

function create(options: CreateMapOptions): BpfMap {
  return BpfMap.create({ keySize: 4, valueSize: 32, ...options });
}

/** Entries that nobody touches, beside those that change. */
function writeStanding(map: BpfMap): void {
  const standingKeys = Uint32Array.from({ length: standing }, (_, index) => keys + index);
  const values = BigUint64Array.from({ length: standing * 4 }, (_, at) => BigInt(keys + (at >> 2)) * quarter);
  map.writeBatch({
    count: standing,
    keys: new Uint8Array(standingKeys.buffer),
    values: new Uint8Array(values.buffer),
  });
}

describeAsRoot('while another process writes and deletes at full speed', () => {
  it.each([
    ['at once', undefined],
    ['at once', 100],
    ['ahead', undefined],
  ])(
    'a hash read %s, in batches of %s, ends, gives no entry that never was, and all that stand',
    async (how, size) => {
      await leavingNothing(async () => {
        using bpffs = makeBpffs();
        using map = create({ type: 'hash', maxEntries: keys + standing });
        writeStanding(map);
        await whileWritten(map, join(bpffs.root.path, 'busy'), async () => {
          let changed = 0;
          let last = -1;
          for (let round = 0; round < rounds; round++) {
            const seen = new Set<number>();
            let given = 0;
            const batches = how === 'ahead' ? map.readAhead({ size }) : map.batches({ size });
            for await (const batch of batches) {
              for (const key of checkedKeys(batch, false)) {
                seen.add(key);
                given++;
              }
            }
            // A bucket is given as a whole, and a key is in one bucket.
            expect(given).toBe(seen.size);
            for (let key = keys; key < keys + standing; key++)
              if (!seen.has(key)) throw new Error(`${key} is missing`);
            if (seen.size !== last) changed++;
            last = seen.size;
          }
          // Or else nothing went on.
          expect(changed).toBeGreaterThan(rounds / 2);
        });
      });
    },
  );

  it('an array gives each index once', async () => {
    await leavingNothing(async () => {
      using bpffs = makeBpffs();
      using map = create({ type: 'array', maxEntries: keys });
      await whileWritten(map, join(bpffs.root.path, 'busy'), async () => {
        for (let round = 0; round < rounds; round++) {
          let next = 0;
          for await (const batch of map.readAhead({ size: 999 })) {
            for (const key of checkedKeys(batch, true)) expect(key).toBe(next++);
          }
          expect(next).toBe(keys);
        }
      });
    });
  });
});
