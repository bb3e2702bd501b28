import { expect, it, vi } from 'vitest';
import { load } from '../../../src/ebpf/load.js';
import { type MapChange, MapChanges } from '../../../src/ebpf/map-changes.js';
import { possibleCpus } from '../../../src/ebpf/possible-cpus.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { Elsewhere, EventSource, thrownBy } from '../../support/events.js';
import { describeAsRoot } from '../../support/requirements.js';

async function look(changes: MapChanges): Promise<MapChange[]> {
  const found: MapChange[] = [];
  for await (const change of changes.look()) found.push(change);
  return found;
}

const maps = () => load(ObjectSpec.readSync(`${packageRoot()}/test/fixtures/objects/maps.bpf.o`));

describeAsRoot('changes of a map', () => {
  it('are what was added, changed and removed since the last look', async () => {
    using object = maps();
    const flows = object.map('flows');
    const flow = (sport: number) => ({
      saddr: '10.0.0.1',
      daddr: '10.0.0.2',
      sport,
      dport: 53,
      protocol: 17,
    });
    const count = (packets: bigint) => ({ packets, bytes: 0n });
    flows.set(flow(1), count(1n));
    flows.set(flow(2), count(2n));
    const changes = new MapChanges(flows);
    expect(await look(changes)).toEqual([]);
    expect(changes.size).toBe(2);
    expect(await look(changes)).toEqual([]);

    flows.set(flow(1), count(10n));
    flows.delete(flow(2));
    flows.set(flow(3), count(3n));
    const found = await look(changes);
    expect(found).toHaveLength(3);
    expect(found).toContainEqual({
      kind: 'changed',
      key: expect.objectContaining(flow(1)),
      before: count(1n),
      now: count(10n),
    });
    expect(found).toContainEqual({
      kind: 'removed',
      key: expect.objectContaining(flow(2)),
      before: count(2n),
      now: undefined,
    });
    expect(found).toContainEqual({
      kind: 'added',
      key: expect.objectContaining(flow(3)),
      before: undefined,
      now: count(3n),
    });
    expect(await look(changes)).toEqual([]);
    expect(changes.size).toBe(2);
  });

  it('of a per-CPU map are those of the sums', async () => {
    using object = maps();
    const counts = object.map('percpu_counts');
    const changes = new MapChanges(counts);
    await look(changes);
    const cpus = Array.from({ length: possibleCpus() }, (_, cpu) => ({
      packets: BigInt(cpu + 1),
      bytes: 0n,
    }));
    counts.set(3, cpus);
    const sum = BigInt((possibleCpus() * (possibleCpus() + 1)) / 2);
    expect(await look(changes)).toEqual([
      { kind: 'changed', key: 3, before: { packets: 0n, bytes: 0n }, now: { packets: sum, bytes: 0n } },
    ]);
    // The same sum on other CPUs.
    counts.set(3, cpus.reverse());
    expect(await look(changes)).toEqual([]);
  });

  it('do not call an entry removed that a listing missed while others write', async () => {
    using object = maps();
    const flows = object.map('flows');
    const flow = (sport: number) => ({ saddr: '10.0.0.1', daddr: '10.0.0.2', sport, dport: 53, protocol: 6 });
    for (let port = 1; port <= 20; port++) flows.set(flow(port), { packets: 1n, bytes: 0n });
    const changes = new MapChanges(flows);
    await look(changes);
    for (let round = 0; round < 50; round++) {
      const looking = look(changes);
      for (let port = 100; port < 130; port++) flows.set(flow(port), { packets: 1n, bytes: 0n });
      for (let port = 100; port < 130; port++) flows.delete(flow(port));
      for (const { kind, key } of await looking) {
        if (kind === 'removed')
          expect(key).toMatchObject({ sport: expect.toSatisfy((port) => Number(port) >= 100) });
      }
    }
    expect(changes.size).toBeGreaterThanOrEqual(20);
  });

  it('of a prefix map are found without asking for each prefix, which would list the map each time', async () => {
    using object = maps();
    const prefixes = object.map('prefixes_v4');
    for (const second of [1, 2, 3]) prefixes.set(`10.${second}.0.0/16`, { action: 'PASS', note: 0 });
    const asked = vi.spyOn(prefixes, 'getBytes');
    const changes = new MapChanges(prefixes);
    await look(changes);
    for (const second of [1, 3]) prefixes.delete(`10.${second}.0.0/16`);
    const found = (await look(changes)).map(({ kind, key }) => `${kind} ${key}`);
    expect(found.sort()).toEqual(['removed 10.1.0.0/16', 'removed 10.3.0.0/16']);
    expect(asked).not.toHaveBeenCalled();
  });

  it('follow a map that a program writes', async () => {
    using source = await EventSource.compile();
    using producer = source.load(4096);
    using elsewhere = new Elsewhere(producer, ['produce']);
    const changes = new MapChanges(producer.loaded.map('events_lost'));
    await look(changes);
    elsewhere.runSync('produce', 1000);
    expect(await look(changes)).toEqual([{ kind: 'changed', key: 0, before: 0n, now: expect.any(BigInt) }]);
  });

  it('are refused of a map without entries to list, and end with their signal', async () => {
    using source = await EventSource.compile();
    using producer = source.load();
    const refused = thrownBy(() => new MapChanges(producer.loaded.map('events')));
    expect(refused).toMatchObject({ code: 'unsupported' });
    const changes = new MapChanges(producer.loaded.map('events_lost'));
    await expect(changes.look({ signal: AbortSignal.abort() }).next()).rejects.toThrow(/abort/);
  });
});
