import { expect, it } from 'vitest';
import type { MigrationSide } from '../../../../src/ebpf/entries/migration.js';
import { Succession } from '../../../../src/ebpf/entries/succession.js';
import { BpfMap, type CreateMapOptions } from '../../../../src/ebpf/map.js';
import { layoutOf } from '../../../../src/ebpf/map-kinds.js';
import { codecForWord } from '../../../../src/obj/codec/index.js';
import { describeAsRoot } from '../../../support/requirements.js';

function sideOf({ info }: BpfMap): MigrationSide {
  const { type, keySize, valueSize, maxEntries, name } = info;
  return {
    name,
    type,
    keySize,
    valueSize,
    maxEntries,
    shape: layoutOf(info),
    key: undefined,
    value: undefined,
  };
}

/** A map, its successor, and both once more for the one who carries entries over. */
function pair(type: CreateMapOptions['type'], maxEntries = 100) {
  const made = (entries: number): BpfMap => {
    const map = BpfMap.create({ type, keySize: 4, valueSize: 8, maxEntries: entries });
    map.useTypes({
      key: codecForWord('u32', { role: 'key' }),
      value: codecForWord('u64', { role: 'value' }),
    });
    return map;
  };
  const [from, to] = [made(maxEntries), made(maxEntries * 2)];
  const succession = new Succession(BpfMap.fromId(from.info.id), BpfMap.fromId(to.info.id), {
    from: sideOf(from),
    to: sideOf(to),
  });
  const dispose = (): void => {
    for (const each of [from, to, succession]) each[Symbol.dispose]();
  };
  return { from, to, succession, [Symbol.dispose]: dispose };
}

const all = (map: BpfMap): Map<unknown, unknown> => new Map([...map].sort());

describeAsRoot('entries that are carried over to a successor', () => {
  it('are those of the old map after each pass, changed and removed ones too', async () => {
    using maps = pair('hash');
    const { from, to, succession } = maps;
    for (let key = 0; key < 50; key++) from.set(key, BigInt(key));
    expect(await succession.copy()).toBe(50);
    expect(all(to)).toEqual(all(from));
    from.set(1, 1000n);
    from.set(60, 60n);
    from.delete(2);
    expect(await succession.catchUp(false)).toBe(50);
    expect(all(to)).toEqual(all(from));
  });

  it('are put right afresh after somebody wrote to the new map', async () => {
    using maps = pair('hash');
    const { from, to, succession } = maps;
    from.set(1, 1n);
    await succession.copy();
    to.set(1, 2n);
    to.set(9, 9n);
    await succession.catchUp(true);
    expect(all(to)).toEqual(new Map([[1, 1n]]));
  });

  it('are carried over after the swap where only the old programs wrote, and counted where both did', async () => {
    using maps = pair('hash');
    const { from, to, succession } = maps;
    for (let key = 0; key < 20; key++) from.set(key, BigInt(key));
    await succession.copy();
    await succession.catchUp(false);
    // The old programs, until they were swapped.
    from.set(1, 100n);
    from.set(2, 200n);
    from.set(30, 300n);
    from.set(31, 310n);
    from.delete(3);
    from.delete(4);
    // The new ones.
    to.set(2, 201n);
    to.set(4, 401n);
    to.set(5, 501n);
    to.set(31, 311n);
    to.delete(6);
    expect(await succession.carryOver()).toEqual({ carried: 3, mayBeLost: 3 });
    expect(to.get(1)).toBe(100n);
    expect(to.get(2)).toBe(201n);
    expect(to.get(30)).toBe(300n);
    expect(to.get(31)).toBe(311n);
    expect(to.has(3)).toBe(false);
    expect(to.get(4)).toBe(401n);
    expect(to.get(5)).toBe(501n);
    expect(to.has(6)).toBe(false);
    // What came later still.
    from.set(7, 700n);
    expect(await succession.carryOver()).toMatchObject({ carried: 1 });
    expect(to.get(7)).toBe(700n);
  });

  it.each(['array', 'percpu_array', 'lru_hash', 'percpu_hash'] as const)(
    'are carried over in a map of type %s',
    async (type) => {
      using maps = pair(type);
      const { from, to, succession } = maps;
      for (let key = 0; key < 50; key++) from.set(key, BigInt(key));
      await succession.copy();
      from.set(1, 100n);
      to.set(2, 200n);
      expect(await succession.carryOver()).toEqual({ carried: 1, mayBeLost: 0 });
      expect(to.get(1)).toEqual(from.get(1));
      expect(to.get(2)).not.toEqual(from.get(2));
      expect(to.get(3)).toEqual(from.get(3));
    },
  );
});
