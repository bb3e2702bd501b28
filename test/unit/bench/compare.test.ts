import { describe, expect, test } from 'vitest';
import { analyse } from '../../../src/bench/analysis.js';
import { type Change, type Comparison, compare } from '../../../src/bench/compare.js';
import type { BenchDocument, BenchGroup, BenchVariant } from '../../../src/bench/document.js';
import { replay } from '../../support/replay.js';

const values = Array.from({ length: 997 }, (_, index) => 1000 + ((index * 37) % 101) / 5);

function run(
  seed: number,
  variants: Record<string, number>,
  better: 'higher' | 'lower' = 'higher',
): BenchDocument {
  return analyse(replay({ name: 'g', better, values }, { seed, blocks: 20, variants }));
}

function withVariants(
  document: BenchDocument,
  change: (variant: BenchVariant) => BenchVariant,
): BenchDocument {
  return withGroup(document, (group) => ({ ...group, variants: group.variants.map(change) }));
}

function withGroup(document: BenchDocument, change: (group: BenchGroup) => BenchGroup): BenchDocument {
  return { ...document, groups: document.groups.map(change) };
}

/** All of it by so much, or one variant. */
function scaled(document: BenchDocument, by: number, only?: string): BenchDocument {
  return withVariants(document, (variant) =>
    only !== undefined && variant.name !== only
      ? variant
      : {
          ...variant,
          samples: variant.samples.map((sample) => ({
            ...sample,
            values: { main: (sample.values['main'] ?? 0) * by },
          })),
        },
  );
}

const verdicts = ({ changes }: Comparison): Record<string, Change['verdict']> =>
  Object.fromEntries(changes.map(({ variant, verdict }) => [variant, verdict]));

describe('two runs', () => {
  test('of the same thing have no regression and no improvement', () => {
    const found = compare(run(1, { one: 2, two: 0.5 }), run(2, { one: 2, two: 0.5 }));
    expect(verdicts(found)).toEqual({ reference: 'reference', one: 'within noise', two: 'within noise' });
    expect([found.regressions, found.missing, found.notes]).toEqual([[], [], []]);
    const [, one] = found.changes;
    expect(one?.basis).toBe('ratio');
    expect(one?.before).toBeGreaterThan(2000);
    expect(one?.ratio?.median).toBeCloseTo(1, 1);
  });

  test('differ where what was nothing is something now, such as packets lost', () => {
    const none = scaled(run(1, { one: 2 }, 'lower'), 0);
    expect(verdicts(compare(none, scaled(run(2, { one: 2 }, 'lower'), 0)))).toEqual({
      reference: 'reference',
      one: 'within noise',
    });
    const some = withVariants(none, (variant) =>
      variant.name === 'one'
        ? { ...variant, samples: variant.samples.map((sample) => ({ ...sample, values: { main: 3 } })) }
        : variant,
    );
    const found = compare(none, some);
    expect(verdicts(found)).toEqual({ reference: 'reference', one: 'slower' });
    expect(found.regressions).toHaveLength(1);
  });

  test('give the same whenever they are compared', () => {
    const [before, after] = [run(1, { one: 2 }), run(2, { one: 1.7 })];
    expect(compare(before, after)).toEqual(compare(before, after));
  });

  test('show what became slower and what became faster, by which way is better', () => {
    const before = run(1, { one: 2, two: 2 });
    const after = run(2, { one: 1.6, two: 2.5 });
    expect(compare(before, after).regressions.map(({ variant }) => variant)).toEqual(['one']);
    expect(verdicts(compare(before, after))).toMatchObject({ one: 'slower', two: 'faster' });
    const [less, more] = [run(1, { one: 2, two: 2 }, 'lower'), run(2, { one: 1.6, two: 2.5 }, 'lower')];
    expect(verdicts(compare(less, more))).toMatchObject({ one: 'faster', two: 'slower' });
    expect(compare(less, more).regressions.map(({ variant }) => variant)).toEqual(['two']);
  });

  test('on a machine that is half as fast now are compared by their ratios, and that is said', () => {
    const before = run(1, { one: 2, two: 0.5 });
    const found = compare(before, scaled(run(2, { one: 2, two: 0.5 }), 0.5));
    expect(verdicts(found)).toEqual({ reference: 'reference', one: 'within noise', two: 'within noise' });
    expect(found.notes).toEqual([
      'g: reference, to which the others are compared, differs itself: either the machine was in another state, or it changed',
    ]);
    const byValue = compare(before, scaled(run(2, { one: 2, two: 0.5 }), 0.5), { values: true });
    expect(verdicts(byValue)).toEqual({ reference: 'slower', one: 'slower', two: 'slower' });
  });

  test('tell by three others that it is the reference which became slower', () => {
    const others = { one: 2, two: 0.5, three: 1.5, four: 3 };
    const before = run(1, others);
    const found = compare(before, scaled(scaled(run(2, others), 0.7, 'reference'), 0.7, 'control'));
    expect(found.regressions.map(({ variant, basis }) => [variant, basis])).toEqual([
      ['reference', 'others'],
    ]);
    expect(found.notes).toEqual([
      'g: reference, to which all others are compared, is slower itself: value of the others looks better by as much',
    ]);
    // And one other that changed is not taken for it.
    const one = compare(before, scaled(run(2, others), 0.7, 'one'));
    expect(verdicts(one)).toMatchObject({ reference: 'within noise', one: 'slower', two: 'within noise' });
  });

  test('count changes only from a size that can be chosen', () => {
    const [before, after] = [run(1, { one: 2 }), run(2, { one: 1.94 })];
    expect(compare(before, after).regressions).toEqual([]);
    expect(compare(before, after, { least: 1.01 }).regressions).toHaveLength(1);
  });

  test('with more noise in either of them have fewer regressions', () => {
    const before = run(1, { one: 2 });
    const after = run(2, { one: 1.7 });
    expect(compare(before, after).regressions).toHaveLength(1);
    // A control that is off by a third says that everything may be.
    expect(compare(scaled(before, 1.5, 'control'), after).regressions).toEqual([]);
    expect(compare(before, scaled(after, 1.5, 'control')).regressions).toEqual([]);
  });

  test('that lack something of one another say so', () => {
    const before = run(1, { one: 2, gone: 2 });
    const after = run(2, { one: 2, fresh: 3 });
    const found = compare(before, after);
    expect(Object.keys(verdicts(found))).toEqual(['reference', 'one']);
    expect(found.missing).toEqual([
      'variant of g: only the old run has gone',
      'variant of g: only the new run has fresh',
    ]);
    const renamed = withGroup(after, (group) => ({ ...group, name: 'h' }));
    expect(compare(before, renamed)).toMatchObject({
      changes: [],
      missing: ['group: only the old run has g', 'group: only the new run has h'],
    });
    const otherUnit = withGroup(after, (group) => ({
      ...group,
      metrics: group.metrics.map((metric) => ({ ...metric, unit: 'bytes' })),
    }));
    expect(compare(before, otherUnit)).toMatchObject({
      changes: [],
      missing: expect.arrayContaining(['g: main is measured otherwise in the two']),
    });
  });

  test('judge nothing that is invalid, or has too few samples, or another reference', () => {
    const before = run(1, { one: 2 });
    const after = run(2, { one: 1 });
    const invalid = withVariants(after, (variant) =>
      variant.name === 'one'
        ? { ...variant, checks: [{ name: 'verdict', ok: false, detail: 'passed' }] }
        : variant,
    );
    expect(verdicts(compare(before, invalid))['one']).toBe('invalid');
    const few = withVariants(after, (variant) => ({ ...variant, samples: variant.samples.slice(0, 7) }));
    expect(verdicts(compare(before, few))['one']).toBe('not enough data');
    const noControl = withGroup(after, (group) => ({
      ...group,
      variants: group.variants.filter(({ role }) => role !== 'control'),
    }));
    expect(verdicts(compare(before, noControl))['one']).toBe('not enough data');
    const otherReference = withVariants(after, (variant) => {
      if (variant.role === 'control') return variant;
      return { ...variant, role: variant.name === 'one' ? 'reference' : 'variant' };
    });
    expect(compare(before, otherReference).regressions).toEqual([]);
  });

  test('name what is different about scenario, kernel, CPU and the runs', () => {
    const before = run(1, { one: 2 });
    const after = run(2, { one: 2 });
    const { environment } = after;
    const found = compare(before, {
      ...after,
      scenario: 'drop',
      netkit: '0.2.0',
      ended: 'interrupted',
      environment: {
        ...environment,
        kernel: { ...environment.kernel, release: '7.2.0', settings: [{ name: 'jit', value: '0' }] },
        machine: { ...environment.machine, cpu: 'another CPU', cpus: 4, isVirtual: null },
        during: { ...environment.during, steal: 0.2 },
        placement: [{ what: 'the generator', cpus: [1] }],
      },
    });
    expect(found.notes).toEqual([
      'scenario: replay before, drop now',
      'version of netkit: 0.1.0 before, 0.2.0 now',
      'kernel: 6.18.0 before, 7.2.0 now',
      'CPU: a CPU before, another CPU now',
      'CPUs: 2 before, 4 now',
      'virtual machine: yes before, unknown now',
      'what ran on which CPU is not the same',
      'the new run was interrupted',
      'in the new run the hypervisor gave 20 % of the CPUs to others',
    ]);
    const settings = (value: string): BenchDocument => ({
      ...before,
      environment: { ...environment, kernel: { ...environment.kernel, settings: [{ name: 'jit', value }] } },
    });
    expect(compare(settings('1'), settings('0')).notes).toEqual([
      'setting of the kernel jit: 1 before, 0 now',
    ]);
  });
});
