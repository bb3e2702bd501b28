import { describe, expect, it } from 'vitest';
import type { BenchGroup, BenchHistogram, BenchVariant } from '../../../../src/bench/document.js';
import type { Loop, RunResult } from '../../../../src/bench/lab/requests/orders.js';
import { hookNames, hooks } from '../../../../src/bench/scenarios/latency/hooks.js';
import { generatorLimits } from '../../../../src/bench/scenarios/latency/limits.js';
import { findLoad, givenLoad, type Searched } from '../../../../src/bench/scenarios/latency/load-search.js';
import { curvesOf, loadGroup, metrics } from '../../../../src/bench/scenarios/latency/metrics.js';
import {
  failures,
  generatorChecks,
  LatencyVariant,
  StandingHook,
} from '../../../../src/bench/scenarios/latency/variant.js';
import { latencyScenario } from '../../../../src/bench/scenarios/latency.js';
import { type Bucket, Histogram } from '../../../../src/bench/statistics/histogram.js';

const us = 1e3;

function buckets(...values: readonly (readonly [value: number, times: number])[]): Bucket[] {
  const histogram = new Histogram({ bits: 7, step: 10 });
  for (const [value, times] of values) histogram.record(value, times);
  return histogram.buckets();
}

function result(of: Partial<RunResult> = {}): RunResult {
  return {
    wanted: 1000,
    sent: 1000,
    answered: 1000,
    seconds: 0.1,
    sending: 0.1,
    elapsed: 0.1,
    busySeconds: 0.1,
    latency: buckets([20 * us, 990], [40 * us, 10]),
    lag: buckets([300, 990], [5 * us, 10]),
    ...of,
  };
}

const said = (checks: readonly { name: string; ok: boolean; detail: string }[]) =>
  checks.map(({ name, ok, detail }) => `${name} ${ok}: ${detail}`);

describe('a slice of a round trip', () => {
  it('counts when everything was sent in time and answered', () => {
    expect(failures(result())).toEqual([]);
  });

  it('does not count when requests were lost, or not sent', () => {
    expect(said(failures(result({ answered: 997 })))).toEqual([
      'answers false: 3 of 1000 requests were not answered',
    ]);
    expect(said(failures(result({ sent: 400, answered: 400 })))).toEqual([
      'generator false: it sent 400 of 1000 requests in time',
    ]);
  });

  it('does not count when the client was held up, however long the round trips were', () => {
    const lag = buckets([300, 995], [3000 * us, 5]);
    for (const slowest of [40 * us, 900_000 * us]) {
      expect(said(failures(result({ lag, latency: buckets([slowest, 1000]) })))).toEqual([
        expect.stringMatching(/^generator false: it was held up: .* 3\.0\d ms late or later$/),
      ]);
    }
    // One in two thousand is no pattern.
    expect(failures(result({ lag: buckets([300, 1999], [3000 * us, 1]) }))).toEqual([]);
  });
});

describe('the generator of a variant', () => {
  const histograms = (latency: Bucket[], lag: Bucket[]): BenchHistogram[] =>
    [
      { metric: 'latency', buckets: latency },
      { metric: 'lag', buckets: lag },
    ].map(({ metric, buckets: own }) => ({
      metric,
      buckets: own.map(([from, to, count]) => [from, to, count]),
    }));

  it('is well when its own lateness is a small part of the round trip', () => {
    expect(said(generatorChecks(histograms(buckets([30 * us, 1000]), buckets([5 * us, 1000]))))).toEqual([
      'generator true: the 99th percentile of the round trip is 30.1 µs, that of how late it was itself 5.02 µs',
    ]);
  });

  it('is the bottleneck when most of the round trip is its own lateness, and the variant then invalid', () => {
    expect(said(generatorChecks(histograms(buckets([30 * us, 1000]), buckets([20 * us, 1000]))))).toEqual([
      expect.stringMatching(/^generator false: it was the bottleneck: /),
    ]);
  });

  it('is not judged where nothing was measured', () => {
    expect(generatorChecks([])).toEqual([]);
  });
});

/** A hook whose server takes so many requests a second, as a queue with one place after the other. */
function served(title: string, capacity: number, generator = 1e6) {
  const asked: Loop[] = [];
  const hook: Searched = {
    name: title,
    title,
    run: async (loop) => {
      asked.push(loop);
      if (loop.kind === 'closed')
        return result({ answered: Math.round(capacity * loop.seconds), seconds: loop.seconds });
      const wanted = Math.round(loop.rate * loop.seconds);
      const isFull = loop.rate > capacity;
      return result({
        wanted,
        sent: wanted,
        answered: isFull ? wanted / 2 : wanted,
        sending: wanted / Math.min(loop.rate, generator),
        latency: buckets([isFull ? 50_000 * us : 20 * us, 100]),
      });
    },
  };
  return { hook, asked };
}

describe('the load', () => {
  const goOn = (): void => undefined;

  it('is what the slowest hook carries, in two digits', async () => {
    const [fast, slow] = [served('fast', 240_000), served('slow', 157_000)];
    const found = await findLoad([fast.hook, slow.hook], 0.9, goOn);
    expect(found).toMatchObject({ rate: 150_000, by: 'what slow carries', generator: 1e6 });
    expect(found.capacities).toEqual([
      { title: 'fast', rate: 240_000 },
      { title: 'slow', rate: 157_000 },
    ]);
    // The highest load is tried before it is measured.
    expect(slow.asked.at(-1)).toMatchObject({ kind: 'open', rate: 135_000 });
  });

  it('gets less until the slowest really carries it', async () => {
    const { hook } = served('one', 100_000);
    const optimistic: Searched = {
      ...hook,
      run: async (loop) =>
        loop.kind === 'closed' ? result({ answered: 16_000, seconds: 0.08 }) : hook.run(loop),
    };
    const { rate } = await findLoad([optimistic], 0.9, goOn);
    expect(rate * 0.9).toBeLessThanOrEqual(100_000);
    expect(rate * 0.9).toBeGreaterThan(80_000);
  });

  it('is no more than the generator can send in time', async () => {
    const { hook } = served('one', 900_000, 100_000);
    const found = await findLoad([hook], 0.9, goOn);
    expect(found.generator).toBe(100_000);
    expect(found.by).toMatch(/as much as the client can send/);
    expect(found.rate * 0.9).toBeLessThanOrEqual(80_000);
  });

  it('is what somebody asks for, without a search', async () => {
    const { hook, asked } = served('one', 900_000, 100_000);
    expect(await givenLoad(hook, 5000)).toEqual({
      rate: 5000,
      by: 'what was asked for',
      capacities: [],
      generator: 100_000,
    });
    expect(asked).toHaveLength(1);
  });

  it('is not looked for any longer than somebody wants to know it', async () => {
    const { hook, asked } = served('one', 1000);
    const stop = (): void => {
      if (asked.length === 2) throw new Error('enough');
    };
    await expect(findLoad([hook], 0.9, stop)).rejects.toThrow('enough');
    expect(asked).toHaveLength(2);
  });
});

describe('a hook that stands', () => {
  /** @param seesOf how many of the requests sent it counts */
  function standing(answers: (wanted: number) => number, seesOf: (sent: number) => number) {
    let sent = 0;
    let busy = 0;
    const orders: Loop[] = [];
    const talk = {
      run: async (loop: Loop) => {
        orders.push(loop);
        const wanted = loop.kind === 'open' ? Math.round(loop.rate * loop.seconds) : 10;
        sent += wanted;
        busy += 1e7;
        return result({ wanted, sent: wanted, answered: answers(wanted) });
      },
      busyNs: () => ({ napi: busy, server: busy * 2 }),
    };
    const text = { name: 'tcx', title: 'tcx', description: 'a program' };
    return { hook: new StandingHook(text, { talk, seen: () => seesOf(sent) }), orders };
  }
  const all = (count: number): number => count;
  const load = { share: 0.5, rate: 20_000, spacing: 'poisson', seed: 4_294_967_295 } as const;

  it('is looked at once, however many loads it is measured at', async () => {
    const { hook, orders } = standing(all, all);
    const variants = [0.1, 0.5].map((share) => new LatencyVariant(hook, { ...load, share }, 'variant'));
    for (const variant of variants)
      expect(said(await variant.check())).toEqual([
        'answers true: 200 of 200 requests were answered',
        'seen true: 200 of 200 requests were counted by it',
      ]);
    expect(orders).toHaveLength(1);
  });

  it.each([
    ['does not answer', () => 0, all, [false, true]],
    ['does not see every request', all, (sent: number) => Math.floor(sent * 0.9), [true, false]],
    ['sees requests that nobody sent', all, (sent: number) => sent * 2, [true, false]],
  ])('is invalid when it %s', async (_, answers, sees, oks) => {
    expect((await standing(answers, sees).hook.check()).map(({ ok }) => ok)).toEqual(oks);
  });

  it('is held to account for all requests in the end', async () => {
    const lossy = standing(
      (wanted) => wanted - 3,
      (sent) => sent - 2,
    );
    await lossy.hook.check();
    expect(lossy.hook.account().ok).toBe(true);
    const blind = standing(all, (sent) => sent - 1);
    await blind.hook.check();
    expect(said([blind.hook.account()])).toEqual([
      'account false: it counted 199 requests at all loads; 200 were sent, 200 answered',
    ]);
  });

  it('is measured at its load, with other times in each slice', async () => {
    const { hook, orders } = standing(all, all);
    const variant = new LatencyVariant(hook, load, 'control');
    expect(variant).toMatchObject({ name: 'tcx-50 again', series: 'tcx', x: 0.5, role: 'control' });
    const measured = await variant.measure(0.1);
    await variant.measure(0.1);
    expect(orders.map((order) => (order.kind === 'open' ? [order.rate, order.seed] : []))).toEqual([
      [20_000, 0],
      [20_000, 1],
    ]);
    expect(measured.values['latency']).toBeCloseTo(20 * us, -2);
    expect(measured.values['cpu.napi']).toBeCloseTo(0.1, 5);
    expect(measured.values['cpu.server']).toBeCloseTo(0.2, 5);
    expect(measured.histograms?.map(({ metric }) => metric)).toEqual(['latency', 'lag']);
  });

  it('gives no value to percentiles from a slice that does not count', async () => {
    const { hook } = standing((wanted) => wanted - 1, all);
    const measured = await new LatencyVariant(hook, load, 'variant').measure(0.1);
    expect(measured.failed?.map(({ name }) => name)).toEqual(['answers']);
    expect(measured.histograms).toEqual([]);
  });
});

describe('the document', () => {
  const variant = (name: string, role: BenchVariant['role'], x: number): BenchVariant => ({
    name,
    title: name,
    description: '',
    role,
    series: 'nothing',
    x,
    checks: [],
    samples: [
      {
        block: 0,
        at: 0,
        seconds: 0.1,
        values: { latency: 1, lag: 2, busy: 3, 'cpu.napi': 4, 'cpu.server': 5 },
        checks: [],
      },
    ],
    histograms: ['latency', 'lag'].map((metric) => ({ metric, buckets: [[0, 1000, 2000]] })),
  });
  const group = (percent: number): BenchGroup => ({
    name: `load-${percent}`,
    title: '',
    axis: null,
    metrics: [...metrics],
    variants: [
      variant(`nothing-${percent}`, 'reference', percent / 100),
      variant(`tc-${percent}`, 'variant', percent / 100),
      variant(`nothing-${percent} again`, 'control', percent / 100),
    ],
  });

  it('has all loads as curves, with the first reference and its control', () => {
    const curves = curvesOf([group(10), group(90)]);
    expect(curves.axis).toMatchObject({ unit: 'share' });
    expect(curves.variants.map(({ name, role }) => [name, role])).toEqual([
      ['nothing-10', 'reference'],
      ['tc-10', 'variant'],
      ['nothing-10 again', 'control'],
      ['nothing-90', 'variant'],
      ['tc-90', 'variant'],
    ]);
    expect(curves.variants[0]?.samples[0]?.values).toEqual({ latency: 1, busy: 3 });
    expect(curves.variants[0]?.histograms.map(({ metric }) => metric)).toEqual(['latency']);
  });

  it('has a group for each load, where each hook is compared with nothing at the same load', () => {
    const [first] = loadGroup(group(10)).variants;
    expect(Object.keys(first?.samples[0]?.values ?? {})).toEqual(metrics.map(({ name }) => name));
  });

  it("shows the generator's own limits: how many it sends, and how late it is", () => {
    expect(generatorLimits(290_000, [group(10), group(90)])).toEqual([
      expect.objectContaining({ name: 'generator', value: 290_000, unit: 'requests/s' }),
      expect.objectContaining({
        name: 'lateness',
        unit: 'ns',
        detail: expect.stringContaining('6,000 requests'),
      }),
    ]);
    expect(generatorLimits(290_000, [])).toHaveLength(1);
  });
});

describe('the scenario', () => {
  const options = { size: 64, rules: 20, family: 'ipv4', spacing: 'poisson', load: undefined } as const;

  it('refuses a hook that there is not, with the one that was probably meant', () => {
    expect(() => latencyScenario({ ...options, only: ['tx'] })).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining("'tx'") }),
    );
  });

  it('says of each hook what it is', () => {
    expect(hookNames).toEqual(['nothing', 'xdp', 'tcx', 'tc', 'iptables', 'nft']);
    for (const hook of hooks) expect(hook.description(options)).toMatch(/count/);
  });
});
