/** A map of every type by its generated types: the object is test/fixtures/maps.bpf.c. Nothing of this runs. */
import { type BpfMap, load, ObjectSpec, PerfBuffer, type Reference, RingBuffer } from 'netkit';
import { maps } from './maps.types.js';

const flow = { saddr: '10.0.0.1', daddr: '10.0.0.2', sport: 1, dport: 2, protocol: 6 } as const;

export function use(untyped: BpfMap): void {
  using object = load(ObjectSpec.readSync('maps.bpf.o', { types: maps }), {
    reuse: new Map([['flows', untyped]]),
  });
  object.map('flows').set(flow, { packets: 1n });
  object.map('flows').set({ ...flow, pad: [1] }, 1n, 'exist');
  object.map('flows').set('10.0.0.1', 1n);
  const pad: [number, number, number] | undefined = [...object.map('flows').keys()][0]?.pad;
  const count: bigint | undefined = object.map('counts').get(0);
  object.map('counts').set(0, 1n);
  object.map('percpu_counts').set(0, [{ packets: 1n }, 2n]);
  object.map('percpu_counts').set(0, { packets: 1n });
  const each: bigint[] | undefined = object.map('percpu_flows').get(1);
  object.map('percpu_flows').delete(1);
  object.map('recent').set(1, 1n);
  object.map('recent_percpu').set(1, [1n, 2n]);
  object.map('prefixes_v6').set('::/0', { action: 'PASS', note: 1 });
  object.map('queue').push(1n, { evictOldest: true });
  const next: bigint | undefined = object.map('queue').pop() ?? object.map('queue').peek();
  object.map('stack').push(1);
  object.map('filter').push(1);
  const maybe: boolean = object.map('filter').mayHave(1);
  object.map('cpus').set(0, 192);
  object.map('samples').set(0, 'fd:7');
  object.map('tenants').set(0, 'id:12');
  const port: number | undefined = object.map('ports').get(0);
  object.map('tenants').setReference(0, object.map('tenant_a'));
  object.map('tenants').setReference(0, untyped);
  object.map('tables').delete(1);
  const tenant: Reference | undefined = object.map('tenants').get(2);
  object.map('stages').setReference(1, object.program('tail'));
  for (const name of ['events', 'samples'] as const) object.map(name).pin(`/sys/fs/bpf/${name}`);
  using ring = new RingBuffer(object.map('events'));
  using perf = new PerfBuffer(object.map('samples'));
  console.log(ring.drain().length, perf.drain().length);
  console.log(pad, count, each, next, maybe, port, tenant, object.map('flows').info.maxEntries);
}

export function misuse(): void {
  using object = load(ObjectSpec.readSync('maps.bpf.o', { types: maps }));
  // @ts-expect-error: no such member of the key
  object.map('flows').get({ ...flow, vlan: 1 });
  // @ts-expect-error: an address is text
  object.map('flows').get({ ...flow, saddr: 0x0a000001 });
  // @ts-expect-error: not an address
  object.map('flows').get({ ...flow, saddr: 'localhost' });
  // @ts-expect-error: more elements than the array has
  object.map('flows').get({ pad: [1, 2, 3, 4] });
  // @ts-expect-error: not the array's element
  object.map('flows').get({ pad: ['1'] });
  // @ts-expect-error: no such enumerator
  object.map('prefixes_v4').set('10.0.0.0/8', 'pass');
  // @ts-expect-error: the index of an array is a number
  object.map('counts').get('0');
  // @ts-expect-error: entries of an array are not deleted
  object.map('counts').delete(0);
  // @ts-expect-error: one value for all CPUs, or an array
  object.map('percpu_flows').set(1, { cpu: 0, value: 1n });
  // @ts-expect-error: 64 bits are a bigint on each CPU
  object.map('percpu_flows').set(1, [1, 2]);
  // @ts-expect-error: a queue has no keys
  object.map('queue').get(0);
  // @ts-expect-error: a queue has no keys
  object.map('queue').set(0, 1n);
  // @ts-expect-error: a queue is not listed
  for (const entry of object.map('queue')) console.log(entry);
  // @ts-expect-error: a queue of 64 bits
  object.map('queue').push(1);
  // @ts-expect-error: a stack of 32 bits
  object.map('stack').push(1n);
  // @ts-expect-error: nothing comes out of a bloom filter
  object.map('filter').pop();
  // @ts-expect-error: a hash has keys
  object.map('recent').push(1n);
  // @ts-expect-error: a bare number could be an id or a descriptor
  object.map('tenants').set(0, 12);
  // @ts-expect-error: a program in a map of maps
  object.map('tenants').setReference(0, object.program('maps'));
  // @ts-expect-error: a map among programs
  object.map('stages').setReference(0, object.map('flows'));
  // @ts-expect-error: a ring buffer has no entries
  object.map('events').get(0);
  // @ts-expect-error: the kernel does not tell which perf events are there
  object.map('samples').get(0);
  // @ts-expect-error: types are not changed at run time
  object.map('flows').useTypes({});
}
