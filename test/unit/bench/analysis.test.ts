import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analyse } from '../../../src/bench/analysis.js';
import {
  type BenchDocument,
  type BenchGroup,
  type BenchResult,
  type BenchSample,
  benchDocument,
  type Measured,
} from '../../../src/bench/document.js';
import { measured, replay, variantOf } from '../../support/replay.js';

const even = Array.from({ length: 97 }, (_, index) => 100 + ((index * 37) % 11) / 10);
const series = { name: 'even', better: 'higher', values: even } as const;
const tripled = replay(series, { seed: 3, blocks: 20, variants: { triple: 3, half: 0.5, same: 1 } });

function resultOf({ results }: BenchDocument, variant: string, metric = 'main'): BenchResult {
  const found = results.find((each) => each.variant === variant && each.metric === metric);
  if (found === undefined) throw new Error(`no result of ${variant}`);
  return found;
}

/** The first group with something else about it. */
function changed(document: Measured, change: (group: BenchGroup) => BenchGroup): Measured {
  return { ...document, groups: document.groups.map(change) };
}

function withVariant(
  document: Measured,
  name: string,
  change: (variant: BenchGroup['variants'][number]) => Partial<BenchGroup['variants'][number]>,
): Measured {
  return changed(document, (group) => ({
    ...group,
    variants: group.variants.map((each) => (each.name === name ? { ...each, ...change(each) } : each)),
  }));
}

const failing = { name: 'generator', ok: false, detail: 'its CPU was busy' };

describe('the analysis', () => {
  test('gives a whole document by its schema, the same from the same samples and seed', () => {
    const document = analyse(tripled);
    expect(benchDocument.parse(document)).toEqual(document);
    expect(JSON.stringify(analyse(tripled))).toBe(JSON.stringify(document));
    // And of a document that was read again.
    expect(analyse(benchDocument.parse(JSON.parse(JSON.stringify(document))))).toEqual(document);
  });

  test('gives each variant its median, its ratio to the reference and its verdict', () => {
    const document = analyse(tripled);
    expect(document.results.map(({ variant, verdict }) => [variant, verdict])).toEqual([
      ['reference', 'reference'],
      ['control', 'within noise'],
      ['triple', 'faster'],
      ['half', 'slower'],
      ['same', 'within noise'],
    ]);
    const triple = resultOf(document, 'triple');
    expect(triple.count).toBe(20);
    expect(triple.median).toBeGreaterThan(300);
    expect(triple.median).toBeLessThan(304);
    expect(triple.ratio?.median).toBeCloseTo(3, 1);
    expect(resultOf(document, 'reference').ratio).toBeNull();
    const [noise] = document.noise;
    expect(noise?.band[0]).toBeCloseTo(1 / (noise?.band[1] ?? 0), 9);
  });

  test('has no verdict beside a reference that is nothing where the control is something', () => {
    const nothing = withVariant(tripled, 'reference', ({ samples }) => ({
      samples: samples.map((sample) => ({ ...sample, values: { main: 0 } })),
    }));
    expect(resultOf(analyse(nothing), 'triple').verdict).toBe('not enough data');
  });

  test('turns verdicts around where less is better', () => {
    const document = analyse(
      replay({ ...series, better: 'lower' }, { seed: 3, blocks: 20, variants: { triple: 3, half: 0.5 } }),
    );
    expect(resultOf(document, 'triple').verdict).toBe('slower');
    expect(resultOf(document, 'half').verdict).toBe('faster');
  });

  test('compares within blocks: a machine that halts for some blocks takes nothing away', () => {
    const halted = changed(tripled, (group) => ({
      ...group,
      variants: group.variants.map((variant) => ({
        ...variant,
        samples: variant.samples.map((sample) =>
          sample.block % 2 === 0
            ? sample
            : { ...sample, values: { main: (sample.values['main'] ?? 0) / 10 } },
        ),
      })),
    }));
    const document = analyse(halted);
    expect(resultOf(document, 'triple').ratio?.median).toBeCloseTo(3, 1);
    expect(resultOf(document, 'same').verdict).toBe('within noise');
    expect(resultOf(document, 'half').verdict).toBe('slower');
  });

  test('judges nothing with fewer than eight blocks', () => {
    const of = (blocks: number): BenchDocument =>
      analyse(replay(series, { seed: 1, blocks, variants: { triple: 3 } }));
    expect(of(7).results.map(({ verdict }) => verdict)).toEqual(Array(3).fill('not enough data'));
    expect(of(7).noise).toEqual([]);
    expect(resultOf(of(7), 'triple').median).toBeGreaterThan(300);
    expect(resultOf(of(8), 'triple').verdict).toBe('faster');
    expect(of(0).results.map(({ median, interval }) => [median, interval])).toEqual(
      Array(3).fill([null, null]),
    );
  });

  test('names what is invalid so, and gives no figure of it', () => {
    const document = analyse(withVariant(tripled, 'triple', () => ({ checks: [failing] })));
    expect(resultOf(document, 'triple')).toMatchObject({
      verdict: 'invalid',
      count: 0,
      median: null,
      ratio: null,
    });
    expect(resultOf(document, 'half').verdict).toBe('slower');
    expect(document.summary).toContain('triple is invalid: generator: its CPU was busy.');
  });

  test('compares with no reference that is invalid, and claims nothing without a control', () => {
    for (const role of ['reference', 'control']) {
      const document = analyse(withVariant(tripled, role, () => ({ checks: [failing] })));
      expect(resultOf(document, 'triple').verdict).toBe('not enough data');
      expect(document.noise).toEqual([]);
    }
    const alone = changed(tripled, (group) => ({
      ...group,
      variants: group.variants.filter(({ name }) => name !== 'control'),
    }));
    expect(resultOf(analyse(alone), 'triple').verdict).toBe('not enough data');
  });

  test('leaves out samples of which something did not hold, and blocks without a reference', () => {
    const bad = (samples: readonly BenchSample[]): BenchSample[] =>
      samples.map((sample) =>
        sample.block < 5 ? { ...sample, values: { main: 1e9 }, checks: [failing] } : sample,
      );
    const document = analyse(withVariant(tripled, 'triple', ({ samples }) => ({ samples: bad(samples) })));
    expect(resultOf(document, 'triple')).toMatchObject({ count: 15, verdict: 'faster', outliers: [] });
    const noReference = analyse(
      withVariant(tripled, 'reference', ({ samples }) => ({ samples: bad(samples).slice(0, 12) })),
    );
    expect(resultOf(noReference, 'triple')).toMatchObject({
      count: 20,
      verdict: 'not enough data',
      ratio: null,
    });
  });

  test('flags outliers by their block, and counts them', () => {
    const document = analyse(
      withVariant(tripled, 'same', ({ samples }) => ({
        samples: samples.map((sample) =>
          sample.block === 7 ? { ...sample, values: { main: 5000 } } : sample,
        ),
      })),
    );
    expect(resultOf(document, 'same')).toMatchObject({ outliers: [7], count: 20, verdict: 'within noise' });
  });

  test('takes the median of several samples in one block', () => {
    const sample = (block: number, main: number): BenchSample => ({
      block,
      at: 0,
      seconds: 1,
      values: { main },
      checks: [],
    });
    const samples = Array.from({ length: 8 }, (_, block) => [
      sample(block, 1),
      sample(block, 2),
      sample(block, 60),
    ]);
    const document = analyse(
      changed(tripled, (group) => ({ ...group, variants: [variantOf('reference', samples.flat())] })),
    );
    expect(resultOf(document, 'reference')).toMatchObject({ count: 8, median: 2, verdict: 'reference' });
  });

  test('takes percentiles from the histogram of the metric', () => {
    const buckets: [number, number, number][] = [
      [0, 10, 900],
      [10, 20, 100],
    ];
    const document = analyse(
      withVariant(tripled, 'triple', () => ({ histograms: [{ metric: 'main', buckets }] })),
    );
    const { percentiles } = resultOf(document, 'triple');
    expect(percentiles.map(({ percentile }) => percentile)).toEqual([50, 75, 90, 95, 99]);
    expect(percentiles.at(-1)?.value).toBeCloseTo(18.95, 6);
    expect(resultOf(document, 'half').percentiles).toEqual([]);
  });

  test('copes with a reference that came to nothing, and a variant that did', () => {
    for (const name of ['reference', 'control', 'triple']) {
      const document = analyse(
        withVariant(tripled, name, ({ samples }) => ({
          samples: samples.map((sample) => ({ ...sample, values: { main: 0 } })),
        })),
      );
      expect(benchDocument.safeParse(document).error).toBeUndefined();
      expect(resultOf(document, 'triple').verdict).toBe(name === 'triple' ? 'slower' : 'not enough data');
    }
  });

  test('gives a document by its schema whatever was measured, and never a verdict against the numbers', () => {
    const value = fc.oneof(fc.double({ min: 0, max: 1e12, noNaN: true }), fc.constantFrom(0, 1e-300, 1e300));
    const list = fc.array(value, { maxLength: 12 });
    fc.assert(
      fc.property(
        list,
        list,
        list,
        fc.constantFrom('higher', 'lower', 'neither'),
        (one, two, three, better) => {
          const samples = (values: readonly number[]): BenchSample[] =>
            values.map((main, block) => ({ block, at: block, seconds: 1, values: { main }, checks: [] }));
          const document = analyse(
            measured({
              groups: [
                {
                  name: 'g',
                  title: 'g',
                  axis: null,
                  metrics: [{ name: 'main', title: 'Value', unit: 'ns', better, isMain: true }],
                  variants: [
                    variantOf('reference', samples(one)),
                    variantOf('control', samples(two)),
                    variantOf('other', samples(three)),
                  ],
                },
              ],
            }),
          );
          expect(benchDocument.safeParse(document).error).toBeUndefined();
          const { verdict, ratio } = resultOf(document, 'other');
          const more = better === 'lower' ? 'slower' : 'faster';
          if (verdict === 'faster' || verdict === 'slower')
            expect((ratio?.median ?? 1) > 1).toBe(verdict === more);
        },
      ),
      { numRuns: 60 },
    );
  });
});
