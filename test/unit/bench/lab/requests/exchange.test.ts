import { expect, it } from 'vitest';
import { closedLoop, openLoop, type Transport } from '../../../../../src/bench/lab/requests/exchange.js';
import { intendedTimes } from '../../../../../src/bench/lab/requests/schedule.js';
import { accountOf } from '../../../../../src/bench/lab/requests/timeline.js';
import { type Bucket, percentileOf } from '../../../../../src/bench/statistics/histogram.js';

const us = 1e3;
const ms = 1e6;
const second = 1e9;

interface WorldOptions {
  /** What sending takes, and looking for an answer. */
  readonly step?: number;
  /** When the server does not answer: what comes in then is answered afterwards. */
  readonly stall?: readonly [from: number, to: number];
  /** Requests that never come back. */
  readonly lost?: (index: number) => boolean;
  /** When the generator itself does not get on. */
  readonly asleep?: readonly [from: number, to: number];
  /** How many the other side takes before it is to be read from. */
  readonly room?: number;
}

/** A server that takes 10 µs for a request, one after the other, and a clock that goes on by what is done. */
function world({
  step = us,
  stall,
  lost = () => false,
  asleep,
  room = Number.POSITIVE_INFINITY,
}: WorldOptions) {
  let time = 5 * second;
  const begin = time;
  const pass = (): void => {
    time += step;
    if (asleep !== undefined && time - begin >= asleep[0] && time - begin < asleep[1])
      time = begin + asleep[1];
  };
  const queue: { index: number; at: number }[] = [];
  let free = 0;
  const transport: Transport = {
    send: (index) => {
      pass();
      if (queue.length >= room) return false;
      if (lost(index)) return true;
      let done = Math.max(free, time) + 10 * us;
      if (stall !== undefined && done - begin >= stall[0] && done - begin < stall[1])
        done = begin + stall[1] + 10 * us;
      free = done;
      queue.push({ index, at: done });
      return true;
    },
    answered: () => {
      pass();
      const [first] = queue;
      if (first === undefined || first.at > time) return -1;
      queue.shift();
      return first.index;
    },
    [Symbol.dispose]: () => undefined,
  };
  return { transport, now: () => time };
}

const over = (buckets: readonly Bucket[], limit: number): number =>
  buckets.reduce((sum, [from, , count]) => sum + (from >= limit ? count : 0), 0);
const at = (buckets: readonly Bucket[], percentile: number): number =>
  percentileOf(buckets, percentile) ?? Number.NaN;
const even = (rate: number, seconds: number) => intendedTimes({ rate, seconds, spacing: 'even', seed: 1 });

it('in an open loop sends every request at its time, and takes each answer', () => {
  const { transport, now } = world({});
  const { wanted, sent, answered, latency, lag } = accountOf(
    openLoop(transport, { due: even(10_000, 0.1), patience: second }, now),
  );
  expect([wanted, sent, answered]).toEqual([1000, 1000, 1000]);
  expect(at(latency, 100)).toBeLessThan(20 * us);
  expect(at(lag, 100)).toBeLessThan(5 * us);
});

it('in an open loop goes on sending while the server stalls, so that everybody who came meanwhile is seen', () => {
  const { transport, now } = world({ stall: [2 * second, 2.2 * second] });
  const { answered, latency, lag } = accountOf(
    openLoop(transport, { due: even(1000, 5), patience: second }, now),
  );
  expect(answered).toBe(5000);
  // 200 of 5,000 were due in the stall, and waited for 0 to 200 ms; then the server had to catch up.
  expect(over(latency, ms)).toBeGreaterThanOrEqual(198);
  expect(over(latency, ms)).toBeLessThanOrEqual(204);
  expect(at(latency, 95)).toBeLessThan(ms);
  expect(at(latency, 99)).toBeGreaterThan(145 * ms);
  expect(at(latency, 99.9)).toBeGreaterThan(190 * ms);
  // It was not the generator.
  expect(at(lag, 100)).toBeLessThan(5 * us);
});

it('in a closed loop sends nothing while the server stalls, so that one request alone is seen', () => {
  const { transport, now } = world({ stall: [2 * second, 2.2 * second] });
  const { answered, latency } = accountOf(
    closedLoop(transport, { window: 1, duration: 5 * second, most: 1e6, patience: second }, now),
  );
  expect(answered).toBeGreaterThan(100_000);
  expect(over(latency, ms)).toBe(1);
  expect(at(latency, 99.9)).toBeLessThan(ms);
});

it('counts its own sleep as its own, and forgives itself nothing', () => {
  const { transport, now } = world({ asleep: [20 * ms, 50 * ms] });
  const { answered, latency, lag } = accountOf(
    openLoop(transport, { due: even(1000, 0.1), patience: second }, now),
  );
  expect(answered).toBe(100);
  expect(over(lag, 0.5 * ms)).toBeGreaterThanOrEqual(29);
  expect(at(lag, 100)).toBeGreaterThan(28 * ms);
  expect(over(latency, 0.5 * ms)).toBeGreaterThanOrEqual(29);
});

it('waits for what the other side takes no more of, without taking that for its own lateness', () => {
  const { transport, now } = world({ stall: [20 * ms, 50 * ms], room: 5 });
  const { sent, answered, latency, lag } = accountOf(
    openLoop(transport, { due: even(1000, 0.1), patience: second }, now),
  );
  expect([sent, answered]).toEqual([100, 100]);
  expect(at(latency, 100)).toBeGreaterThan(25 * ms);
  expect(at(lag, 100)).toBeLessThan(0.5 * ms);
});

it('gives up on what is not answered in time, and says how many those are', () => {
  const { transport, now } = world({ lost: (index) => index % 10 === 3 });
  const begin = now();
  const { wanted, answered } = accountOf(
    openLoop(transport, { due: even(1000, 0.1), patience: 50 * ms }, now),
  );
  expect([wanted, answered]).toEqual([100, 90]);
  expect(now() - begin).toBeLessThan(160 * ms);
});

it('in a closed loop goes on after one that is lost', () => {
  const { transport, now } = world({ lost: (index) => index === 3 });
  const { wanted, answered } = accountOf(
    closedLoop(transport, { window: 1, duration: 100 * ms, most: 1e5, patience: 10 * ms }, now),
  );
  expect(wanted - answered).toBe(1);
  expect(answered).toBeGreaterThan(1000);
});

it('in a closed loop keeps as many on their way as it is told, and no more', () => {
  const { transport, now } = world({});
  let away = 0;
  let most = 0;
  const counting: Transport = {
    ...transport,
    send: (index) => {
      const isSent = transport.send(index);
      if (isSent) most = Math.max(most, ++away);
      return isSent;
    },
    answered: () => {
      const index = transport.answered();
      if (index >= 0) away -= 1;
      return index;
    },
  };
  closedLoop(counting, { window: 4, duration: 10 * ms, most: 1e5, patience: 10 * ms }, now);
  expect(most).toBe(4);
  expect(away).toBe(0);
});

it('in a closed loop sends no more in all than it is told', () => {
  const { transport, now } = world({});
  const line = closedLoop(transport, { window: 2, duration: second, most: 7, patience: 10 * ms }, now);
  expect(accountOf(line)).toMatchObject({ wanted: 7, sent: 7, answered: 7 });
});
