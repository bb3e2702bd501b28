import { afterAll, beforeAll, expect, it } from 'vitest';
import { readInline } from '../../../../src/cnf/entries/inline.js';
import { hasChanges, mergeEntries } from '../../../../src/cnf/entries/merge.js';
import { oldEntriesOf, restoreEntries } from '../../../../src/cnf/entries/old-entries.js';
import { writeChanges } from '../../../../src/cnf/entries/write-changes.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../../../support/kernel-state.js';
import { randomFrom, seeds } from '../../../support/random.js';
import { describeAsRoot } from '../../../support/requirements.js';
import {
  declare,
  type Kind,
  kinds,
  loaded,
  type Members,
  merge,
  put,
  type State,
  sorted,
  stateOf,
} from './support.js';

/** What the three sets of entries come to. */
function expected(kind: Kind, present: State, last: State, declared: State, exact: boolean) {
  const after = new Map(present);
  const counts = { added: 0, changed: 0, removed: 0 };
  const zero: Members = Object.fromEntries(kind.members.map((name) => [name, 0]));
  const isZero = (members: Members) => Object.values(members).every((value) => value === 0);
  for (const [key, members] of declared) {
    const before = present.get(key);
    const next = { ...zero, ...before, ...members };
    after.set(key, next);
    if (before === undefined) counts.added++;
    else if (JSON.stringify(before) !== JSON.stringify(next))
      counts[kind.isArray === true && isZero(before) ? 'added' : 'changed']++;
  }
  for (const [key, members] of present) {
    if (declared.has(key) || !(exact || last.has(key))) continue;
    if (kind.isArray === true && isZero(members)) continue;
    counts.removed++;
    if (kind.isArray === true) after.set(key, zero);
    else after.delete(key);
  }
  return { after: sorted(after), counts };
}

function randomState(kind: Kind, random: (below: number) => number, partial: boolean): State {
  const entries = kind.keys
    .filter(() => random(2) === 0)
    .map((key): [string, Members] => {
      const members = kind.members.filter(() => !partial || random(2) === 0);
      const least = kind.map === 'devices' || kind.map === 'cores' ? 1 : 0;
      const names = members.length === 0 || least === 1 ? kind.members.slice(0, 1) : members;
      return [key, Object.fromEntries(names.map((name) => [name, Math.max(least, random(2))]))];
    });
  return new Map(entries);
}

describeAsRoot('entries that are declared, against those that are there', () => {
  let before: KernelState;
  beforeAll(() => {
    before = snapshotKernelState();
  });
  afterAll(() => expectUnchanged(before));

  it.each(seeds)(
    'merge three ways as a model does, in maps of every type, and are taken back (seed %i)',
    async (seed) => {
      const random = randomFrom(seed);
      const { object, spec } = loaded();
      using _object = object;
      for (const kind of kinds) {
        const map = object.map(kind.map);
        let last: State = new Map();
        for (let round = 0; round < 40; round++) {
          const where = `${kind.map}, round ${round}`;
          // Others write and delete meanwhile.
          for (const [key, members] of randomState(kind, random, false))
            if (random(3) === 0) put(map, key, members);
          if (kind.isArray !== true) for (const key of kind.keys) if (random(8) === 0) map.delete(key);
          const present = stateOf(map, kind);
          const declared = randomState(kind, random, true);
          const exact = random(4) === 0;
          const sets = [declare(spec, kind, last), declare(spec, kind, declared)] as const;
          const changes = await merge(map, ...sets, { exact });
          const wanted = expected(kind, present, last, declared, exact);
          expect(changes.counts, where).toEqual(wanted.counts);
          expect(stateOf(map, kind), `${where}: planning changes nothing`).toEqual(present);
          const old = oldEntriesOf(changes);
          await writeChanges(map, changes);
          expect(stateOf(map, kind), where).toEqual(wanted.after);
          expect(
            hasChanges(await merge(map, sets[1], sets[1], { exact })),
            `${where}: nothing is left to do`,
          ).toBe(false);
          if (random(2) === 0) {
            restoreEntries(map, JSON.parse(JSON.stringify(old)));
            expect(stateOf(map, kind), `${where}: taken back`).toEqual(present);
            restoreEntries(map, old);
            expect(stateOf(map, kind), `${where}: twice`).toEqual(present);
          } else last = declared;
        }
      }
    },
  );

  it('leave what a program counts alone, while they are written and when they are taken back', async () => {
    const { object, spec } = loaded();
    using _object = object;
    for (const name of ['rules', 'blocklist', 'settings', 'cpu_rules']) {
      const map = object.map(name);
      const key = name === 'blocklist' ? '10.0.0.0/8' : '1';
      const declared = readInline(spec, name, { [key]: { action: 'DROP' } });
      map.set(key, { action: 'PASS', tag: 3, packets: 5, bytes: 50 });
      const changes = await merge(map, undefined, declared);
      expect(changes.counts).toEqual({ added: 0, changed: 1, removed: 0 });
      expect(changes.samples).toEqual([{ kind: 'changed', key, from: 'action=PASS', to: 'action=DROP' }]);
      const old = oldEntriesOf(changes);
      map.set(key, { action: 'PASS', tag: 3, packets: 6, bytes: 60 });
      await writeChanges(map, changes);
      const one = { action: 'DROP', tag: 3, packets: 6n, bytes: 60n };
      const all = (value: typeof one) =>
        map.perCpu ? Array.from({ length: map.layout.cpus }, () => value) : value;
      expect(map.get(key), name).toEqual(all(one));
      map.set(key, { action: 'DROP', tag: 3, packets: 7, bytes: 70 });
      restoreEntries(map, old);
      expect(map.get(key), name).toEqual(all({ ...one, action: 'PASS', packets: 7n, bytes: 70n }));
    }
  });

  it('change bit fields and members of nested types one by one', async () => {
    const { object, spec } = loaded();
    using _object = object;
    const map = object.map('wides');
    map.set(1, {
      action: 'DROP',
      low: 5,
      high: 17,
      limits: { rate: 1, burst: 2 },
      ports: [1, 2, 3, 4],
      v6: '2001:db8::1',
      hits: 9,
    });
    const declared = readInline(spec, 'wides', { 1: { low: '2', limits: { burst: '7' }, v4: '10.0.0.1' } });
    await writeChanges(map, await merge(map, undefined, declared));
    expect(map.get(1)).toEqual({
      action: 'DROP',
      low: 2,
      high: 17,
      limits: { rate: 1, burst: 7 },
      ports: [1, 2, 3, 4],
      v6: 'a00:1::',
      hits: 9n,
    });
  });

  it('find prefixes that were written with bits behind them', async () => {
    const { object, spec } = loaded();
    using _object = object;
    const map = object.map('blocklist');
    map.set('hex:080000000a010203', { action: 'PASS', packets: 4 });
    const declared = readInline(spec, 'blocklist', {
      '10.0.0.0/8': { action: 'DROP' },
      '10.0.0.0/16': 'DROP',
    });
    const changes = await merge(map, undefined, declared);
    expect(changes.counts).toEqual({ added: 1, changed: 1, removed: 0 });
    await writeChanges(map, changes);
    expect([...map.entries()].map(([, value]) => value)).toEqual([
      { action: 'DROP', tag: 0, packets: 0n, bytes: 0n },
      { action: 'DROP', tag: 0, packets: 4n, bytes: 0n },
    ]);
    const gone = await merge(map, declared, readInline(spec, 'blocklist', {}));
    expect(gone.counts).toEqual({ added: 0, changed: 0, removed: 2 });
    await writeChanges(map, gone);
    expect([...map.keys()]).toEqual([]);
    restoreEntries(map, oldEntriesOf(gone));
    expect([...map.keys()]).toEqual(['10.0.0.0/16', '10.0.0.0/8']);
  });

  it('tell beforehand that a map is too small for what is declared beside what others added', async () => {
    const { object, spec } = loaded({ rules: 4, recent: 4 });
    using _object = object;
    const declared = readInline(spec, 'rules', { 1: 'DROP', 2: 'DROP', 3: 'DROP' });
    const map = object.map('rules');
    map.set(1, { action: 'DROP' });
    map.set(8, { action: 'DROP' });
    expect((await merge(map, undefined, declared)).counts).toEqual({ added: 2, changed: 0, removed: 0 });
    map.set(9, { action: 'DROP' });
    await expect(merge(map, undefined, declared, { name: 'fw/rules' })).rejects.toMatchObject({
      code: 'conflict',
      message: 'fw/rules holds 4 entries: 3 are declared, and 2 that others added stay',
    });
    expect((await merge(map, undefined, declared, { exact: true })).counts).toEqual({
      added: 2,
      changed: 0,
      removed: 2,
    });
    expect((await merge(map, undefined, declared, { maxEntries: 5 })).counts.added).toBe(2);
  });

  it('are all new in a map that is still to be made, but for zeros in arrays', async () => {
    const { object, spec } = loaded();
    using _object = object;
    for (const [name, entries, added] of [
      ['rules', { 1: 'PASS', 2: 'DROP' }, 2],
      ['settings', { 1: 'PASS', 2: 'DROP' }, 1],
    ] as const) {
      const declared = readInline(spec, name, entries);
      const changes = await mergeEntries({ map: 'new', last: undefined, declared, exact: false });
      expect(changes.counts, name).toEqual({ added, changed: 0, removed: 0 });
      await writeChanges(object.map(name), changes);
      expect(hasChanges(await merge(object.map(name), undefined, declared)), name).toBe(false);
      restoreEntries(object.map(name), oldEntriesOf(changes));
      expect((await merge(object.map(name), undefined, declared)).counts.added, name).toBe(added);
    }
  });

  it('of another kind of map are refused', async () => {
    const { object, spec } = loaded();
    using _object = object;
    await expect(
      merge(object.map('numbers'), undefined, readInline(spec, 'rules', { 1: 'DROP' })),
    ).rejects.toMatchObject({ code: 'conflict', message: /are not of this map's kind/ });
    // What was applied to a map of other keys says nothing of this one.
    const last = readInline(spec, 'big', { 1: 'DROP' });
    object.map('rules').set(1, { action: 'DROP' });
    expect(hasChanges(await merge(object.map('rules'), last, readInline(spec, 'rules', {})))).toBe(false);
  });
});
