/** What became of each request of a run, and what that comes to. */
import { type Bucket, Histogram } from '../../statistics/histogram.js';

/** Nanoseconds since the run began, of each request by its number; NaN for what did not happen. */
export interface Timeline {
  /** When it was to be sent. */
  readonly due: Float64Array;
  /** When the generator came to send it. */
  readonly tried: Float64Array;
  /** When it was sent, where that could be done at once: later than `tried` when the other side took no more. */
  readonly sent: Float64Array;
  readonly answered: Float64Array;
}

export function newTimeline(due: Float64Array): Timeline {
  const never = (): Float64Array => new Float64Array(due.length).fill(Number.NaN);
  return { due, tried: never(), sent: never(), answered: never() };
}

export interface Account {
  /** That were to be sent. */
  readonly wanted: number;
  readonly sent: number;
  readonly answered: number;
  /** From the first intended time to the last answer. */
  readonly seconds: number;
  /** From the first request that was sent to the last. */
  readonly sending: number;
  /** From the intended time to the answer, in nanoseconds. */
  readonly latency: readonly Bucket[];
  /**
   * How late the generator was on its own account, in nanoseconds: from the intended time, or from when the other side took
   * more again, until it came to send.
   */
  readonly lag: readonly Bucket[];
}

/** A lasting run makes no histogram larger than this: an error below 0.8 %, from a step of 10 ns on. */
const kind = { bits: 7, step: 10 } as const;

/** Late requests are forgiven nothing: an answer counts from when its request was to be sent. */
export function accountOf({ due, tried, sent, answered }: Timeline): Account {
  const latency = new Histogram(kind);
  const lag = new Histogram(kind);
  let last = 0;
  let [firstSent, lastSent] = [Number.POSITIVE_INFINITY, 0];
  let sentCount = 0;
  // When the one before was sent, if it had to wait for the other side: until then none could be.
  let free = 0;
  for (const [index, wanted] of due.entries()) {
    const begun = tried[index] ?? Number.NaN;
    const gone = sent[index] ?? Number.NaN;
    const end = answered[index] ?? Number.NaN;
    if (!Number.isNaN(begun)) lag.record(Math.max(0, begun - Math.max(wanted, free)));
    if (!Number.isNaN(gone)) {
      sentCount += 1;
      firstSent = Math.min(firstSent, gone);
      lastSent = Math.max(lastSent, gone);
      if (gone > begun) free = gone;
    }
    if (Number.isNaN(end)) continue;
    latency.record(Math.max(0, end - wanted));
    last = Math.max(last, end);
  }
  return {
    wanted: due.length,
    sent: sentCount,
    answered: latency.count,
    seconds: Math.max(0, last - (due[0] ?? 0)) / 1e9,
    sending: Math.max(0, lastSent - firstSent) / 1e9,
    latency: latency.buckets(),
    lag: lag.buckets(),
  };
}
