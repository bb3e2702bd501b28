import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DiffCounts, diffEntries } from '../../../../src/ebpf/entries/diff.js';
import { mapSource } from '../../../../src/ebpf/entries/map-source.js';
import type { EntrySource } from '../../../../src/ebpf/entries/source.js';
import type { BpfMap } from '../../../../src/ebpf/map.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../../../support/kernel-state.js';
import { describeAsRoot } from '../../../support/requirements.js';
import { create, type Entries, numbered, sourceOf } from './many.js';

/** `+ key value`, `- key value`, `~ key old new`, sorted by key within each kind. */
async function differences(
  map: BpfMap,
  source: EntrySource,
  removals = true,
): Promise<{ lines: string[]; counts: DiffCounts }> {
  const lines: string[] = [];
  const steps = diffEntries(map, source, { removals });
  const signs = { added: '+', removed: '-', changed: '~' } as const;
  const text = (bytes: Uint8Array | undefined) =>
    bytes === undefined ? '' : ` ${map.valueCodec.decode(new DataView(bytes.buffer, bytes.byteOffset), 0)}`;
  let step = await steps.next();
  for (; step.done !== true; step = await steps.next()) {
    for (const { kind, key, from, to } of step.value) {
      const name = map.keyCodec.decode(new DataView(key.buffer, key.byteOffset), 0);
      lines.push(`${signs[kind]} ${name}${text(from)}${text(to)}`);
    }
  }
  return { lines: lines.sort(), counts: step.value };
}

function fill(map: BpfMap, entries: Entries): void {
  for (const [key, value] of entries) map.set(key, value);
}

describeAsRoot('comparing a map', () => {
  let before: KernelState;
  beforeAll(() => {
    before = snapshotKernelState();
  });
  afterAll(() => expectUnchanged(before));

  it('finds what is new, gone and changed', async () => {
    using map = create({ type: 'hash', maxEntries: 100 });
    fill(map, [
      [1, 1n],
      [2, 2n],
      [3, 3n],
    ]);
    const other: Entries = [
      [2, 2n],
      [3, 33n],
      [4, 4n],
    ];
    expect(await differences(map, sourceOf(map, other))).toEqual({
      lines: ['+ 4 4', '- 1 1', '~ 3 3 33'],
      counts: { added: 1, removed: 1, changed: 1, same: 1, entries: 3 },
    });
    expect(await differences(map, sourceOf(map, other), false)).toMatchObject({
      lines: ['+ 4 4', '~ 3 3 33'],
      counts: { removed: 0 },
    });
  });

  it('compares with another map', async () => {
    using map = create({ type: 'hash', maxEntries: 100 });
    using other = create({ type: 'hash', maxEntries: 100 });
    fill(map, numbered(10));
    fill(other, numbered(10, 1));
    expect((await differences(map, mapSource(other, 'other'))).lines).toEqual(['+ 10 10', '- 0 0']);
  });

  it('does not count the zeros of an array as entries', async () => {
    using map = create({ type: 'array', maxEntries: 4 });
    map.set(1, 5n);
    expect((await differences(map, sourceOf(map, [[2, 0n]]))).lines).toEqual(['- 1 5']);
  });

  it('lists a prefix map, and never asks it', async () => {
    using map = create({ type: 'lpm_trie', maxEntries: 9, flags: ['no_prealloc'] }, 'prefix4', 'u32');
    map.set('10.0.0.0/8', 1);
    expect((await differences(map, sourceOf(map, [['10.1.0.0/16', 1]]))).lines).toEqual([
      '+ 10.1.0.0/16 1',
      '- 10.0.0.0/8 1',
    ]);
  });

  it('finds every change of more than it can keep at a time', async () => {
    const count = 300_000;
    using map = create({ type: 'hash', maxEntries: count });
    const keys = Uint32Array.from({ length: count }, (_, index) => index);
    const values = BigUint64Array.from(keys, (key) => BigInt(key));
    map.writeBatch({ count, keys: new Uint8Array(keys.buffer), values: new Uint8Array(values.buffer) });
    let passes = 0;
    const source: EntrySource = {
      name: 'all others',
      repeatable: true,
      async *read() {
        passes++;
        const others = BigUint64Array.from(values, (value) => value + 1n);
        yield { count, keys: new Uint8Array(keys.buffer), values: new Uint8Array(others.buffer) };
      },
    };
    const { lines, counts } = await differences(map, source);
    expect(counts).toEqual({ added: 0, removed: 0, changed: count, same: 0, entries: count });
    expect(new Set(lines).size).toBe(count);
    expect(lines).toContain('~ 299999 299999 300000');
    expect(passes).toBeGreaterThan(2);
  });
});
