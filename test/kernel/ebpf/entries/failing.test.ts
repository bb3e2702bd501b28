/** What becomes of imports and comparisons that fail on the way, and of what they had open. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import { diffEntries } from '../../../../src/ebpf/entries/diff.js';
import { importEntries } from '../../../../src/ebpf/entries/import.js';
import { mapSource } from '../../../../src/ebpf/entries/map-source.js';
import { replaceEntries } from '../../../../src/ebpf/entries/replace.js';
import type { EntrySource } from '../../../../src/ebpf/entries/source.js';
import type { EntryTarget } from '../../../../src/ebpf/entries/target.js';
import { BpfMap } from '../../../../src/ebpf/map.js';
import { codecForWord } from '../../../../src/obj/codec/index.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../../../support/kernel-state.js';
import { describeAsRoot } from '../../../support/requirements.js';
import { create, type Entries, failing, held, numbered, rejection, sourceOf } from './many.js';

const atomic = { atomic: true } as const;

function openFiles(): string[] {
  return readdirSync('/proc/self/fd');
}

function fill(map: BpfMap, entries: Entries): void {
  for (const [key, value] of entries) map.set(key, value);
}

describeAsRoot('work on entries that ends early', () => {
  let before: KernelState;
  beforeAll(() => {
    before = snapshotKernelState();
  });
  afterAll(() => expectUnchanged(before));

  it('closes its listing of another map, however it ends', async () => {
    using other = create({ type: 'hash', maxEntries: 100_000 });
    using map = create({ type: 'hash', maxEntries: 100_000 });
    using small = create({ type: 'hash', maxEntries: 10 });
    fill(other, numbered(100_000));
    const source = mapSource(other, 'other');
    const twice: EntrySource = {
      ...source,
      async *read() {
        for await (const batch of source.read()) {
          yield batch;
          yield batch;
        }
      },
    };
    const failure = new NetkitError('failed', 'gone');
    let reads = 0;
    const damaged = (whole: EntrySource): EntrySource => ({
      ...whole,
      async *read() {
        const isSecond = ++reads === 2;
        for await (const batch of whole.read()) {
          if (isSecond) throw failure;
          yield batch;
        }
      },
    });
    const was = openFiles();
    const stop = new AbortController();
    const stopping: EntrySource = {
      ...source,
      async *read() {
        for await (const batch of source.read()) {
          yield batch;
          stop.abort();
        }
      },
    };
    const interrupted = await rejection(importEntries(map, stopping, { signal: stop.signal }));
    expect(interrupted).toMatchObject({ code: 'interrupted' });
    expect(await rejection(importEntries(map, twice))).toMatchObject({ code: 'bad-value' });
    expect(await rejection(importEntries(small, source))).toMatchObject({ code: 'conflict' });
    expect(await rejection(importEntries(small, source, atomic))).toMatchObject({ code: 'conflict' });
    expect(openFiles()).toEqual(was);

    await importEntries(map, source);
    const stopped = diffEntries(map, sourceOf(map, []));
    expect((await stopped.next()).done).toBe(false);
    await stopped.return({ added: 0, removed: 0, changed: 0, same: 0, entries: 0 });
    expect(openFiles()).toEqual(was);

    // So many old values that the source is read again before the listing of the map is over.
    const many = 400_000;
    using large = create({ type: 'hash', maxEntries: many });
    using changed = create({ type: 'hash', maxEntries: many });
    await importEntries(large, sourceOf(large, numbered(many)));
    await importEntries(changed, sourceOf(changed, numbered(many, 0, 1)));
    const now = openFiles();
    const broken = diffEntries(large, damaged(mapSource(changed, 'changed')));
    expect(
      await rejection(
        (async () => {
          for (let step = await broken.next(); step.done !== true; ) step = await broken.next();
        })(),
      ),
    ).toBe(failure);
    expect(openFiles()).toEqual(now);
  });

  it('does not read a pipe that never ends only to count what is left', async () => {
    using map = create({ type: 'hash', maxEntries: 20_000, name: 'small' });
    const entries = sourceOf(map, numbered(200_000));
    let batches = 0;
    const endless: EntrySource = {
      ...entries,
      repeatable: false,
      async *read() {
        for await (const batch of entries.read()) {
          if (++batches > 40) throw new Error('read on and on');
          yield batch;
        }
      },
    };
    const error = await rejection(importEntries(map, endless));
    expect(error.message).toMatch(/holds 20000 entries \(20000 entries were written, the rest was not\)$/);
    expect(error).toMatchObject({ details: { written: 20_000, left: null } });
    expect(batches).toBeLessThan(30);
  });

  it('takes everything back before it reads on, and stops counting when it is interrupted', async () => {
    using map = create({ type: 'hash', maxEntries: 10_000 });
    const entries = sourceOf(map, numbered(100_000));
    let read = 0;
    const counting = (then: () => void): EntrySource => ({
      ...entries,
      async *read() {
        for await (const batch of entries.read()) {
          read += batch.count;
          then();
          yield batch;
        }
      },
    });
    await rejection(
      importEntries(
        map,
        counting(() => undefined),
        atomic,
      ),
    );
    expect(held(map)).toEqual([]);
    expect(read).toBeLessThan(100_000);
    read = 0;
    const stop = new AbortController();
    const source = counting(() => {
      if (read > 90_000) stop.abort();
    });
    const error = await rejection(importEntries(map, source, { signal: stop.signal }));
    expect(error).toMatchObject({ code: 'interrupted', details: { written: 10_000, left: null } });
    expect(String(error)).toContain('full');
    expect(read).toBeLessThan(100_000);
  });

  it('says why it failed, and that it could not be undone, after trying to undo all', async () => {
    using map = create({ type: 'hash', maxEntries: 100 });
    fill(map, numbered(10));
    const wrong = new NetkitError('bad-value', 'entries.test: line 99: no', { details: { line: 99 } });
    let isUndoing = false;
    const around = (target: EntryTarget): EntryTarget => ({
      write: (batch) => target.write(batch),
      remove: async () => {
        isUndoing = true;
        throw new NetkitError('not-permitted', 'm is frozen');
      },
    });
    const source = failing(sourceOf(map, numbered(20, 5, 100)), wrong);
    const error = await rejection(importEntries(map, source, { ...atomic, around }));
    expect(isUndoing).toBe(true);
    expect(error.message).toBe('entries.test: line 99: no; and it could not be undone: m is frozen');
    expect(error).toMatchObject({ code: 'bad-value', cause: wrong, details: { line: 99, written: null } });
    // The values that were there before are back; what could not be removed is there.
    expect(held(map)).toEqual([...numbered(10), ...numbered(15, 10, 105)]);
  });

  it('writes the entries before a reference to what is gone', async () => {
    using a = create({ type: 'hash', maxEntries: 4 });
    using map = BpfMap.create({ type: 'hash_of_maps', keySize: 4, maxEntries: 10, inner: a });
    map.useTypes({ key: codecForWord('u32') });
    const there = `id:${a.info.id}`;
    const entries: Entries = [
      [1, there],
      [2, there],
      [3, `id:${gone()}`],
      [4, there],
    ];
    const error = await rejection(importEntries(map, sourceOf(map, entries)));
    expect(error).toMatchObject({ code: 'not-found', details: { line: 3, written: 2, left: 2 } });
    expect(error.message).toMatch(/\(2 entries were written, 2 were not\)$/);
    expect(held(map)).toEqual(entries.slice(0, 2));
  });

  it('refuses more references than can be held open, while it can still take back what it did', async () => {
    const count = 800;
    using fallback = create({ type: 'hash', maxEntries: 4 });
    using map = BpfMap.create({ type: 'hash_of_maps', keySize: 4, maxEntries: count, inner: fallback });
    map.useTypes({ key: codecForWord('u32') });
    for (let key = 0; key < count; key++) {
      const inner = create({ type: 'hash', maxEntries: 4 });
      map.setReference(key, inner);
      inner[Symbol.dispose]();
    }
    const was = held(map);
    const [soft = '', hard = ''] =
      /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.slice(1) ?? [];
    const next: Entries = Array.from({ length: count }, (_, key) => [key, `id:${fallback.info.id}`]);
    const limit = (value: string) =>
      expect(spawnSync('prlimit', ['--pid', String(process.pid), `--nofile=${value}`]).status).toBe(0);
    limit(`900:${hard}`);
    let error: Error;
    try {
      error = await rejection(importEntries(map, sourceOf(map, next, 100), atomic));
    } finally {
      limit(`${soft}:${hard}`);
    }
    expect(error).toMatchObject({ code: 'unsupported' });
    expect(error.message).toMatch(/refer to more maps than .* \(the map is as it was\)$/);
    expect(held(map)).toEqual(was);
    await importEntries(map, sourceOf(map, next), atomic);
    expect(held(map)).toEqual(next);
  });

  it('stops making room in a full map when it is interrupted', async () => {
    const count = 30_000;
    using map = create({ type: 'hash', maxEntries: count });
    fill(map, numbered(count));
    const stop = new AbortController();
    const around = (target: EntryTarget): EntryTarget => ({
      write: (batch) => target.write(batch),
      remove: async (keys, amount) => {
        stop.abort();
        await target.remove(keys, amount);
      },
    });
    const error = await rejection(
      replaceEntries(map, sourceOf(map, numbered(count, count)), { signal: stop.signal, around }),
    );
    expect(error.message).toBe('interrupted (512 entries were written, 512 removed)');
  });

  it('compares storage of cgroups, which names no number of entries', async () => {
    using map = BpfMap.create({ type: 'cgroup_storage', keySize: 16, valueSize: 8, maxEntries: 0 });
    const entry = { count: 1, keys: new Uint8Array(16).fill(1), values: new Uint8Array(8).fill(1) };
    const source: EntrySource = {
      name: 'entries.test',
      repeatable: true,
      async *read() {
        yield entry;
      },
    };
    const steps = diffEntries(map, source);
    expect((await steps.next()).value).toMatchObject([{ kind: 'added' }]);
    expect((await steps.next()).value).toMatchObject({ added: 1, entries: 1 });
  });
});

/** The id of a map that is there no more. */
function gone(): number {
  using map = create({ type: 'hash', maxEntries: 4 });
  return map.info.id;
}
