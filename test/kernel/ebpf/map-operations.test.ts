// Tries every operation on every type of map, for real, and keeps the outcome as a table.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { mapTypes } from '../../../src/base/kernel-words.js';
import { Scope } from '../../../src/base/scope.js';
import { BpfMap } from '../../../src/ebpf/map.js';
import { type MapChange, MapChanges } from '../../../src/ebpf/map-changes.js';
import { PerfBuffer } from '../../../src/ebpf/perf-buffer.js';
import { RingBuffer } from '../../../src/ebpf/ring-buffer.js';
import { atLeast, kernelRelease } from '../../../src/host/kernel.js';
import { packageRoot } from '../../../src/host/package-root.js';
import type { Value } from '../../../src/obj/codec/index.js';
import { makeBpffs } from '../../support/bpffs.js';
import { outputToPerf, outputToRing } from '../../support/instructions.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../../support/kernel-state.js';
import { type Entry, mapKinds } from '../../support/map-kinds.js';
import { type Cell, expectedRefusal, type Operation, operations, tableOf } from '../../support/map-table.js';
import { describeAsRoot } from '../../support/requirements.js';

/** In a machine of `npm run test:vm` only this folder outlives it; it is .cache/vm/KERNEL/results outside. */
const vmResults = '/run/netkit-vm';
const types = mapTypes.filter((type) => type !== 'unspec');
type MapType = (typeof types)[number];

/** One map with one entry to be, and what it takes to try an operation. */
class Trial {
  readonly map: BpfMap;
  readonly entry: Entry | undefined;
  readonly scope: Scope;

  constructor(type: MapType, scope: Scope) {
    this.scope = scope;
    const kind = mapKinds[type];
    this.map = scope.use(BpfMap.create({ type, name: 'trial', ...kind.options(scope) }));
    this.entry = kind.entry?.(scope);
  }

  /** Puts the entry in. @returns its key */
  put(): Value {
    const { map, entry } = this;
    if (entry?.put !== undefined) return entry.put(map);
    const key = entry?.key ?? 0;
    map.set(key, entry?.value ?? 0);
    return key;
  }

  /** Whether this is what reading the entry gives. */
  isRead(value: Value | undefined): boolean {
    const { reads, value: written } = this.entry ?? { value: 0 };
    if (typeof reads === 'function') return value !== undefined && reads(value);
    expect(value).toEqual(reads ?? written);
    return true;
  }

  isThere(key: Value): boolean {
    if (this.entry?.isThere !== undefined) return this.entry.isThere(this.map);
    const value = this.map.get(key);
    return value !== undefined && this.isRead(value);
  }
}

const attempts: Readonly<Record<Operation, (trial: Trial, type: MapType) => void | Promise<void>>> = {
  create: ({ map }, type) => {
    expect(map.info).toMatchObject({ type, name: 'trial' });
  },
  show: ({ map, scope }) => {
    expect(scope.use(BpfMap.fromId(map.info.id)).info).toEqual(map.info);
  },
  get: (trial) => {
    if (trial.entry?.isThere !== undefined || trial.entry === undefined || isKeyless(trial)) trial.map.get(1);
    expect(trial.isRead(trial.map.get(trial.put()))).toBe(true);
  },
  lookup: (trial) => {
    const { map, entry } = trial;
    if (entry === undefined || entry.isThere !== undefined) map.lookup(1);
    if (map.info.type === 'bloom_filter') map.push(entry?.value ?? 0);
    const key = isKeyless(trial) ? (entry?.value ?? 0) : trial.put();
    expect(trial.isRead(map.lookup(entry?.asked ?? key))).toBe(true);
  },
  update: (trial) => {
    const { map, entry } = trial;
    if (entry === undefined || isKeyless(trial)) map.set(0, 0);
    const key = trial.put();
    map.set(key, entry?.other ?? 0);
    map.set(key, entry?.value ?? 0);
    expect(trial.isThere(key)).toBe(true);
  },
  delete: (trial) => {
    const { map, entry } = trial;
    if (entry === undefined || isKeyless(trial) || map.info.type.endsWith('cgroup_storage')) map.delete(1);
    const key = trial.put();
    expect(trial.isThere(key)).toBe(true);
    expect(map.delete(key)).toBe(true);
    expect(entry?.isThere?.(map) ?? map.get(key) !== undefined).toBe(map.info.type === 'struct_ops');
    expect(map.delete(key)).toBe(map.info.type === 'xskmap');
  },
  dump: (trial) => {
    const { map, entry } = trial;
    if (entry === undefined || isKeyless(trial)) Array.from(map);
    const key = trial.put();
    const entries = [...map];
    expect(entries.filter((each) => each[0] === key).map(([, value]) => trial.isRead(value))).toEqual([true]);
    expect(new Set(entries.map(([each]) => each)).size).toBe(entries.length);
  },
  watch: async (trial, type) => {
    const { map, scope } = trial;
    if (type === 'ringbuf' || type === 'perf_event_array') {
      const events = scope.use(type === 'ringbuf' ? new RingBuffer(map) : new PerfBuffer(map));
      (type === 'ringbuf' ? outputToRing : outputToPerf)(map.fd, 0x4b4e);
      expect([...events.drain()]).toEqual([expect.stringMatching(/^hex:4e4b000000000000/)]);
      return;
    }
    const changes = new MapChanges(map);
    for await (const change of changes.look()) throw new Error(`a ${change.kind} before anything was done`);
    const key = trial.put();
    const seen: MapChange[] = [];
    for await (const change of changes.look()) seen.push(change);
    expect(seen.map((change) => change.key)).toEqual([key]);
    expect(['added', 'changed']).toContain(seen[0]?.kind);
  },
  push: ({ map, entry }) => {
    map.push(entry?.value ?? 0);
    if (map.info.type === 'bloom_filter') expect(map.mayHave(entry?.value ?? 0)).toBe(true);
    else expect(map.peek()).toEqual(entry?.value);
  },
  pop: ({ map, entry }) => {
    if (isKeyless({ map }) && map.info.type !== 'bloom_filter')
      for (const value of [entry?.value, entry?.other]) map.push(value ?? 0);
    const both = [map.pop(), map.pop(), map.pop()];
    const inOrder = [entry?.value, entry?.other];
    expect(both).toEqual([...(map.info.type === 'queue' ? inOrder : inOrder.reverse()), undefined]);
  },
  peek: ({ map, entry }) => {
    expect(map.peek()).toBeUndefined();
    map.push(entry?.value ?? 0);
    expect([map.peek(), map.peek()]).toEqual([entry?.value, entry?.value]);
  },
  freeze: (trial) => {
    const { map } = trial;
    map.freeze();
    expect(map.accounting().frozen).toBe(true);
    expect(() => map.freeze()).toThrow('is frozen already');
    const write = (): unknown => (isKeyless(trial) ? map.push(trial.entry?.value ?? 0) : trial.put());
    const writable = trial.entry !== undefined && trial.entry.put === undefined;
    if (writable)
      expect(thrownBy(write)).toMatchObject({
        code: 'not-permitted',
        message: expect.stringContaining('it is frozen'),
      });
  },
  pin: ({ map, scope }) => {
    const path = join(scope.use(makeBpffs()).root.path, 'trial');
    map.pin(path);
    expect(scope.use(BpfMap.fromPin(path)).info).toEqual(map.info);
  },
};

function isKeyless({ map }: Pick<Trial, 'map'>): boolean {
  return ['queue', 'stack', 'bloom_filter'].includes(map.info.type);
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

async function tryOut(type: MapType, operation: Operation): Promise<Cell> {
  using scope = new Scope();
  try {
    await attempts[operation](new Trial(type, scope), type);
    return { works: true };
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'unsupported') throw error;
    return { works: false, reason: error.message };
  }
}

describeAsRoot('maps of every type', () => {
  const table = new Map<string, Map<Operation, Cell>>();
  let before: KernelState;

  beforeAll(() => {
    before = snapshotKernelState();
  });
  afterAll(async () => {
    const folder = existsSync(vmResults) ? vmResults : join(packageRoot(), 'test-results');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `map-operations-${kernelRelease()}.md`), tableOf(kernelRelease(), table));
    await expectUnchanged(before);
  });

  describe.each(types)('%s', (type) => {
    it.each(operations)('%s works, or is refused with the reason', async (operation) => {
      const cell = await tryOut(type, operation);
      const row = table.get(type) ?? new Map<Operation, Cell>();
      table.set(type, row.set(operation, cell));
      const refusal = expectedRefusal(type, operation, atLeast);
      expect(cell).toEqual(
        refusal === undefined ? { works: true } : { works: false, reason: expect.stringContaining(refusal) },
      );
    });
  });

  it('fill a table without an empty cell', () => {
    const cells = types.flatMap((type) => operations.map((operation) => table.get(type)?.get(operation)));
    expect(cells).toHaveLength(types.length * operations.length);
    expect(cells.filter((cell) => cell === undefined || (!cell.works && cell.reason === ''))).toEqual([]);
  });
});
