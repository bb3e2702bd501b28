import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readFrom } from '../../../../src/cnf/entries/from-file.js';
import { readInline } from '../../../../src/cnf/entries/inline.js';
import { hasChanges, mergeEntries } from '../../../../src/cnf/entries/merge.js';
import { oldEntries, oldEntriesOf, restoreEntries } from '../../../../src/cnf/entries/old-entries.js';
import { EntriesStore } from '../../../../src/cnf/entries/stored-entries.js';
import { writeChanges } from '../../../../src/cnf/entries/write-changes.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../../../support/kernel-state.js';
import { describeAsRoot } from '../../../support/requirements.js';
import { loaded, merge, stateOf } from './support.js';

const numbersKind = { map: 'numbers', keys: [], members: [''] };

/** Entries `from` to `until`, each with its own number as value. */
function numbered(from: number, until: number, value = 0): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: until - from }, (_, index) => [from + index, String(from + index + value)]),
  );
}

describeAsRoot('changes of entries', () => {
  let before: KernelState;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'netkit-test-'));
    before = snapshotKernelState();
  });
  afterAll(async () => {
    await expectUnchanged(before);
    rmSync(folder, { recursive: true });
  });

  it('of a hundred thousand entries are made, found done and taken back, in hashes and prefix maps', async () => {
    const count = 100_000;
    const { object, spec } = loaded({ blocklist: 150_000 });
    using _object = object;
    const store = new EntriesStore(folder);
    for (const name of ['big', 'blocklist']) {
      const key = (index: number) =>
        name === 'big' ? String(index * 7) : `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}/32`;
      const rows = Array.from({ length: count }, (_, index) => `${key(index)},DROP,${index % 256}\n`);
      const path = join(folder, `${name}.csv`);
      writeFileSync(path, `key,value.action,value.tag\n${rows.join('')}`);
      const file = store.write('fw', await readFrom(spec, name, path));
      const declared = store.read(file);
      const map = object.map(name);
      map.set(name === 'big' ? 3 : '11.0.0.0/8', { action: 'PASS', packets: 4 });
      map.set(key(9), { action: 'PASS', packets: 4 });
      const changes = await merge(map, undefined, declared);
      expect(changes.counts).toEqual({ added: count - 1, changed: 1, removed: 0 });
      const told: number[] = [];
      await writeChanges(map, changes, { onWritten: (entries) => told.push(entries) });
      expect(told.length, 'in several batches').toBeGreaterThan(2);
      expect(told.reduce((sum, entries) => sum + entries, 0)).toBe(count);
      expect(map.get(key(9))).toMatchObject({ action: 'DROP', tag: 9, packets: 4n });
      expect(hasChanges(await merge(map, declared, declared))).toBe(false);
      const none = await merge(map, declared, undefined);
      expect(none.counts).toEqual({ added: 0, changed: 0, removed: count });
      await writeChanges(map, none);
      expect([...map.keys()]).toHaveLength(1);
      restoreEntries(map, oldEntries.parse(JSON.parse(JSON.stringify(oldEntriesOf(none)))));
      expect(hasChanges(await merge(map, declared, declared))).toBe(false);
      restoreEntries(map, oldEntriesOf(changes));
      expect([...map.entries()].map(([, value]) => value)).toEqual(
        Array.from({ length: 2 }, () => ({ action: 'PASS', tag: 0, packets: 4n, bytes: 0n })),
      );
    }
  });

  it('that a full map refuses in the middle are taken back', async () => {
    const { object, spec } = loaded({ numbers: 100 });
    using _object = object;
    const map = object.map('numbers');
    for (let key = 0; key < 50; key++) map.set(key, 1);
    const present = stateOf(map, numbersKind);
    const last = readInline(spec, 'numbers', { 0: '1' });
    const declared = readInline(spec, 'numbers', numbered(10, 60));
    const changes = await merge(map, last, declared);
    expect(changes.counts).toEqual({ added: 10, changed: 40, removed: 1 });
    const old = oldEntriesOf(changes);
    // Others fill the map between plan and apply.
    for (let key = 1000; key < 1045; key++) map.set(key, 1);
    await expect(writeChanges(map, changes)).rejects.toMatchObject({
      code: 'conflict',
      // All that goes was removed to make room.
      message: 'numbers is full: it holds 100 entries (47 of 51 changes of its entries were made)',
      details: { made: 47, of: 51 },
    });
    for (let key = 1000; key < 1045; key++) map.delete(key);
    restoreEntries(map, old);
    expect(stateOf(map, numbersKind)).toEqual(present);
  });

  it('make room in a full map by what goes', async () => {
    const { object, spec } = loaded({ numbers: 1000, blocklist: 4, recent: 100 });
    using _object = object;
    const map = object.map('numbers');
    const last = readInline(spec, 'numbers', numbered(0, 1000));
    await writeChanges(map, await merge(map, undefined, last));
    const declared = readInline(spec, 'numbers', numbered(500, 1500, 1));
    const changes = await merge(map, last, declared);
    expect(changes.counts).toEqual({ added: 500, changed: 500, removed: 500 });
    await writeChanges(map, changes);
    expect(hasChanges(await merge(map, declared, declared, { exact: true }))).toBe(false);
    restoreEntries(map, oldEntriesOf(changes));
    expect(hasChanges(await merge(map, last, last, { exact: true }))).toBe(false);
    const few = readInline(spec, 'blocklist', {
      '1.0.0.0/8': 'DROP',
      '2.0.0.0/8': 'DROP',
      '3.0.0.0/8': 'DROP',
      '4.0.0.0/8': 'DROP',
    });
    const others = readInline(spec, 'blocklist', {
      '1.0.0.0/8': 'PASS',
      '2.0.0.0/9': 'DROP',
      '3.0.0.0/9': 'DROP',
      '4.0.0.0/9': 'DROP',
    });
    const trie = object.map('blocklist');
    await writeChanges(trie, await merge(trie, undefined, few));
    await writeChanges(trie, await merge(trie, few, others));
    expect([...trie.keys()]).toEqual(['1.0.0.0/8', '2.0.0.0/9', '3.0.0.0/9', '4.0.0.0/9']);
  });

  it('of a frozen map are refused, and taking them back finds nothing to do', async () => {
    const { object, spec } = loaded();
    using _object = object;
    const map = object.map('rules');
    map.set(1, { action: 'PASS', packets: 3 });
    map.set(2, { action: 'PASS' });
    map.freeze();
    const changes = await merge(
      map,
      readInline(spec, 'rules', { 2: 'PASS' }),
      readInline(spec, 'rules', { 1: 'DROP', 3: 'DROP' }),
    );
    expect(changes.counts).toEqual({ added: 1, changed: 1, removed: 1 });
    await expect(writeChanges(map, changes)).rejects.toMatchObject({
      code: 'not-permitted',
      message: 'cannot write rules: it is frozen (0 of 3 changes of its entries were made)',
    });
    restoreEntries(map, oldEntriesOf(changes));
  });

  it('are interrupted between batches, and taken back', async () => {
    const { object, spec } = loaded();
    using _object = object;
    const map = object.map('big');
    const declared = readInline(
      spec,
      'big',
      Object.fromEntries(Array.from({ length: 80_000 }, (_, key) => [key, 'DROP'])),
    );
    const changes = await mergeEntries({ map, last: undefined, declared, exact: false });
    const abort = new AbortController();
    const work = writeChanges(map, changes, { signal: abort.signal, onWritten: () => abort.abort() });
    await expect(work).rejects.toMatchObject({
      code: 'interrupted',
      message: /^interrupted \(\d+ of 80000 changes/,
    });
    expect([...map.keys()].length).toBeGreaterThan(0);
    restoreEntries(map, oldEntriesOf(changes));
    expect([...map.keys()]).toEqual([]);
    await expect(merge(map, undefined, declared, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });

  it('cannot be taken back in a map of other sizes', () => {
    const { object } = loaded();
    using _object = object;
    const old = { keySize: 8, valueSize: 24, present: '', keys: '', values: '' };
    expect(() => restoreEntries(object.map('rules'), old)).toThrow(/not the map any more/);
    expect(() => restoreEntries(object.map('big'), { ...old, present: '1' })).toThrow(/damaged/);
    expect(oldEntries.safeParse({ ...old, keys: '?' }).success).toBe(false);
  });

  it('of a map that programs delete from at the same time are made all the same', async () => {
    const { object, spec } = loaded();
    using _object = object;
    const map = object.map('rules');
    map.set(1, { action: 'PASS', packets: 3 });
    map.set(2, { action: 'PASS', packets: 3 });
    const declared = readInline(spec, 'rules', { 1: 'DROP' });
    const changes = await merge(map, readInline(spec, 'rules', { 2: 'PASS' }), declared);
    map.delete(1);
    map.delete(2);
    await writeChanges(map, changes);
    expect([...map.entries()]).toEqual([[1, { action: 'DROP', tag: 0, packets: 0n, bytes: 0n }]]);
    restoreEntries(map, oldEntriesOf(changes));
    // Of the one that was made anew the declared member is what it was; the other is back as a whole.
    expect(map.get(1)).toEqual({ action: 'PASS', tag: 0, packets: 0n, bytes: 0n });
    expect(map.get(2)).toMatchObject({ packets: 3n });
  });
});
