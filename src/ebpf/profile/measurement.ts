/** What a measurement of a program gives, and the ways to measure, best first. */

/**
 * counters: hardware counters around each run; fentry: the time between entry and exit; statistics: what the kernel sums
 * up for all programs; test-run: runs on a packet of netkit's own, away from any traffic.
 */
export const tiers = ['counters', 'fentry', 'statistics', 'test-run'] as const;
export type Tier = (typeof tiers)[number];

/** A counter of the machine, over all runs. */
export interface CounterReading {
  readonly name: string;
  readonly total: bigint;
  /** What measuring counts by itself is taken off. */
  readonly perRun: number;
}

/** The outcome. */
export interface Measurement {
  readonly tier: Tier;
  readonly runs: bigint;
  /** Nanoseconds a run, what measuring takes by itself taken off; undefined without a run. */
  readonly nsPerRun: number | undefined;
  /** Nanoseconds a run that were taken off: those of an empty program, measured in the same way just before. */
  readonly overheadNs: number;
  /** Seconds of observation. */
  readonly seconds: number;
  /** Empty but for `counters`. */
  readonly counters: readonly CounterReading[];
}

export interface MeasureOptions {
  /** How long to observe. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** The middle of some numbers. @throws TypeError for none */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new TypeError('no numbers');
  return (low + high) / 2;
}

/** Never below 0: an empty program is not slower than a real one but for chance. */
export function less(value: number, overhead: number): number {
  return Math.max(0, value - overhead);
}
