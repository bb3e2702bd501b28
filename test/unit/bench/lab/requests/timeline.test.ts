import { expect, it } from 'vitest';
import { accountOf, newTimeline, type Timeline } from '../../../../../src/bench/lab/requests/timeline.js';
import { type Bucket, percentileOf } from '../../../../../src/bench/statistics/histogram.js';

const ms = 1e6;

/** Times in milliseconds. */
function timeline(
  rows: readonly (readonly [due: number, tried: number, sent: number, answered: number])[],
): Timeline {
  const column = (index: 0 | 1 | 2 | 3) => Float64Array.from(rows, (row) => row[index] * ms);
  return { due: column(0), tried: column(1), sent: column(2), answered: column(3) };
}

/** The values of a histogram in milliseconds, to within its error. */
function values(buckets: readonly Bucket[]): number[] {
  return buckets.flatMap(([from, to, count]) =>
    Array.from({ length: count }, () => Math.round((from + to) / 2e5) / 10),
  );
}

it('counts latency from the time at which a request was to be sent, not from when it was', () => {
  const { latency, lag } = accountOf(timeline([[1, 4, 4, 5]]));
  expect(values(latency)).toEqual([4]);
  expect(values(lag)).toEqual([3]);
});

it('holds a generator that is early, which there is none of, for punctual', () => {
  expect(values(accountOf(timeline([[1, 1, 1, 2]])).lag)).toEqual([0]);
});

it('does not hold the generator to account for the time in which the other side took no more', () => {
  const rows = timeline([
    // It came in time, and could send at 50 only.
    [1, 1, 50, 60],
    // Due meanwhile: its own lateness begins when it could send again.
    [2, 50.5, 50.5, 61],
    [3, 51, 51, 62],
    [60, 60.5, 60.5, 63],
  ]);
  const { latency, lag } = accountOf(rows);
  expect(values(lag)).toEqual([0, 0.5, 0.5, 1]);
  // All the same the requests had to wait.
  expect(values(latency).map(Math.round)).toEqual([3, 59, 59, 59]);
});

it('says how many were to be sent, were sent, and answered, and how long it took', () => {
  const never = Number.NaN;
  const account = accountOf(
    timeline([
      [0, 0, 0, 2],
      [10, 10, 10, never],
      [20, 20, never, never],
      [30, never, never, never],
    ]),
  );
  expect(account).toMatchObject({ wanted: 4, sent: 2, answered: 1, seconds: 0.002, sending: 0.01 });
  expect(account.latency.map(([, , count]) => count)).toEqual([1]);
});

it('has nothing to say of a run in which nothing was sent', () => {
  expect(accountOf(newTimeline(new Float64Array(0)))).toEqual({
    wanted: 0,
    sent: 0,
    answered: 0,
    seconds: 0,
    sending: 0,
    latency: [],
    lag: [],
  });
});

it('keeps values of a microsecond and of a minute to within 0.8 %', () => {
  const { latency } = accountOf(
    timeline([
      [0, 0, 0, 0.0015],
      [0, 0, 0, 60_000],
    ]),
  );
  expect((percentileOf(latency, 50) ?? 0) / 1500).toBeCloseTo(1, 2);
  expect((percentileOf(latency, 100) ?? 0) / 60e9).toBeCloseTo(1, 2);
});
