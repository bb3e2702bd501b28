import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { analyse } from '../../../src/bench/analysis.js';
import { compare } from '../../../src/bench/compare.js';
import type { BenchResult } from '../../../src/bench/document.js';
import { noisySeries, replay, type Series } from '../../support/replay.js';

/*
 * Whether verdicts can be trusted, on noise as it is met. The recorded series are what one thing came to, slice after slice of
 * 40 ms, on two CPUs that more than ten other processes wanted (test/support/record-samples.ts made them); the others are made up.
 */
const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
/** What `--quick` has for ten variants in slices of 0.1 s. */
const quick = 60;
/** What five minutes give to four variants, and more, would be 700; the recording has enough for 200. */
const ordinary = 200;

const recording = z.strictObject({
  what: z.string(),
  seconds: z.number(),
  load: z.number(),
  steal: z.number(),
  values: z.array(z.number()),
});

function recorded(name: string, better: Series['better']): Series {
  const path = join(import.meta.dirname, '../../fixtures/bench', `${name}.json`);
  return {
    name: `${name}, recorded`,
    better,
    values: recording.parse(JSON.parse(readFileSync(path, 'utf8'))).values,
  };
}

const cases: { readonly series: Series; readonly blocks: number }[] = [
  { series: recorded('program', 'lower'), blocks: quick },
  // In user space, with a quarter of a CPU: each slice is off by a third.
  { series: recorded('computing', 'higher'), blocks: ordinary },
  ...noisySeries(5, 1200).map((series) => ({ series, blocks: quick })),
];

function howOften(results: readonly BenchResult[], variant: string, verdict: BenchResult['verdict']): number {
  return results.filter((each) => each.variant === variant && each.verdict === verdict).length;
}

describe.each(cases)('of noise that is $series.name', ({ series, blocks }) => {
  test('the same thing is within noise, and 20 % less is slower, in at least 19 of 20 runs', () => {
    const slowed = series.better === 'higher' ? 1 / 1.2 : 1.2;
    const results = seeds.flatMap(
      (seed) => analyse(replay(series, { seed, blocks, variants: { same: 1, slowed } })).results,
    );
    expect(howOften(results, 'control', 'within noise')).toBeGreaterThanOrEqual(19);
    expect(howOften(results, 'same', 'within noise')).toBeGreaterThanOrEqual(19);
    expect(howOften(results, 'slowed', 'slower')).toBeGreaterThanOrEqual(19);
    expect(howOften(results, 'slowed', 'faster')).toBe(0);
  });
});

describe.each(cases)('of two runs with noise that is $series.name', ({ series, blocks }) => {
  test('nothing is a regression when nothing changed, and 30 % less is one, in at least 19 of 20', () => {
    const slowed = series.better === 'higher' ? 1 / 1.3 : 1.3;
    let silent = 0;
    let found = 0;
    for (const seed of seeds) {
      const of = (planted: number, run: number) =>
        analyse(replay(series, { seed: run, blocks, variants: { one: 2, other: planted } }));
      const before = of(1, seed);
      if (compare(before, of(1, seed + 100)).regressions.length === 0) silent++;
      const regressions = compare(before, of(slowed, seed + 200)).regressions.map(({ variant }) => variant);
      if (regressions.length === 1 && regressions[0] === 'other') found++;
    }
    expect(silent).toBeGreaterThanOrEqual(19);
    expect(found).toBeGreaterThanOrEqual(19);
  });
});
