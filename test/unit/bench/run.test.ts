import { describe, expect, it, vi } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import type { BenchCheck, BenchSample } from '../../../src/bench/document.js';
import { type RunOptions, runScenario } from '../../../src/bench/run.js';
import type { Measurement, Scenario, Variant } from '../../../src/bench/scenario.js';

/** What was measured, in order, as `name`. */
type Journal = string[];

interface FakeVariant {
  readonly name: string;
  readonly role?: Variant['role'];
  readonly checks?: readonly BenchCheck[];
  check?(): never;
  measure?(seconds: number): Measurement | undefined;
  judge?(samples: readonly BenchSample[]): BenchCheck[];
}

function variant(
  { name, role = 'variant', checks = [], check, measure, judge }: FakeVariant,
  journal: Journal,
): Variant {
  return {
    name,
    title: name,
    description: name,
    role,
    check: async () => check?.() ?? checks,
    measure: async (seconds) => {
      journal.push(name);
      return measure === undefined ? { seconds, values: { rate: 1 } } : measure(seconds);
    },
    ...(judge === undefined ? {} : { judge }),
  };
}

interface Fake {
  readonly scenario: Scenario;
  readonly journal: Journal;
  /** What was let go, in order. */
  readonly released: string[];
}

const usual: readonly FakeVariant[] = [
  { name: 'a', role: 'reference' },
  { name: 'b' },
  { name: 'c' },
  { name: 'a again', role: 'control' },
];

function fake(variants: readonly FakeVariant[] = usual, sliceSeconds = 0.04): Fake {
  const journal: Journal = [];
  const released: string[] = [];
  const rate = { name: 'rate', title: 'Rate', unit: 'packets/s', better: 'higher', isMain: true } as const;
  const scenario: Scenario = {
    name: 'fake',
    title: 'Fake?',
    sliceSeconds,
    prepare: async ({ scope }) => {
      scope.defer(() => released.push('scope'));
      const made = variants.map((each) => variant(each, journal));
      return { groups: [{ name: 'g', title: 'G', axis: null, metrics: [rate], variants: made }] };
    },
  };
  return { scenario, journal, released };
}

function options(more: Partial<RunOptions> = {}): RunOptions {
  const signal = new AbortController().signal;
  const nothing = () => undefined;
  return {
    seconds: 1,
    seed: 7,
    signal,
    command: 'netkit bench fake',
    version: '1',
    progress: nothing,
    ...more,
  };
}

/** The journal in blocks: each has every variant once. */
function blocksOf(journal: Journal, size = usual.length): string[][] {
  return Array.from({ length: Math.ceil(journal.length / size) }, (_, at) =>
    journal.slice(at * size, (at + 1) * size),
  );
}

describe('a run', () => {
  it('measures every variant once in each block, reference and control too, and throws the warm-up away', async () => {
    const { scenario, journal } = fake();
    const { groups, ended } = await runScenario(scenario, options());
    const blocks = blocksOf(journal);
    expect(blocks.length).toBeGreaterThan(3);
    for (const block of blocks) expect([...block].sort()).toEqual(['a', 'a again', 'b', 'c']);
    for (const { samples } of groups[0]?.variants ?? [])
      expect(samples.map(({ block }) => block)).toEqual(
        Array.from({ length: blocks.length - 1 }, (_, at) => at),
      );
    expect(ended).toBe('whole');
  });

  it('measures what goes together at once, in an order drawn for each block, and the others by themselves', async () => {
    const { scenario, journal } = fake();
    const turns: string[][] = [];
    const together: Scenario = {
      ...scenario,
      prepare: async (context) => {
        const prepared = await scenario.prepare(context);
        const [group] = prepared.groups;
        if (group === undefined) throw new Error('no group');
        const own = group.variants.filter(({ name }) => name !== 'b');
        const measure = async (variants: readonly Variant[], seconds: number) => {
          turns.push(variants.map(({ name }) => name));
          return variants.map(({ name }) =>
            name === 'c' ? new Error('gone') : { seconds, values: { rate: 1 } },
          );
        };
        return { groups: [{ ...group, together: { variants: own, measure } }] };
      },
    };
    const { groups } = await runScenario(together, options({ seconds: 0.3 }));
    expect(turns[0]?.toSorted()).toEqual(['a', 'a again', 'c']);
    // One that failed while it warmed up is left out.
    for (const turn of turns.slice(1)) expect(turn.toSorted()).toEqual(['a', 'a again']);
    expect(new Set(turns.slice(1).map((turn) => turn.join())).size).toBe(2);
    expect(new Set(journal)).toEqual(new Set(['b']));
    expect(journal.length).toBe(turns.length);
    const counts = groups[0]?.variants.map(({ samples }) => samples.length);
    expect(counts).toEqual([turns.length - 1, turns.length - 1, 0, turns.length - 1]);
    expect(groups[0]?.variants[2]?.checks).toEqual([{ name: 'measurement', ok: false, detail: 'gone' }]);
  });

  it('draws the order of the blocks from the seed: the same again, another from another', async () => {
    const order = async (seed: number) => {
      const { scenario, journal } = fake();
      await runScenario(scenario, options({ seed }));
      return blocksOf(journal).slice(0, 4);
    };
    const first = await order(1);
    expect(await order(1)).toEqual(first);
    expect(await order(2)).not.toEqual(first);
    expect(new Set(first.map((block) => block.join())).size).toBeGreaterThan(1);
  });

  it('ends by its time box, and measures one block at least', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const wait = (seconds: number): Measurement => {
        vi.advanceTimersByTime(seconds * 1000);
        return { seconds, values: { rate: 1 } };
      };
      const slow = usual.map((each) => ({ ...each, measure: wait }));
      const started = performance.now();
      const { groups } = await runScenario(fake(slow).scenario, options({ seconds: 1.5 }));
      expect(performance.now() - started).toBeLessThanOrEqual(1500);
      expect(groups[0]?.variants[0]?.samples.length).toBeGreaterThan(3);
      const short = await runScenario(fake(slow).scenario, options({ seconds: 0.001 }));
      expect(short.groups[0]?.variants.map(({ samples }) => samples.length)).toEqual([1, 1, 1, 1]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('cuts slices down for the sake of more blocks, as far as the scenario allows', async () => {
    const slices = async (shortest: Pick<Scenario, 'shortestSliceSeconds'>): Promise<number> => {
      const { scenario } = fake();
      const { groups } = await runScenario({ ...scenario, ...shortest }, options({ seconds: 0.4 }));
      return groups[0]?.variants[0]?.samples.at(-1)?.seconds ?? Number.NaN;
    };
    expect(await slices({})).toBe(0.03);
    expect(await slices({ shortestSliceSeconds: 0.02 })).toBe(0.02);
  });

  it('does not measure a variant whose check does not hold or throws, and goes on with the others', async () => {
    const failed = { name: 'verdict', ok: false, detail: '3 of 4 packets' };
    const check = () => {
      throw new Error('no such rule');
    };
    const { scenario, journal } = fake([
      ...usual,
      { name: 'bad', checks: [failed] },
      { name: 'worse', check },
    ]);
    const { groups } = await runScenario(scenario, options());
    expect(journal).not.toContain('bad');
    expect(journal).not.toContain('worse');
    const [bad, worse] = (groups[0]?.variants ?? []).slice(-2);
    expect(bad).toMatchObject({ checks: [failed], samples: [] });
    expect(worse).toMatchObject({ checks: [{ ok: false, detail: 'no such rule' }], samples: [] });
  });

  it('keeps a sample that failed, with the reason, and asks for a verdict on all of them at the end', async () => {
    const failed = [{ name: 'accounting', ok: false, detail: 'one is missing' }];
    let judged = 0;
    const measure = (seconds: number) => ({ seconds, values: { rate: 1 }, failed });
    const judge = (samples: readonly BenchSample[]) => {
      judged = samples.length;
      return [{ name: 'generator', ok: false, detail: 'at least 1' }];
    };
    const { scenario } = fake([...usual, { name: 'odd', measure, judge }]);
    const odd = (await runScenario(scenario, options())).groups[0]?.variants.at(-1);
    expect(odd?.samples[0]?.checks).toEqual(failed);
    expect(judged).toBe(odd?.samples.length);
    expect(odd?.checks).toEqual([{ name: 'generator', ok: false, detail: 'at least 1' }]);
  });

  it('ends a variant that throws while it is measured, with the reason, and goes on with the others', async () => {
    let count = 0;
    const measure = (seconds: number): Measurement => {
      count += 1;
      if (count > 2) throw new Error('the tool is gone');
      return { seconds, values: { rate: 1 } };
    };
    const { scenario, journal } = fake([...usual, { name: 'frail', measure }]);
    const { groups } = await runScenario(scenario, options());
    const frail = groups[0]?.variants.at(-1);
    expect(frail?.checks).toEqual([{ name: 'measurement', ok: false, detail: 'the tool is gone' }]);
    expect(frail?.samples).toHaveLength(1);
    expect(journal.filter((name) => name === 'frail')).toHaveLength(3);
    expect(groups[0]?.variants[0]?.samples.length).toBeGreaterThan(3);
  });

  it('merges the histograms of all blocks, without that of the warm-up', async () => {
    const measure = (seconds: number): Measurement => {
      const buckets = [
        [10, 20, 2],
        [0, 10, 1],
      ] as const;
      return { seconds, values: { rate: 1 }, histograms: [{ metric: 'latency', buckets }] };
    };
    const { scenario } = fake([...usual, { name: 'slow', measure }]);
    const slow = (await runScenario(scenario, options())).groups[0]?.variants.at(-1);
    const blocks = slow?.samples.length ?? 0;
    expect(slow?.histograms).toEqual([
      {
        metric: 'latency',
        buckets: [
          [0, 10, blocks],
          [10, 20, 2 * blocks],
        ],
      },
    ]);
  });

  it('says what it is at, and how long it will still take', async () => {
    const said: string[] = [];
    await runScenario(fake().scenario, options({ progress: (what) => said.push(what) }));
    expect(said.slice(0, 3)).toEqual(['setting up', 'checking verdicts and packets', 'warming up']);
    expect(said[3]).toMatch(/^block 1, \d s left$/);
  });

  it('records the environment and lets everything go', async () => {
    const { scenario, released } = fake();
    const { environment } = await runScenario(scenario, options());
    expect(environment.kernel.release).not.toBe('');
    expect(environment.machine.cpus).toBeGreaterThan(0);
    expect(environment.during.steal).toBeGreaterThanOrEqual(0);
    expect(released).toEqual(['scope']);
  });
});

describe('a run that is interrupted', () => {
  /** Aborts in the n-th measurement. */
  function stopping(nth: number, answers: boolean): { fake: Fake; signal: AbortSignal } {
    const controller = new AbortController();
    let count = 0;
    const measure = (seconds: number): Measurement | undefined => {
      count += 1;
      if (count < nth) return { seconds, values: { rate: 1 } };
      controller.abort();
      return answers ? { seconds, values: { rate: 1 } } : undefined;
    };
    return { fake: fake(usual.map((each) => ({ ...each, measure }))), signal: controller.signal };
  }

  it.each([true, false])('keeps what was measured until then (the last one ended: %s)', async (answers) => {
    const { fake: made, signal } = stopping(14, answers);
    const { ended, groups } = await runScenario(made.scenario, options({ signal }));
    expect(ended).toBe('interrupted');
    const counts = (groups[0]?.variants ?? []).map(({ samples }) => samples.length);
    // Four of the warm-up, then two whole blocks, then one or two of the third.
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(answers ? 10 : 9);
    expect(Math.min(...counts)).toBe(2);
    expect(made.released).toEqual(['scope']);
  });

  it('before its first block gives nothing but the error, and lets everything go', async () => {
    const { fake: made, signal } = stopping(6, true);
    const run = runScenario(made.scenario, options({ signal }));
    await expect(run).rejects.toThrow(NetkitError);
    await expect(run).rejects.toMatchObject({ code: 'interrupted' });
    expect(made.released).toEqual(['scope']);
  });
});
