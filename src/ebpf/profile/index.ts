/** Measuring a program in the best way that this machine has for it. */
import { NetkitError } from '../../base/errors.js';
import type { Program } from '../program.js';
import { type Counter, hardwareCounters, isCounted } from './counters.js';
import { syntheticPacket } from './empty-program.js';
import { type Measurement, type MeasureOptions, type Tier, tiers } from './measurement.js';
import { measureByStatistics } from './statistics.js';
import { measureByTestRuns } from './test-runs.js';
import { measureByTracing } from './tracing.js';

export { type CounterReading, type Measurement, type Tier, tiers } from './measurement.js';

export interface ProfileOptions extends MeasureOptions {
  /** The one way to measure; the best that works when left out. */
  readonly tier?: Tier | undefined;
  /** For test runs: what to run on, a small UDP packet when left out. */
  readonly packet?: Uint8Array | undefined;
  /** Counters that `counters` tries; those of the machine when left out. */
  readonly counters?: readonly Counter[] | undefined;
}

/** A way that was not taken, and why. */
export interface PassedOver {
  readonly tier: Tier;
  readonly reason: string;
}

export interface Profile {
  readonly measurement: Measurement;
  /** Better ways that do not work here. */
  readonly passedOver: readonly PassedOver[];
}

/**
 * Measures a program for some seconds. Nothing stays attached or counted afterwards.
 * @throws NetkitError `unsupported` or `not-permitted` when the way asked for, or every way, does not work here; `interrupted`
 */
export async function profile(program: Program, options: ProfileOptions): Promise<Profile> {
  if (options.tier !== undefined)
    return { measurement: await measure(program, options.tier, options), passedOver: [] };
  const passedOver: PassedOver[] = [];
  let last: NetkitError | undefined;
  for (const tier of tiers) {
    try {
      return { measurement: await measure(program, tier, options), passedOver };
    } catch (error) {
      const goesOn =
        error instanceof NetkitError && (error.code === 'unsupported' || error.code === 'not-permitted');
      if (!goesOn) throw error;
      last ??= error;
      passedOver.push({ tier, reason: error.message });
    }
  }
  throw new NetkitError('unsupported', 'there is no way to measure this program here', {
    hint: passedOver.map(({ tier, reason }) => `${tier}: ${reason}`).join('; '),
    cause: last,
  });
}

function measure(program: Program, tier: Tier, options: ProfileOptions): Promise<Measurement> {
  switch (tier) {
    case 'counters':
      return measureByCounters(program, options);
    case 'fentry':
      return measureByTracing(program, [], options);
    case 'statistics':
      return measureByStatistics(program, options);
    case 'test-run':
      return measureByTestRuns(program, options.packet ?? syntheticPacket(), options);
  }
}

function measureByCounters(program: Program, options: ProfileOptions): Promise<Measurement> {
  const counted = (options.counters ?? hardwareCounters).filter(isCounted);
  if (counted.length > 0) return measureByTracing(program, counted, options);
  throw new NetkitError('unsupported', 'this machine has no hardware counters');
}
