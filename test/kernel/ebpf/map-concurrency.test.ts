// What a listing gives while another process writes and deletes at full speed.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BpfMap, type CreateMapOptions } from '../../../src/ebpf/map.js';
import { atLeast } from '../../../src/host/kernel.js';
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

/** How a value may read that is not its key's: with a part of it zero still, or as that of the shorter prefix 0/0. */
type Excuse = 'half zero' | 'shorter prefix';

/** What stands for the number of the prefix 0/0, whose key is 0 as that of an address is. */
const wholeRange = 0xffff_ffff;

/** The numbers of the keys of a batch, if each value is what was ever written for its key, or excused. */
function* checkedKeys(map: BpfMap, batch: EntryBatch, excuse?: Excuse): Generator<number> {
  const { keySize, valueStride } = map.shape;
  const keyView = new DataView(batch.keys.buffer, batch.keys.byteOffset, batch.keys.byteLength);
  const valueView = new DataView(batch.values.buffer, batch.values.byteOffset, batch.values.byteLength);
  for (let index = 0; index < batch.count; index++) {
    const isRange = keySize > 4 && keyView.getUint32(index * keySize, true) === 0;
    const key = isRange ? wholeRange : keyView.getUint32((index + 1) * keySize - 4, true);
    const whole = BigInt(key) * quarter;
    for (let at = index * valueStride; at < (index + 1) * valueStride; at += 8) {
      const part = valueView.getBigUint64(at, true);
      const excused =
        (excuse === 'half zero' && (part & ~whole) === 0n) ||
        (excuse === 'shorter prefix' && part === BigInt(wholeRange) * quarter);
      if (part !== whole && !excused) throw new Error(`${key} has ${part} in its value`);
    }
    yield key;
  }
}

function create(options: CreateMapOptions): BpfMap {
  return BpfMap.create({ keySize: 4, valueSize: 32, ...options });
}

/** Entries that nobody touches, beside those that change. */
function writeStanding(map: BpfMap): void {
  const { keySize, valueStride } = map.shape;
  const numbers = Array.from({ length: standing }, (_, index) => keys + index);
  if (keySize > 4) numbers[0] = wholeRange;
  for (const number of numbers) {
    const key = new DataView(new ArrayBuffer(keySize));
    const isRange = number === wholeRange;
    if (keySize > 4) key.setUint32(0, isRange ? 0 : 32, true);
    key.setUint32(keySize - 4, isRange ? 0 : number, true);
    const value = new BigUint64Array(valueStride / 8).fill(BigInt(number) * quarter);
    map.setBytes(new Uint8Array(key.buffer), new Uint8Array(value.buffer));
  }
}

describeAsRoot('while another process writes and deletes at full speed', () => {
  it.each([
    ['hash', 'at once', undefined],
    ['hash', 'at once', 100],
    ['hash', 'ahead', undefined],
    ['lru_hash', 'ahead', undefined],
    ['percpu_hash', 'ahead', undefined],
    ['lru_percpu_hash', 'at once', undefined],
  ] as const)(
    'a %s read %s, in batches of %s, ends, gives no entry that never was, and all that stand',
    async (type, how, size) => {
      await leavingNothing(async () => {
        using bpffs = makeBpffs();
        // An LRU map throws entries out before it is full: here none has to go.
        const room = type.startsWith('lru') ? 4 : 1;
        using map = create({ type, maxEntries: room * (keys + standing) });
        // A CPU's part of a value is written by itself: there a new entry may be seen before all are.
        const excuse = type.includes('percpu') ? 'half zero' : undefined;
        writeStanding(map);
        await whileWritten(map, join(bpffs.root.path, 'busy'), async () => {
          let changed = 0;
          let last = -1;
          for (let round = 0; round < rounds; round++) {
            const seen = new Set<number>();
            let given = 0;
            const batches = how === 'ahead' ? map.readAhead({ size }) : map.batches({ size });
            for await (const batch of batches) {
              for (const key of checkedKeys(map, batch, excuse)) {
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
          expect(changed).toBeGreaterThan(1);
        });
      });
    },
  );

  it('a prefix map gives each prefix at most once, and one that goes meanwhile at worst the value of a shorter one', async () => {
    await leavingNothing(async () => {
      using bpffs = makeBpffs();
      using map = create({
        type: 'lpm_trie',
        keySize: 8,
        maxEntries: keys + standing,
        flags: ['no_prealloc'],
      });
      writeStanding(map);
      await whileWritten(map, join(bpffs.root.path, 'busy'), async () => {
        for (let round = 0; round < rounds; round++) {
          const seen = new Set<number>();
          for (const batch of map.batches()) {
            for (const key of checkedKeys(map, batch, 'shorter prefix')) {
              if (seen.has(key)) throw new Error(`${key} came twice`);
              seen.add(key);
            }
          }
          // Older kernels may pass over prefixes while others go.
          const missing = Array.from({ length: standing - 1 }, (_, at) => keys + 1 + at).filter(
            (key) => !seen.has(key),
          );
          if (atLeast(6, 13)) expect(missing).toEqual([]);
        }
      });
    });
  });

  it.each(['array', 'percpu_array'] as const)('an %s gives each index once', async (type) => {
    await leavingNothing(async () => {
      using bpffs = makeBpffs();
      using map = create({ type, maxEntries: keys });
      await whileWritten(map, join(bpffs.root.path, 'busy'), async () => {
        for (let round = 0; round < rounds; round++) {
          let next = 0;
          for await (const batch of map.readAhead({ size: 999 })) {
            for (const key of checkedKeys(map, batch, 'half zero'))
              if (key !== next++) throw new Error(`${key} is out of turn`);
          }
          expect(next).toBe(keys);
        }
      });
    });
  });
});
