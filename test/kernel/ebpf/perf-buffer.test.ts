import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PerfBuffer } from '../../../src/ebpf/perf-buffer.js';
import type { Value } from '../../../src/obj/codec/index.js';
import { Elsewhere, EventSource, numberOf, type Producer, thrownBy } from '../../support/events.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../../support/kernel-state.js';
import { emulated, kernelLacks } from '../../support/known-kernels.js';
import { describeAsRoot } from '../../support/requirements.js';

describeAsRoot('perf buffers', () => {
  let source: EventSource;
  let before: KernelState;

  beforeAll(async () => {
    source = await EventSource.compile();
    before = snapshotKernelState();
  });
  afterAll(async () => {
    source[Symbol.dispose]();
    await expectUnchanged(before);
  });

  const open = (producer: Producer, pages?: number): PerfBuffer =>
    new PerfBuffer(producer.loaded.map('samples'), { codec: producer.codec(), pages });

  function drainAll(buffer: PerfBuffer): Value[] {
    const records: Value[] = [];
    for (let batch = buffer.drain(); batch.length > 0; batch = buffer.drain()) records.push(...batch);
    return records;
  }

  it('give records by their type, with the CPU that wrote them', () => {
    using producer = source.load();
    using elsewhere = new Elsewhere(producer, ['sample']);
    using buffer = open(producer);
    expect(buffer.slotsWereFree).toBe(true);
    expect(buffer.drain().length).toBe(0);
    const seen = new Map<number | undefined, Value[]>();
    for (const cpu of buffer.cpus) elsewhere.runSync('sample', 2, cpu);
    for (let batch = buffer.drain(); batch.length > 0; batch = buffer.drain()) {
      // 24 bytes and the length of 4 in front, rounded up to 8.
      expect([batch.size(0), batch.fits(0)]).toEqual([28, true]);
      seen.set(batch.cpu, [...batch]);
    }
    expect([...seen.keys()].sort()).toEqual(buffer.cpus);
    for (const [cpu, records] of seen) {
      expect(records).toHaveLength(2);
      for (const record of records) expect(record).toMatchObject({ cpu });
    }
    expect([...seen.values()].flat().map(numberOf).sort()).toEqual(
      buffer.cpus.flatMap((_, index) => [2 * index, 2 * index + 1]),
    );
  });

  it('go round and round without missing or repeating a record', () => {
    using producer = source.load();
    using buffer = open(producer, 1);
    const numbers: number[] = [];
    for (let round = 0; round < 500; round++) {
      producer.run('sample', 1 + (round % 60));
      numbers.push(...drainAll(buffer).map(numberOf));
    }
    expect(BigInt(numbers.length)).toBe(producer.attempts());
    expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, index) => index));
    expect(buffer.lost()).toBe(0n);
  });

  it('count what does not fit exactly, also when no record follows', () => {
    using producer = source.load();
    using buffer = open(producer, 1);
    producer.run('sample', 1000);
    const received = drainAll(buffer).length;
    expect(received).toBeGreaterThan(50);
    expect(received).toBeLessThan(1000);
    // Older kernels tell it with the next record.
    const isTold = kernelLacks('perf-lost-count') === undefined;
    expect(buffer.lost()).toBe(isTold ? 1000n - BigInt(received) : 0n);
    producer.run('sample', 1);
    expect(drainAll(buffer)).toHaveLength(1);
    expect(buffer.lost()).toBe(1000n - BigInt(received));
  });

  it('beside programs of other processes: received and lost are what was produced', async () => {
    using producer = source.load();
    using elsewhere = new Elsewhere(producer, ['sample']);
    using buffer = open(producer, 4);
    const stop = new AbortController();
    const done = Promise.all([elsewhere.run('sample', 200_000), elsewhere.run('sample', 200_000)]).finally(
      () => stop.abort(),
    );
    let received = 0;
    for await (const batch of buffer.batches({ signal: stop.signal })) {
      for (const record of batch) numberOf(record);
      received += batch.length;
    }
    await done;
    received += drainAll(buffer).length;
    // What older kernels did not tell yet, each CPU tells with its next record.
    for (const cpu of buffer.cpus) elsewhere.runSync('sample', 1, cpu);
    received += drainAll(buffer).length;
    expect(BigInt(received) + buffer.lost()).toBe(producer.attempts());
    expect(producer.attempts()).toBe(400_000n + BigInt(buffer.cpus.length));
    expect(received).toBeGreaterThan(1000);
  });

  it('wake a reader that waits', async () => {
    using producer = source.load();
    using buffer = open(producer);
    for (let round = 0; round < 3; round++) {
      const next = buffer.batches().next();
      await sleep(30);
      const start = performance.now();
      producer.run('sample');
      expect((await next).value?.length).toBe(1);
      expect(performance.now() - start).toBeLessThan(emulated ? 6000 : 300);
    }
  });

  it('do not take the slots of another reader, unless told to, and leave it what is its own', () => {
    using producer = source.load();
    using first = open(producer);
    const error = thrownBy(() => open(producer));
    expect(error).toMatchObject({ code: 'conflict', details: { cpus: first.cpus } });
    producer.run('sample');
    expect(drainAll(first), 'looking disturbed nothing').toHaveLength(1);

    const options = { codec: producer.codec(), takeOver: true };
    using second = new PerfBuffer(producer.loaded.map('samples'), options);
    expect(second.slotsWereFree).toBe(false);
    producer.run('sample');
    expect([drainAll(first).length, drainAll(second).length]).toEqual([0, 1]);
    // The first one goes, and takes nothing of the second with it.
    first[Symbol.dispose]();
    producer.run('sample');
    expect(drainAll(second)).toHaveLength(1);
  });

  it('leave empty slots and no descriptor behind', async () => {
    using producer = source.load();
    const buffer = open(producer);
    const waiting = buffer.batches().next();
    await sleep(20);
    buffer[Symbol.dispose]();
    buffer[Symbol.dispose]();
    expect(await waiting).toMatchObject({ done: true });
    expect(() => buffer.drain()).toThrow(TypeError);
    using again = open(producer);
    expect(again.slotsWereFree).toBe(true);
  });

  it('are refused where a map is none', () => {
    using producer = source.load();
    expect(thrownBy(() => new PerfBuffer(producer.loaded.map('events')))).toMatchObject({
      code: 'unsupported',
    });
    expect(thrownBy(() => open(producer, 3))).toBeInstanceOf(RangeError);
  });
});
