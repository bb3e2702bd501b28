import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import { replaceEntries } from '../../../../src/ebpf/entries/replace.js';
import { BpfMap } from '../../../../src/ebpf/map.js';
import { codecForWord } from '../../../../src/obj/codec/index.js';
import type { EntryBatch } from '../../../../src/obj/entries/batch.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../../../support/kernel-state.js';
import { describeAsRoot } from '../../../support/requirements.js';
import { create, type Entries, failing, held, numbered, rejection, sourceOf } from './many.js';

/** Every key that is written or deleted, in order, and how many entries the map then had at most. */
function watched(map: BpfMap): { readonly writes: number[]; readonly deletes: number[] } {
  const seen = { writes: [] as number[], deletes: [] as number[] };
  const keysOf = (keys: Uint8Array, count: number): number[] =>
    Array.from({ length: count }, (_, index) =>
      new DataView(keys.buffer, keys.byteOffset).getUint32(index * 4, true),
    );
  const write = map.writeBatchAsync.bind(map);
  vi.spyOn(map, 'writeBatchAsync').mockImplementation(async (batch: EntryBatch, options) => {
    seen.writes.push(...keysOf(batch.keys, batch.count));
    await write(batch, options);
  });
  const remove = map.deleteBatch.bind(map);
  vi.spyOn(map, 'deleteBatch').mockImplementation((keys: Uint8Array, count: number) => {
    seen.deletes.push(...keysOf(keys, count));
    return remove(keys, count);
  });
  return seen;
}

function fill(map: BpfMap, entries: Entries): void {
  for (const [key, value] of entries) map.set(key, value);
}

describeAsRoot('replacing the entries of a map', () => {
  let before: KernelState;
  beforeAll(() => {
    before = snapshotKernelState();
  });
  afterAll(() => expectUnchanged(before));
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('writes what is new or differs and nothing else, and removes what has gone after all of that', async () => {
    using map = create({ type: 'hash', maxEntries: 1000 });
    fill(map, numbered(100));
    const calls: string[] = [];
    const seen = watched(map);
    const next: Entries = [...numbered(50, 20), [70, 5n], [71, 6n], [500, 1n]];
    const result = await replaceEntries(map, sourceOf(map, next), {
      onWritten: () => calls.push(`${seen.deletes.length} deleted`),
    });
    expect(result).toEqual({ entries: 53, written: 3, same: 50, removed: 48 });
    expect(seen.writes).toEqual([70, 71, 500]);
    expect([...seen.deletes].sort((a, b) => a - b)).toEqual([
      ...numbered(20).map(([key]) => key),
      ...numbered(28, 72).map(([key]) => key),
    ]);
    expect(calls).toEqual(['0 deleted']);
    expect(held(map)).toEqual(next);
  });

  it('does nothing to a map that is equal already', async () => {
    using map = create({ type: 'hash', maxEntries: 1000 });
    fill(map, numbered(100));
    const seen = watched(map);
    const result = await replaceEntries(map, sourceOf(map, [...numbered(100)].reverse()));
    expect(result).toEqual({ entries: 100, written: 0, same: 100, removed: 0 });
    expect(seen).toEqual({ writes: [], deletes: [] });
  });

  it('makes room in a full map little by little, and never touches what stands in both', async () => {
    const size = 20_000;
    using map = create({ type: 'hash', maxEntries: size });
    fill(map, numbered(size));
    const seen = watched(map);
    // Half of the keys stay, a quarter of those with another value.
    const next: Entries = [
      ...numbered(size / 4),
      ...numbered(size / 4, size / 4, 7),
      ...numbered(size / 2, 5 * size),
    ];
    const room: number[] = [];
    const result = await replaceEntries(map, sourceOf(map, next), {
      onWritten: () => room.push(size - [...map.keys()].length),
    });
    expect(result).toEqual({ entries: size, written: 0.75 * size, same: size / 4, removed: size / 2 });
    expect(held(map)).toEqual(next);
    expect(Math.min(...seen.deletes), 'only what has gone').toBeGreaterThanOrEqual(size / 2);
    expect(Math.max(...seen.deletes)).toBeLessThan(size);
    expect(Math.max(...room), 'never much emptier than full').toBeLessThan(1024);
  });

  it('checks the whole source before it touches the map', async () => {
    using map = create({ type: 'hash', maxEntries: 100, name: 'checked' });
    fill(map, numbered(10));
    const wrong = new NetkitError('bad-value', 'entries.test: line 6, column 2: no');
    const cases: readonly (readonly [ReturnType<typeof sourceOf>, RegExp])[] = [
      [
        failing(sourceOf(map, numbered(5, 50)), wrong),
        /^entries\.test: line 6, column 2: no \(the map is as it was\)$/,
      ],
      [
        sourceOf(map, [...numbered(5, 50), [51, 1n]]),
        /^entries\.test: line 6: the key 51 stands in line 2 already \(the map is as it was\)$/,
      ],
      [
        sourceOf(map, numbered(101, 50)),
        /^entries\.test: line 101: checked holds 100 entries, and there are more \(the map is as it was\)$/,
      ],
    ];
    for (const [source, says] of cases) {
      const error = await rejection(replaceEntries(map, source));
      expect(error.message).toMatch(says);
      expect(held(map)).toEqual(numbered(10));
    }
  });

  it('takes everything back with `atomic`, removed entries included', async () => {
    using map = create({ type: 'hash', maxEntries: 3000 });
    fill(map, numbered(3000));
    const next = numbered(3000, 2000, 9);
    let reads = 0;
    const source = sourceOf(map, next);
    // The file is damaged between its two passes.
    const broken = {
      ...source,
      async *read() {
        yield* source.read();
        if (++reads === 2) throw new NetkitError('failed', 'gone');
      },
    };
    const error = await rejection(replaceEntries(map, broken, { atomic: true }));
    expect(error.message).toBe('gone (the map is as it was)');
    expect(held(map)).toEqual(numbered(3000));
    reads = 0;
    const plain = await rejection(replaceEntries(map, broken));
    expect(plain.message).toMatch(/^gone \(\d+ entries were written, \d+ removed, the rest was not\)$/);
    await replaceEntries(map, source, { atomic: true });
    expect(held(map)).toEqual(next);
  });

  it('finds prefixes by listing: a longer one that is absent is not the shorter one', async () => {
    using map = create({ type: 'lpm_trie', maxEntries: 100, flags: ['no_prealloc'] }, 'prefix4', 'u32');
    const [short, long]: Entries = [
      ['10.0.0.0/8', 1],
      ['10.1.0.0/16', 1],
    ];
    if (short === undefined || long === undefined) throw new Error('two');
    fill(map, [short, ['10.0.0.0/16', 3]]);
    expect(await replaceEntries(map, sourceOf(map, [short, long]))).toEqual({
      entries: 2,
      written: 1,
      same: 1,
      removed: 1,
    });
    expect(held(map)).toEqual([short, long]);
  });

  it.each(['array', 'percpu_array'] as const)(
    'makes entries of a map of type %s zero that have gone',
    async (type) => {
      using map = create({ type, maxEntries: 8 });
      fill(map, numbered(4, 2, 20));
      const result = await replaceEntries(
        map,
        sourceOf(map, [
          [3, 21n],
          [7, 9n],
        ]),
      );
      expect(result).toEqual({ entries: 2, written: 1, same: 1, removed: 3 });
      const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : value);
      expect([...map.entries()].map(([, value]) => first(value))).toEqual([0n, 0n, 0n, 21n, 0n, 0n, 0n, 9n]);
      const beyond = await rejection(replaceEntries(map, sourceOf(map, [[8, 1n]])));
      expect(beyond.message).toMatch(
        /line 1: .* has no entry 8: its indices go from 0 to 7 \(the map is as it was\)$/,
      );
    },
  );

  it('works on per-CPU hashes', async () => {
    using map = create({ type: 'percpu_hash', maxEntries: 1000 }, 'u32', 'u32');
    const entries = (count: number, from: number): [number, number][] =>
      Array.from({ length: count }, (_, index) => [from + index, from]);
    fill(map, entries(600, 0));
    expect(await replaceEntries(map, sourceOf(map, [...entries(500, 0), ...entries(100, 800)]))).toEqual({
      entries: 600,
      written: 100,
      same: 500,
      removed: 100,
    });
  });

  it('works on maps of maps, a batch at a time', async () => {
    using a = create({ type: 'hash', maxEntries: 4 });
    using b = create({ type: 'hash', maxEntries: 4 });
    using map = BpfMap.create({ type: 'hash_of_maps', keySize: 4, maxEntries: 1000, inner: a });
    map.useTypes({ key: codecForWord('u32') });
    const of = (inner: BpfMap, count: number, from: number): [number, string][] =>
      Array.from({ length: count }, (_, index) => [from + index, `id:${inner.info.id}`]);
    expect(await replaceEntries(map, sourceOf(map, of(a, 600, 0)))).toMatchObject({ written: 600 });
    const next = [...of(a, 300, 0), ...of(b, 300, 300)];
    expect(await replaceEntries(map, sourceOf(map, next))).toEqual({
      entries: 600,
      written: 300,
      same: 300,
      removed: 0,
    });
    expect(held(map)).toEqual(next);
  });

  it('removes first where the kernel would evict by itself, and says when it did all the same', async () => {
    using map = create({ type: 'lru_hash', maxEntries: 4000, name: 'recent' });
    fill(map, numbered(2000));
    const next = [...numbered(1500, 500), ...numbered(1500, 50_000)];
    expect(await replaceEntries(map, sourceOf(map, next))).toMatchObject({
      entries: 3000,
      same: 1500,
      removed: 500,
    });
    expect(held(map)).toEqual(next);
    using tight = create({ type: 'lru_hash', maxEntries: 4000, name: 'recent' });
    const error = await rejection(replaceEntries(tight, sourceOf(tight, numbered(4000))));
    expect(error).toMatchObject({ code: 'conflict' });
    expect(error.message).toMatch(
      /^the kernel evicted \d+ of the 4000 entries: the lru_hash map recent is too full/,
    );
  });

  it('is refused for values without keys', async () => {
    using map = create({ type: 'stack', maxEntries: 4 }, '', 'u32');
    map.push(1);
    const error = await rejection(replaceEntries(map, sourceOf(map, [[0, 2]])));
    expect(error).toMatchObject({ code: 'unsupported' });
    expect(map.pop()).toBe(1);
  });

  it('stops when it is interrupted, and a second run reaches the target', async () => {
    using map = create({ type: 'hash', maxEntries: 60_000 });
    fill(map, numbered(30_000));
    const next = numbered(60_000, 1000, 3);
    const interrupt = new AbortController();
    const error = await rejection(
      replaceEntries(map, sourceOf(map, next), {
        signal: interrupt.signal,
        onWritten: () => interrupt.abort(),
      }),
    );
    expect(error.message).toMatch(/^interrupted \(\d+ entries were written/);
    await replaceEntries(map, sourceOf(map, next));
    expect(held(map)).toEqual(next);
  });
});
