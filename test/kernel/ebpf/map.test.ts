import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { load } from '../../../src/ebpf/load.js';
import type { LoadedObject } from '../../../src/ebpf/loaded-object.js';
import { BpfMap } from '../../../src/ebpf/map.js';
import { possibleCpus } from '../../../src/ebpf/possible-cpus.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { makeBpffs } from '../../support/bpffs.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { run } from '../../support/netns.js';
import { describeAsRoot } from '../../support/requirements.js';

const fixture = (name: string): ObjectSpec =>
  ObjectSpec.readSync(join(packageRoot(), `test/fixtures/objects/${name}.bpf.o`));

const flow = { saddr: '10.0.0.1', daddr: '10.0.0.2', sport: 4000, dport: 53, protocol: 17 };

/** The code of the NetkitError that `work` throws. */
function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof NetkitError) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

describeAsRoot(
  'maps',
  () => {
    let object: LoadedObject;
    const map = (name: string): BpfMap => object.map(name);

    beforeAll(() => {
      object = load(fixture('maps'));
    });
    afterAll(() => object[Symbol.dispose]());

    it('of hash kind: written, read, listed and deleted by typed key and value', () => {
      const flows = map('flows');
      expect(flows.get(flow)).toBeUndefined();
      expect(flows.has(flow)).toBe(false);
      flows.set(flow, { packets: 2n ** 64n - 1n, bytes: 5n });
      expect(flows.get(flow)).toEqual({ packets: 2n ** 64n - 1n, bytes: 5n });
      for (let port = 1; port <= 50; port++)
        flows.set({ ...flow, sport: port }, { packets: BigInt(port), bytes: 0n });
      const entries = [...flows];
      expect(entries).toHaveLength(51);
      expect(entries.map(([, value]) => value)).toContainEqual({ packets: 50n, bytes: 0n });
      for (const key of flows.keys()) expect(flows.delete(key)).toBe(true);
      expect([...flows.keys()]).toEqual([]);
      expect(flows.delete(flow)).toBe(false);
    });

    it('take the update modes of the kernel', () => {
      const flows = map('flows');
      const value = { packets: 1n, bytes: 1n };
      expect(codeOf(() => flows.set(flow, value, 'exist'))).toBe('not-found');
      flows.set(flow, value, 'noexist');
      expect(codeOf(() => flows.set(flow, value, 'noexist'))).toBe('conflict');
      flows.set(flow, { packets: 2n, bytes: 1n }, 'exist');
      expect(flows.get(flow)).toEqual({ packets: 2n, bytes: 1n });
      flows.delete(flow);
    });

    it('of array kind: every index is there, none beyond, and none goes', () => {
      const counts = map('counts');
      expect([...counts]).toEqual(Array.from({ length: 8 }, (_, index) => [index, 0n]));
      counts.set(7, 7n);
      counts.set('3', '0x10');
      expect([counts.get(7), counts.get(3)]).toEqual([7n, 16n]);
      expect(counts.get(8)).toBeUndefined();
      expect(codeOf(() => counts.set(8, 1n))).toBe('bad-value');
      expect(codeOf(() => counts.set(0, 1n, 'noexist'))).toBe('conflict');
      expect(codeOf(() => counts.delete(7))).toBe('unsupported');
      expect(codeOf(() => counts.set(0, 2n ** 64n))).toBe('bad-value');
      expect(codeOf(() => counts.set(0, -1n))).toBe('bad-value');
      expect(counts.get(0)).toBe(0n);
    });

    it.each(['percpu_counts', 'percpu_flows', 'recent_percpu'])(
      'of per-CPU kind have a value for each possible CPU: %s',
      (name) => {
        const cpus = possibleCpus();
        const counters = map(name);
        expect(counters.perCpu).toBe(true);
        const key = name === 'percpu_counts' ? 1 : 0x0a000001;
        const value = (n: number) =>
          name === 'percpu_counts' ? { packets: BigInt(n), bytes: 0n } : BigInt(n);
        counters.set(key, value(9));
        expect(counters.get(key)).toEqual(Array.from({ length: cpus }, () => value(9)));
        const each = Array.from({ length: cpus }, (_, cpu) => value(cpu + 100));
        counters.set(key, each);
        expect(counters.get(key)).toEqual(each);
        expect(codeOf(() => counters.set(key, [...each, value(0)]))).toBe('bad-value');
        expect(
          [...counters].filter(([, values]) => Array.isArray(values) && values.length === cpus),
        ).not.toEqual([]);
      },
    );

    it('of prefixes find exactly the prefix that is asked for, of both families', () => {
      const v4 = map('prefixes_v4');
      v4.set('10.0.0.0/8', { action: 'DROP', note: 1 });
      v4.set('10.1.0.0/16', 'PASS');
      expect(v4.get('10.0.0.0/8')).toEqual({ action: 'DROP', note: 1 });
      expect(v4.get('10.1.0.0/16')).toEqual({ action: 'PASS', note: 0 });
      for (const other of ['10.0.0.0/9', '10.1.0.0/24', '0.0.0.0/0', '10.1.1.1/32'])
        expect(v4.get(other)).toBeUndefined();
      expect(codeOf(() => v4.set('10.0.0.1/8', 'DROP'))).toBe('bad-value');
      expect([...v4.keys()].sort()).toEqual(['10.0.0.0/8', '10.1.0.0/16']);
      expect(v4.delete('10.0.0.0/9')).toBe(false);
      expect(v4.delete('10.0.0.0/8')).toBe(true);
      const v6 = map('prefixes_v6');
      v6.set('2001:db8::/32', 'DROP');
      v6.set('::/0', 'PASS');
      expect([...v6.keys()].sort()).toEqual(['2001:db8::/32', '::/0']);
      expect(v6.get('2001:db8::/32')).toEqual({ action: 'DROP', note: 0 });
      expect(v6.get('2001:db8::/33')).toBeUndefined();
    });

    it('that are full say so, and still take what is in them', async () => {
      await leavingNothing(() => {
        using small = load(resized('maps', 'flows', 2));
        const flows = small.map('flows');
        const value = { packets: 1n, bytes: 1n };
        flows.set({ ...flow, sport: 1 }, value);
        flows.set({ ...flow, sport: 2 }, value);
        expect(() => flows.set({ ...flow, sport: 3 }, value)).toThrow(/full.*2 entries/);
        expect(codeOf(() => flows.set({ ...flow, sport: 3 }, value))).toBe('conflict');
        flows.set({ ...flow, sport: 2 }, { packets: 2n, bytes: 1n });
      });
      // One that forgets the oldest is never full.
      const recent = map('recent');
      for (let key = 0; key < 500; key++) recent.set(key, 1n);
      expect([...recent].length).toBeLessThanOrEqual(100);
    });

    it('that are frozen are read, and refuse to be written', async () => {
      await leavingNothing(() => {
        using bpffs = makeBpffs();
        using counted = load(fixture('tc'));
        const packets = counted.map('packets');
        const pin = join(bpffs.root.path, 'packets');
        packets.pin(pin);
        packets.set(0, 5n);
        expect(packets.accounting().frozen).toBe(false);
        run('bpftool', ['map', 'freeze', 'pinned', pin]);
        expect(packets.accounting().frozen).toBe(true);
        expect(packets.get(0)).toBe(5n);
        expect(codeOf(() => packets.set(0, 6n))).toBe('not-permitted');
        expect(packets.get(0)).toBe(5n);
      });
    });

    it('whose keys or values user space may not touch say so', () => {
      expect(codeOf(() => [...map('events').keys()])).toBe('unsupported');
      expect(codeOf(() => [...map('queue').keys()])).toBe('unsupported');
    });

    it('tell of themselves what bpftool tells', () => {
      const { info } = map('prefixes_v4');
      const theirs: unknown = JSON.parse(run('bpftool', ['-j', 'map', 'show', 'id', String(info.id)]));
      expect(theirs).toMatchObject({
        name: info.name,
        type: info.type,
        bytes_key: info.keySize,
        bytes_value: info.valueSize,
        max_entries: info.maxEntries,
        flags: info.flags,
      });
      expect(map('prefixes_v4').typeNames()).toEqual({ key: 'struct prefix_v4', value: 'struct rule' });
      expect([...BpfMap.ids()]).toContain(info.id);
    });

    it('are opened by pin and by id, and one that is not there is not found', async () => {
      await leavingNothing(() => {
        using bpffs = makeBpffs();
        const pin = join(bpffs.root.path, 'flows');
        map('flows').pin(pin);
        expect(codeOf(() => map('flows').pin(pin))).toBe('conflict');
        using byPin = BpfMap.fromPin(pin);
        using byId = BpfMap.fromId(map('flows').info.id);
        byPin.set(flow, { packets: 3n, bytes: 3n });
        expect(byId.get(flow)).toEqual({ packets: 3n, bytes: 3n });
        byId.delete(flow);
        expect(codeOf(() => BpfMap.fromPin(join(bpffs.root.path, 'none')))).toBe('not-found');
        expect(codeOf(() => BpfMap.fromPin(bpffs.folder))).toBe('usage');
        expect(codeOf(() => BpfMap.fromId(2 ** 31 - 1))).toBe('not-found');
      });
    });

    it('leave no descriptor open, whatever fails', () => {
      const before = readdirSync('/proc/self/fd').length;
      for (let round = 0; round < 20; round++) {
        using loaded = load(fixture('tc'));
        using again = BpfMap.fromId(loaded.map('packets').info.id);
        expect(again.get(0)).toBe(0n);
        codeOf(() => again.set(9, 1n));
        codeOf(() => BpfMap.fromPin('/none'));
        codeOf(() => load(fixture('oob')));
      }
      expect(readdirSync('/proc/self/fd').length).toBe(before);
    });
  },
  { kernelHas: ['bloom-filter'] },
);

function resized(name: string, map: string, entries: number): ObjectSpec {
  const spec = fixture(name);
  spec.setMapSize(map, entries);
  return spec;
}
