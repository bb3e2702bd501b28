import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import { importEntries } from '../../../../src/ebpf/entries/import.js';
import { BpfMap } from '../../../../src/ebpf/map.js';
import { codecForWord } from '../../../../src/obj/codec/index.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../../../support/kernel-state.js';
import { describeAsRoot } from '../../../support/requirements.js';
import { create, type Entries, failing, held, numbered, rejection, sourceOf } from './many.js';

const atomic = { atomic: true } as const;

describeAsRoot('importing entries', () => {
  let before: KernelState;
  beforeAll(() => {
    before = snapshotKernelState();
  });
  afterAll(() => expectUnchanged(before));

  it('writes all of them, and keeps what else the map has', async () => {
    using map = create({ type: 'hash', maxEntries: 50_000 });
    map.set(70_000, 7);
    map.set(5, 77);
    let told = 0;
    const result = await importEntries(map, sourceOf(map, numbered(40_000)), {
      onWritten: (entries) => {
        told += entries;
      },
    });
    expect(result).toEqual({ entries: 40_000 });
    expect(told).toBe(40_000);
    expect(held(map)).toEqual([...numbered(40_000), [70_000, 7n]]);
  });

  it('ends where the map is full, and says line and numbers', async () => {
    using map = create({ type: 'hash', maxEntries: 20_000, name: 'small' });
    const error = await rejection(importEntries(map, sourceOf(map, numbered(30_000))));
    expect(error.message).toBe(
      'entries.test: line 20001: small is full: it holds 20000 entries (20000 entries were written, 10000 were not)',
    );
    expect(error).toMatchObject({
      code: 'conflict',
      details: { line: 20_001, written: 20_000, left: 10_000 },
    });
    expect(held(map)).toEqual(numbered(20_000));
  });

  it('ends at a key that comes twice, however far apart, and names both lines', async () => {
    using map = create({ type: 'hash', maxEntries: 20_000 });
    const entries: Entries = [...numbered(15_000), [3, 9n], ...numbered(10, 16_000)];
    const error = await rejection(importEntries(map, sourceOf(map, entries)));
    expect(error.message).toContain(
      'entries.test: line 15001: the key 3 stands in line 4 already (15000 entries were written',
    );
    expect(error).toMatchObject({ code: 'bad-value', details: { line: 15_001, first: 4, written: 15_000 } });
    expect(held(map)).toEqual(numbered(15_000));
  });

  it('writes what stands before an error of the source', async () => {
    using map = create({ type: 'hash', maxEntries: 100 });
    const wrong = new NetkitError('bad-value', 'entries.test: line 11, column 3: no');
    const error = await rejection(importEntries(map, failing(sourceOf(map, numbered(10)), wrong)));
    expect(error.message).toBe(
      'entries.test: line 11, column 3: no (10 entries were written, the rest was not)',
    );
    expect(held(map)).toEqual(numbered(10));
  });

  it('tells of the refusal of the kernel rather than of an error that comes behind it', async () => {
    using map = create({ type: 'hash', maxEntries: 10 });
    const wrong = new NetkitError('bad-value', 'entries.test: line 21, column 3: no');
    const error = await rejection(importEntries(map, failing(sourceOf(map, numbered(20)), wrong)));
    expect(error).toMatchObject({ code: 'conflict', details: { line: 11, written: 10, left: null } });
  });

  it('stops when it is interrupted, and says how far it came', async () => {
    using map = create({ type: 'hash', maxEntries: 100_000 });
    const interrupt = new AbortController();
    const error = await rejection(
      importEntries(map, sourceOf(map, numbered(100_000)), {
        signal: interrupt.signal,
        onWritten: () => interrupt.abort(),
      }),
    );
    expect(error).toMatchObject({ code: 'interrupted', details: { written: expect.any(Number) } });
    const written = held(map).length;
    expect(error.message).toBe(`interrupted (${written} entries were written)`);
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(100_000);
  });

  it('pushes the values of a queue in their order', async () => {
    using map = create({ type: 'queue', maxEntries: 3 }, '', 'u32');
    const values: Entries = [
      [0, 5],
      [0, 6],
      [0, 5],
      [0, 7],
    ];
    const error = await rejection(importEntries(map, sourceOf(map, values)));
    expect(error).toMatchObject({ details: { line: 4, written: 3, left: 1 } });
    expect([map.pop(), map.pop(), map.pop(), map.pop()]).toEqual([5, 6, 5, undefined]);
  });

  describe('with all or nothing', () => {
    /** Fills a map, imports what does not fit at its last entry, and expects it as it was. */
    async function expectRestored(map: BpfMap, old: Entries, entries: Entries): Promise<void> {
      for (const [key, value] of old) map.set(key, value);
      const was = held(map);
      const wrong = new NetkitError('bad-value', 'entries.test: line 99, column 1: no');
      const error = await rejection(importEntries(map, failing(sourceOf(map, entries), wrong), atomic));
      expect(error.message).toBe('entries.test: line 99, column 1: no (the map is as it was)');
      expect(error).toMatchObject({ details: { written: 0 } });
      expect(held(map)).toEqual(was);
      await importEntries(map, sourceOf(map, entries), atomic);
      for (const [key, value] of entries) {
        const now = map.get(key);
        expect(Array.isArray(now) ? now[0] : now).toEqual(value);
      }
    }

    it.each(['hash', 'percpu_hash'] as const)('leaves a map of type %s as it was', async (type) => {
      using map = create({ type, maxEntries: 30_000 });
      await expectRestored(map, numbered(10_000, 0, 500), numbered(20_000, 5000));
    });

    it.each(['array', 'percpu_array'] as const)('leaves a map of type %s as it was', async (type) => {
      using map = create({ type, maxEntries: 1000 });
      await expectRestored(map, numbered(600, 0, 500), numbered(700, 300));
    });

    it('leaves a prefix map as it was, whose entries hide behind shorter ones', async () => {
      using map = create({ type: 'lpm_trie', maxEntries: 100, flags: ['no_prealloc'] }, 'prefix4', 'u32');
      await expectRestored(
        map,
        [
          ['10.0.0.0/8', 8],
          ['10.2.0.0/16', 16],
        ],
        [
          ['10.1.0.0/16', 1],
          ['10.2.0.0/16', 2],
          ['10.1.1.0/24', 3],
        ],
      );
    });

    it('leaves a map of maps as it was, though nobody else held the maps in it', async () => {
      using a = create({ type: 'hash', maxEntries: 4 });
      using map = BpfMap.create({ type: 'hash_of_maps', keySize: 4, maxEntries: 10, inner: a });
      map.useTypes({ key: codecForWord('u32') });
      {
        using b = create({ type: 'hash', maxEntries: 4 });
        b.set(1, 11);
        map.setReference(7, b);
      }
      const was = held(map);
      const entries: Entries = [
        [7, `id:${a.info.id}`],
        [8, `id:${a.info.id}`],
      ];
      const wrong = new NetkitError('bad-value', 'no');
      await rejection(importEntries(map, failing(sourceOf(map, entries), wrong), atomic));
      expect(held(map)).toEqual(was);
      await importEntries(map, sourceOf(map, entries), atomic);
      expect(held(map)).toEqual(entries);
    });

    it('takes everything back when the map gets full on the way, and when it is interrupted', async () => {
      using map = create({ type: 'hash', maxEntries: 20_000 });
      for (const [key, value] of numbered(5000, 100, 1)) map.set(key, value);
      const was = held(map);
      const error = await rejection(importEntries(map, sourceOf(map, numbered(40_000)), atomic));
      expect(error.message).toMatch(/line 20001: .* is full: .* \(the map is as it was\)$/);
      expect(held(map)).toEqual(was);
      using large = create({ type: 'hash', maxEntries: 100_000 });
      large.set(7, 77);
      const interrupt = new AbortController();
      const stopped = await rejection(
        importEntries(large, sourceOf(large, numbered(100_000)), {
          ...atomic,
          signal: interrupt.signal,
          onWritten: () => interrupt.abort(),
        }),
      );
      expect(stopped.message).toBe('interrupted (the map is as it was)');
      expect(held(large)).toEqual([[7, 77n]]);
    });

    it.each(['lru_hash', 'queue'] as const)(
      'is refused for a map of type %s, which nothing can restore',
      async (type) => {
        using map = create({ type, maxEntries: 10 }, type === 'queue' ? '' : 'u32');
        const error = await rejection(importEntries(map, sourceOf(map, numbered(2)), atomic));
        expect(error).toMatchObject({ code: 'unsupported' });
        expect(error.message).toMatch(/cannot be taken back/);
      },
    );
  });
});
