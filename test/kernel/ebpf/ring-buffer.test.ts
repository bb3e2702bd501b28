import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import type { EventBatch } from '../../../src/ebpf/event-batch.js';
import { RingBuffer } from '../../../src/ebpf/ring-buffer.js';
import { Mapping, pageSize } from '../../../src/sys/ring.js';
import { Elsewhere, EventSource, numberOf, type Producer, thrownBy } from '../../support/events.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../../support/kernel-state.js';
import { emulated } from '../../support/known-kernels.js';
import { describeAsRoot, itWith } from '../../support/requirements.js';

function epolls(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:[eventpoll]';
    } catch {
      return false;
    }
  }).length;
}

describeAsRoot('ring buffers', () => {
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

  /** A ring with typed records, and the counter of what is lost. */
  function open(producer: Producer): RingBuffer {
    const { loaded } = producer;
    return new RingBuffer(loaded.map('events'), {
      codec: producer.codec(),
      lostCounter: loaded.map('events_lost'),
    });
  }

  it('give records by their type, and their bytes', () => {
    using producer = source.load();
    using ring = open(producer);
    expect(ring.drain().length).toBe(0);
    producer.run('produce', 3);
    const batch = ring.drain();
    expect([...batch]).toEqual(
      [0n, 1n, 2n].map((number) => ({ number, twice: number * 2n, cpu: expect.any(Number) })),
    );
    expect(batch.at(2)).toMatchObject({ number: 2n });
    expect(batch.cpu).toBeUndefined();
    expect([batch.size(1), batch.fits(1)]).toEqual([24, true]);
    expect(Buffer.from(batch.bytes(1)).readBigUInt64LE(8)).toBe(2n);
    expect(() => batch.at(3)).toThrow(RangeError);
    expect(() => batch.bytes(-1)).toThrow(RangeError);
    expect(ring.drain().length).toBe(0);
  });

  it('without a type give bytes', () => {
    using producer = source.load();
    using ring = new RingBuffer(producer.loaded.map('others'));
    producer.run('other');
    const batch = ring.drain();
    expect([...batch]).toEqual(['hex:0700610000000000']);
    expect(batch.fits(0)).toBe(false);
    expect(ring.lost()).toBeUndefined();
  });

  it('leave discarded records out, and give those of another size as bytes', () => {
    using producer = source.load();
    using ring = open(producer);
    producer.run('mixed', 12);
    const expected = [1, 2, 4, 5, 7, 8, 10, 11].map((number) => {
      const odd = Buffer.alloc(40);
      for (let at = 0; at < 40; at += 8) odd.writeBigUInt64LE(BigInt(number), at);
      return number % 4 === 0 ? `hex:${odd.toString('hex')}` : number;
    });
    const batch = ring.drain();
    expect([...batch].map((record) => (typeof record === 'string' ? record : numberOf(record)))).toEqual(
      expected,
    );
    expect(batch.size(2)).toBe(40);
    expect(ring.drain().length).toBe(0);
    expect(ring.pendingBytes).toBe(0);
  });

  it('go round and round without missing or repeating a record', () => {
    using producer = source.load(4096);
    using ring = open(producer);
    let next = 0;
    for (let round = 0; round < 500; round++) {
      producer.run('produce', 1 + (round % 60));
      for (let batch = ring.drain(); batch.length > 0; batch = ring.drain()) {
        for (const record of batch) expect(numberOf(record)).toBe(next++);
      }
    }
    expect(BigInt(next)).toBe(producer.attempts());
    expect(ring.lost()).toBe(0n);
  });

  it('lose what does not fit, and count it exactly', () => {
    using producer = source.load(4096);
    using ring = open(producer);
    producer.run('produce', 1000);
    // 32 bytes each with their headers; one place stays free.
    expect(ring.pendingBytes).toBeLessThanOrEqual(4096);
    let received = 0;
    for (let batch = ring.drain(); batch.length > 0; batch = ring.drain()) received += batch.length;
    expect(received).toBeGreaterThan(100);
    expect(ring.lost()).toBe(1000n - BigInt(received));
    using later = open(producer);
    expect(later.lost()).toBe(0n);
  });

  it('beside programs of other processes: received and lost are what was produced', async () => {
    using producer = source.load(16 * 1024);
    using ring = open(producer);
    using elsewhere = new Elsewhere(producer, ['produce']);
    const stop = new AbortController();
    const done = Promise.all([elsewhere.run('produce', 400_000), elsewhere.run('produce', 400_000)]).finally(
      () => stop.abort(),
    );
    let received = 0;
    const count = (batch: EventBatch): void => {
      for (const record of batch) numberOf(record);
      received += batch.length;
    };
    for await (const batch of ring.batches({ signal: stop.signal })) count(batch);
    await done;
    for (let batch = ring.drain(); batch.length > 0; batch = ring.drain()) count(batch);
    expect(producer.attempts()).toBe(800_000n);
    expect(BigInt(received) + (ring.lost() ?? 0n)).toBe(800_000n);
    expect(received).toBeGreaterThan(1000);
  });

  itWith(
    { kernelHas: ['bpf-loop'] },
    'hold records back behind one that is not submitted yet, and then wake the reader',
    async () => {
      using producer = source.load(64 * 1024, 8_000_000);
      using ring = open(producer);
      using elsewhere = new Elsewhere(producer, ['slow']);
      const done = elsewhere.run('slow', 5);
      let heldBack = 0;
      const numbers: number[] = [];
      const stop = new AbortController();
      void done.finally(() => stop.abort());
      const timer = setInterval(() => {
        if (producer.attempts() > BigInt(numbers.length) && ring.pendingBytes > 0) heldBack++;
        producer.run('produce');
      }, 1);
      for await (const batch of ring.batches({ signal: stop.signal }))
        numbers.push(...[...batch].map(numberOf));
      clearInterval(timer);
      await done;
      for (let batch = ring.drain(); batch.length > 0; batch = ring.drain())
        numbers.push(...[...batch].map(numberOf));
      expect(heldBack).toBeGreaterThan(0);
      expect(BigInt(numbers.length)).toBe(producer.attempts());
      expect([...numbers].sort((a, b) => a - b)).toEqual(numbers.map((_, index) => index));
    },
  );

  it('wait beside other work, many of them over one epoll, and wake for each', async () => {
    await sleep(50);
    const others = epolls();
    using producer = source.load();
    using first = open(producer);
    using second = new RingBuffer(producer.loaded.map('others'));
    expect(epolls()).toBe(others + 1);
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 5);
    const nextOf = async (ring: RingBuffer): Promise<number> => {
      for await (const batch of ring) return batch.length;
      return -1;
    };
    const ofFirst = nextOf(first);
    const ofSecond = nextOf(second);
    await sleep(100);
    expect(ticks).toBeGreaterThan(5);
    producer.run('other', 2);
    expect(await ofSecond).toBe(2);
    producer.run('produce', 4);
    expect(await ofFirst).toBe(4);
    clearInterval(ticking);
    // And again, after both were read.
    const again = nextOf(second);
    producer.run('other');
    expect(await again).toBe(1);
    first[Symbol.dispose]();
    second[Symbol.dispose]();
    await sleep(20);
    expect(epolls()).toBe(others);
  });

  it('wake a reader within milliseconds, without a wake-up within about a second', async () => {
    using producer = source.load();
    using ring = open(producer);
    const delay = async (program: string): Promise<number> => {
      const batches = ring.batches();
      const next = batches.next();
      await sleep(50);
      const start = performance.now();
      producer.run(program);
      await next;
      return performance.now() - start;
    };
    const patience = emulated ? 20 : 1;
    expect(await delay('produce')).toBeLessThan(300 * patience);
    expect(await delay('quiet')).toBeLessThan(1500 * patience);
  });

  it('let timers have their turn while records never end', async () => {
    using producer = source.load(1 << 20);
    using ring = open(producer);
    const stop = new AbortController();
    let batches = 0;
    setTimeout(() => stop.abort(), 100);
    producer.run('produce', 1000);
    for await (const batch of ring.batches({ signal: stop.signal })) {
      batches += Math.min(batch.length, 1);
      producer.run('produce', 1000);
    }
    expect(batches).toBeGreaterThan(5);
  });

  it('end when they are closed or the signal is aborted, also while waiting', async () => {
    using producer = source.load();
    const ring = open(producer);
    const waiting = ring.batches().next();
    await sleep(20);
    ring[Symbol.dispose]();
    expect(await waiting).toEqual({ done: true, value: undefined });
    ring[Symbol.dispose]();
    expect(() => ring.drain()).toThrow(TypeError);
    expect(() => ring.lost()).toThrow(TypeError);
    expect(await ring.batches().next()).toMatchObject({ done: true });

    using other = open(producer);
    const stop = new AbortController();
    const aborted = other.batches({ signal: stop.signal }).next();
    await sleep(20);
    stop.abort();
    expect(await aborted).toMatchObject({ done: true });
    expect(await other.batches({ signal: stop.signal }).next()).toMatchObject({ done: true });
    // Still good for reading.
    producer.run('produce');
    expect(other.drain().length).toBe(1);
  });

  it('never give what is not theirs any more: a batch is over with the next one and with its buffer', () => {
    using producer = source.load();
    const ring = open(producer);
    producer.run('produce', 2);
    const first = ring.drain();
    const bytes = first.bytes(0);
    ring.drain();
    expect(() => first.at(0)).toThrow(/this batch is over/);
    producer.run('produce', 1);
    const last = ring.drain();
    const records = last[Symbol.iterator]();
    ring[Symbol.dispose]();
    for (const use of [
      () => last.at(0),
      () => last.bytes(0),
      () => last.size(0),
      () => [...last],
      () => records.next(),
    ]) {
      expect(use).toThrow(TypeError);
    }
    expect(bytes).toHaveLength(24);
    using again = open(producer);
    expect(again.drain().length, 'what was given out is consumed').toBe(0);
  });

  it('leave zeros behind where their memory was, for views that were kept', () => {
    using producer = source.load();
    producer.run('produce');
    const part = { offset: pageSize(), length: 2 * pageSize(), writable: false };
    const mapping = new Mapping(producer.loaded.map('events').fd, part, 'map');
    const kept = new DataView(mapping.memory);
    expect(kept.getUint32(0, true)).toBe(32);
    mapping[Symbol.dispose]();
    mapping[Symbol.dispose]();
    expect([kept.getUint32(0, true), kept.getUint32(2 * pageSize() - 4, true)]).toEqual([0, 0]);
  });

  it('notice another reader', () => {
    using producer = source.load();
    using one = open(producer);
    using two = open(producer);
    producer.run('produce', 2);
    expect(one.drain().length).toBe(2);
    one.drain();
    const error = thrownBy(() => two.drain());
    expect(error).toBeInstanceOf(NetkitError);
    expect(error).toMatchObject({ code: 'conflict' });
    // It goes on in the other's step.
    producer.run('produce');
    expect(two.drain().length).toBe(1);
  });

  it('are refused where a map is none', () => {
    using producer = source.load();
    expect(thrownBy(() => new RingBuffer(producer.loaded.map('samples')))).toMatchObject({
      code: 'unsupported',
    });
    const options = { lostCounter: producer.loaded.map('others') };
    expect(thrownBy(() => new RingBuffer(producer.loaded.map('events'), options))).toMatchObject({
      code: 'usage',
    });
  });
});
