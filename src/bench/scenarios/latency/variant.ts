/** A hook at a load as a variant: what is checked of it before, how a slice is measured, and when a figure means nothing. */
import type { BenchCheck, BenchHistogram, BenchSample } from '../../document.js';
import type { Conversation } from '../../lab/requests/conversation.js';
import type { Loop, OpenOrder, RunResult } from '../../lab/requests/orders.js';
import type { Spacing } from '../../lab/requests/schedule.js';
import { quantity } from '../../quantity.js';
import type { Measurement, Variant } from '../../scenario.js';
import { percentileOf } from '../../statistics/histogram.js';

/**
 * A slice in which so many requests were sent later than this, in nanoseconds, was disturbed at the client. The limit is the
 * same for all: one by the latency of the slice itself would keep the slow slices and set fast ones aside.
 */
const heldUp = 200_000;
const heldUpPercentile = 99.9;
/** Beyond this share of the latency, at the same percentile, it is the generator that is measured. */
const mostLag = 0.5;
const judgedPercentile = 99;
/** Seconds for which the last answers are waited for. */
export const patience = 0.5;

const checkedRequests = 200;
const checkedRate = 4000;

/** What runs requests over one wire. */
export interface Talk extends Pick<Conversation, 'busyNs'> {
  /** @throws NetkitError `failed` */
  run(loop: Loop): Promise<RunResult>;
}

/** A hook that stands, with its own wire and server. All variants of it, at several loads, share it. */
export class StandingHook {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly #talk: Talk;
  readonly #seen: () => number;
  #sent = 0;
  #answered = 0;
  #checks: readonly BenchCheck[] | undefined;

  constructor(
    text: { readonly name: string; readonly title: string; readonly description: string },
    { talk, seen }: { readonly talk: Talk; readonly seen: () => number },
  ) {
    this.name = text.name;
    this.title = text.title;
    this.description = text.description;
    this.#talk = talk;
    this.#seen = seen;
  }

  /** Sends requests, and remembers how many. @throws NetkitError `failed` */
  async run(loop: Loop): Promise<RunResult> {
    const result = await this.#talk.run(loop);
    this.#sent += result.sent;
    this.#answered += result.answered;
    return result;
  }

  busyNs(): ReturnType<Talk['busyNs']> {
    return this.#talk.busyNs();
  }

  /** Requests are answered, and the hook sees each of them. Looked at once. */
  async check(): Promise<readonly BenchCheck[]> {
    this.#checks ??= await this.#look();
    return this.#checks;
  }

  async #look(): Promise<BenchCheck[]> {
    const before = this.#seen();
    const { sent, answered } = await this.run({
      kind: 'open',
      rate: checkedRate,
      seconds: checkedRequests / checkedRate,
      spacing: 'even',
      seed: 1,
      patience,
    });
    const seen = this.#seen() - before;
    return [
      {
        name: 'answers',
        ok: answered === checkedRequests,
        detail: `${answered} of ${checkedRequests} requests were answered`,
      },
      { name: 'seen', ok: seen === sent, detail: `${seen} of ${sent} requests were counted by it` },
    ];
  }

  /** Over all runs until now: none passed by, none came twice. */
  account(): BenchCheck {
    const seen = this.#seen();
    return {
      name: 'account',
      // What is lost may be lost before it.
      ok: seen <= this.#sent && seen >= this.#answered,
      detail: `it counted ${seen} requests at all loads; ${this.#sent} were sent, ${this.#answered} answered`,
    };
  }
}

export interface Load {
  /** Of the load that the slowest hook carries. */
  readonly share: number;
  /** Requests a second. */
  readonly rate: number;
  readonly spacing: Spacing;
  readonly seed: number;
}

export class LatencyVariant implements Variant {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly role: Variant['role'];
  readonly series: string;
  readonly x: number;
  readonly #hook: StandingHook;
  readonly #load: Load;
  #slices = 0;

  constructor(hook: StandingHook, load: Load, role: Variant['role']) {
    const percent = Math.round(load.share * 100);
    const again = role === 'control';
    this.name = `${hook.name}-${percent}${again ? ' again' : ''}`;
    this.title = `${hook.title} at ${percent} %${again ? ' (again)' : ''}`;
    this.description = hook.description;
    this.role = role;
    this.series = hook.title;
    this.x = load.share;
    this.#hook = hook;
    this.#load = load;
  }

  check(): Promise<readonly BenchCheck[]> {
    return this.#hook.check();
  }

  async measure(seconds: number): Promise<Measurement> {
    this.#slices += 1;
    const { rate, spacing, seed } = this.#load;
    const order: OpenOrder = {
      kind: 'open',
      rate,
      seconds,
      spacing,
      // Each slice has other times.
      seed: (seed + this.#slices) % 2 ** 32,
      patience,
    };
    const before = this.#hook.busyNs();
    const result = await this.#hook.run(order);
    const after = this.#hook.busyNs();
    const part = (ns: number): number => Math.min(1, ns / 1e9 / result.elapsed);
    const [napi, server] = [part(after.napi - before.napi), part(after.server - before.server)];
    const failed = failures(result);
    return {
      seconds: result.elapsed,
      values: {
        latency: percentileOf(result.latency, 50) ?? Number.NaN,
        lag: percentileOf(result.lag, 50) ?? Number.NaN,
        busy: Math.min(1, napi + server),
        'cpu.napi': napi,
        'cpu.server': server,
      },
      failed,
      // What does not count is in no percentile either.
      histograms:
        failed.length > 0
          ? []
          : [
              { metric: 'latency', buckets: result.latency },
              { metric: 'lag', buckets: result.lag },
            ],
    };
  }

  judge(_: readonly BenchSample[], histograms: readonly BenchHistogram[]): BenchCheck[] {
    return [this.#hook.account(), ...generatorChecks(histograms)];
  }
}

/** What does not hold of a slice. @param limit nanoseconds, beyond which the generator was held up */
export function failures(
  result: Pick<RunResult, 'wanted' | 'sent' | 'answered' | 'lag'>,
  limit = heldUp,
): BenchCheck[] {
  const { wanted, sent, answered, lag } = result;
  const found: BenchCheck[] = [];
  const fail = (name: string, detail: string): unknown => found.push({ name, ok: false, detail });
  const late = percentileOf(lag, heldUpPercentile) ?? 0;
  if (sent < wanted) fail('generator', `it sent ${sent} of ${wanted} requests in time`);
  else if (late > limit)
    fail(
      'generator',
      `it was held up: one in a thousand requests was sent ${quantity(late, 'ns')} late or later`,
    );
  if (answered < sent) fail('answers', `${sent - answered} of ${sent} requests were not answered`);
  return found;
}

/** Whether what is measured as latency is to a large part how late the generator was. */
export function generatorChecks(histograms: readonly BenchHistogram[]): BenchCheck[] {
  const [latency, lag] = ['latency', 'lag'].map(
    (name) => histograms.find(({ metric }) => metric === name)?.buckets ?? [],
  );
  if (latency === undefined || lag === undefined) return [];
  const all = percentileOf(latency, judgedPercentile);
  const late = percentileOf(lag, judgedPercentile);
  if (all === undefined || late === undefined) return [];
  const ok = late <= all * mostLag;
  const said = `the 99th percentile of the round trip is ${quantity(all, 'ns')}, that of how late it was itself ${quantity(late, 'ns')}`;
  return [{ name: 'generator', ok, detail: ok ? said : `it was the bottleneck: ${said}` }];
}
