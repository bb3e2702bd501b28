import { describe, expect, it } from 'vitest';
import type { BenchGroup, BenchVariant } from '../../../../src/bench/document.js';
import { meetingsSize, orderCheck, readMeetings } from '../../../../src/bench/scenarios/chain/meetings.js';
import { slope, stepGroup, withoutTwice } from '../../../../src/bench/scenarios/chain/steps.js';
import { chainScenario, chainWayNames } from '../../../../src/bench/scenarios/chain.js';

interface Point {
  readonly name: string;
  readonly series: string;
  readonly x: number;
  /** By block. */
  readonly costs: readonly number[];
  readonly role?: BenchVariant['role'];
  readonly isValid?: boolean;
  /** Blocks whose sample does not count. */
  readonly failed?: readonly number[];
}

const check = (ok: boolean) => ({ name: 'order', ok, detail: '' });

function costOf(points: readonly Point[]): BenchGroup {
  return {
    name: 'cost',
    title: '',
    axis: null,
    metrics: [],
    variants: points.map(({ name, series, x, costs, role = 'variant', isValid = true, failed = [] }) => ({
      name,
      title: name,
      description: '',
      role,
      series,
      x,
      checks: [check(isValid)],
      samples: costs.map((cost, block) => ({
        block,
        at: x + block,
        seconds: 0.5,
        values: { cost },
        checks: failed.includes(block) ? [check(false)] : [],
      })),
      histograms: [],
    })),
  };
}

const tcx: readonly Point[] = [
  { name: 'tcx-0', series: 'tcx', x: 0, costs: [400, 500], role: 'reference' },
  { name: 'tcx-4', series: 'tcx', x: 4, costs: [420, 540] },
  { name: 'tcx-8', series: 'tcx', x: 8, costs: [440, 580] },
  { name: 'tcx-0 again', series: 'tcx', x: 0, costs: [404, 500], role: 'control' },
  { name: 'tcx-8 again', series: 'tcx', x: 8, costs: [436, 596] },
];

const steps = (group: BenchGroup | undefined) =>
  group?.variants.map(({ name, role, samples }) => [name, role, samples.map(({ values }) => values['step'])]);

describe('the slope of a line', () => {
  it('goes through points that lie on it, and between those that do not', () => {
    expect(
      slope([
        [0, 10],
        [8, 50],
        [4, 30],
      ]),
    ).toBe(5);
    expect(
      slope([
        [0, 0],
        [1, 3],
        [2, 0],
        [3, 3],
      ]),
    ).toBeCloseTo(0.6);
  });
});

describe('what each further function costs', () => {
  it('is the slope of each curve in each block, and for the control that of the points made once more', () => {
    const tail = [0, 4, 8].map((x) => ({ name: `tail-${x}`, series: 'tail', x, costs: [200 + 10 * x, 300] }));
    expect(steps(stepGroup(costOf([...tail, ...tcx])))).toEqual([
      ['tail', 'variant', [10, 0]],
      ['tcx', 'reference', [5, 10]],
      ['tcx again', 'control', [4, 12]],
    ]);
  });

  it('leaves out points that are invalid, and blocks in which one does not count', () => {
    const [first, , last, ...again] = tcx;
    const points = [
      first,
      { name: 'tcx-4', series: 'tcx', x: 4, costs: [9, 9], isValid: false },
      last === undefined ? undefined : { ...last, failed: [0] },
      ...again,
    ].filter((point) => point !== undefined);
    expect(steps(stepGroup(costOf(points)))).toEqual([
      ['tcx', 'reference', [10]],
      ['tcx again', 'control', [4, 12]],
    ]);
  });

  it('is invalid where fewer than two points are left, and left out where there never were two', () => {
    const broken = tcx.map((point) => (point.x === 0 ? point : { ...point, isValid: false }));
    expect(stepGroup(costOf(broken))?.variants.map(({ checks }) => checks[0]?.ok)).toEqual([false, false]);
    expect(stepGroup(costOf(tcx.slice(0, 1)))).toBeUndefined();
  });

  it('needs one chain more, which is in none of the other groups', () => {
    expect(withoutTwice(costOf(tcx)).variants.map(({ name }) => name)).toEqual([
      'tcx-0',
      'tcx-4',
      'tcx-8',
      'tcx-0 again',
    ]);
  });
});

describe('what the functions of a chain have counted', () => {
  it('is summed over all CPUs', () => {
    const bytes = new Uint8Array(2 * meetingsSize);
    const words = new BigUint64Array(bytes.buffer);
    const perCpu = meetingsSize / 8;
    words.set([0n, 1n, 5n, 7n, 6n, 99n], 0);
    words.set([2n, 2n, 10n, 3n, 4n], perCpu);
    expect(readMeetings(bytes, 1)).toEqual({ misplaced: 3, dropped: 15, seen: [10, 10] });
  });

  it.each([
    ['each saw each in its turn', { misplaced: 0, seen: [64, 64] }, 64, true],
    ['there is one function', { misplaced: 0, seen: [64] }, 64, true],
    ['how many there were is not known', { misplaced: 0, seen: [9, 9] }, undefined, true],
    ['one saw fewer', { misplaced: 0, seen: [64, 63] }, 64, false],
    ['all saw fewer', { misplaced: 0, seen: [63, 63] }, 64, false],
    ['one was out of turn', { misplaced: 1, seen: [64, 64] }, 64, false],
  ])('holds or not when %s', (_, seen, packets, ok) => {
    expect(orderCheck({ dropped: 0, ...seen }, packets).ok).toBe(ok);
  });
});

describe('the ways', () => {
  const traffic = { family: 'ipv4', size: 64, flows: 1, functions: [] } as const;

  it('are those of the manual', () => {
    expect(chainWayNames).toEqual(['one-program', 'dispatcher', 'tail-calls', 'tcx']);
  });

  it('refuse one that there is not, with the one that was probably meant', () => {
    expect(() => chainScenario({ ...traffic, only: ['tail-cals'] })).toThrow(
      expect.objectContaining({ code: 'usage', hint: expect.stringContaining('tail-calls') }),
    );
  });
});
