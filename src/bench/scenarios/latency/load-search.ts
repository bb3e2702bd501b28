/** How many requests a second the slowest hook carries, and how many the generator can send. */
import type { RunResult } from '../../lab/requests/orders.js';
import { percentileOf } from '../../statistics/histogram.js';
import type { StandingHook } from './variant.js';

/** Seconds of a run. */
const trySeconds = 0.08;
/** Disturbances make the rate less, and never more: the best one is the nearest. */
const rounds = 4;
const tries = 3;
const patience = 0.5;
/** So many requests on their way at the same time leave the receiver no time without work, and fit into its queue. */
const window = 64;
/** Requests a second that no generator can send. */
const tooMany = 10_000_000;
/** How many it sends to show how fast it can. */
const flood = 20_000;
/** The generator is to be punctual at the highest load: so much of what it can send may be asked of it. */
const ofGenerator = 0.8;
/** Nanoseconds: a queue that grows makes more of the requests wait for longer. */
const mostWait = 1e6;
const carriedPercentile = 90;
/** How much less is tried when a load is not carried, and how often. */
const less = 0.9;
const mostSteps = 8;

/** What a search needs of a hook. */
export type Searched = Pick<StandingHook, 'name' | 'title' | 'run'>;

export interface Capacity {
  readonly title: string;
  /** Requests a second. */
  readonly rate: number;
}

export interface FoundLoad {
  /** Requests a second: 100 %. */
  readonly rate: number;
  /** What sets it, as a sentence goes on after «which is». */
  readonly by: string;
  /** Of each hook, with as many requests on their way as keep it busy. */
  readonly capacities: readonly Capacity[];
  /** Requests a second that the generator sends at most. */
  readonly generator: number;
}

/**
 * Keeps every hook busy for a moment, then looks whether the slowest one carries the highest load that is wanted, and takes
 * less until it does.
 * @param highest the highest load that is measured, as a share
 * @param goOn throws when nobody wants to know any more
 * @throws NetkitError `failed` when a server is gone; what `goOn` throws
 */
export async function findLoad(
  hooks: readonly [Searched, ...Searched[]],
  highest: number,
  goOn: () => void,
): Promise<FoundLoad> {
  const rates = new Map<Searched, number>();
  // Whoever disturbs one of them for a moment does not disturb it each time.
  for (let round = 0; round < rounds; round += 1) {
    for (const hook of hooks) {
      goOn();
      const { answered, seconds } = await hook.run({ kind: 'closed', window, seconds: trySeconds, patience });
      rates.set(hook, Math.max(rates.get(hook) ?? 0, seconds > 0 ? answered / seconds : 0));
    }
  }
  const rateOf = (hook: Searched): number => rates.get(hook) ?? 0;
  const slowest = hooks.reduce((one, other) => (rateOf(other) < rateOf(one) ? other : one));
  const least = rateOf(slowest);
  goOn();
  const generator = await generatorRate(hooks[0]);
  const most = (generator * ofGenerator) / highest;
  let rate = rounded(Math.min(least, most));
  for (let step = 0; step < mostSteps; step += 1) {
    goOn();
    if (await carries(slowest, rate * highest)) break;
    rate = rounded(rate * less);
  }
  const capacities = hooks.map((hook) => ({ title: hook.title, rate: rateOf(hook) }));
  const by =
    most < least
      ? 'as much as the client can send in time: every hook carries more'
      : `what ${slowest.title} carries`;
  return { rate, by, capacities, generator };
}

/** The load that somebody wants: only what the generator can send has to be found. @throws NetkitError `failed` */
export async function givenLoad(hook: Searched, rate: number): Promise<FoundLoad> {
  return { rate, by: 'what was asked for', capacities: [], generator: await generatorRate(hook) };
}

/** How fast it sends when everything is due at once: what becomes of it is of no interest. */
async function generatorRate(hook: Searched): Promise<number> {
  const { sent, sending } = await hook.run({
    kind: 'open',
    rate: tooMany,
    seconds: flood / tooMany,
    spacing: 'even',
    seed: 1,
    patience,
  });
  return sending > 0 ? sent / sending : 0;
}

/** Whether requests at that rate are answered, without that more and more of them wait. Disturbances get another chance. */
async function carries(hook: Searched, rate: number): Promise<boolean> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const result = await hook.run({
      kind: 'open',
      rate,
      seconds: trySeconds,
      spacing: 'poisson',
      seed: attempt + 1,
      patience,
    });
    if (isCarried(result)) return true;
  }
  return false;
}

function isCarried({ wanted, answered, latency }: RunResult): boolean {
  return answered === wanted && (percentileOf(latency, carriedPercentile) ?? 0) < mostWait;
}

/** Two digits that count: the search is no more exact than that. */
function rounded(rate: number): number {
  const digit = 10 ** Math.max(0, Math.floor(Math.log10(rate)) - 1);
  return Math.max(1, Math.floor(rate / digit) * digit);
}
