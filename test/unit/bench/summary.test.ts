import { describe, expect, test } from 'vitest';
import { analyse } from '../../../src/bench/analysis.js';
import type { BenchGroup, Measured } from '../../../src/bench/document.js';
import { measured, replay, variantOf } from '../../support/replay.js';

const values = Array.from({ length: 97 }, (_, index) => 1e6 + ((index * 37) % 11) * 1e3);
const one = replay(
  { name: 'dropping', better: 'higher', values },
  { seed: 3, blocks: 20, variants: { triple: 3, half: 0.5, same: 1 } },
);

function withGroup(change: (group: BenchGroup) => Partial<BenchGroup>): Measured {
  return { ...one, groups: one.groups.map((group) => ({ ...group, ...change(group) })) };
}

describe('the summary', () => {
  test('says what does best, what differs, and how much noise there is', () => {
    const summary = analyse(one).summary.map((sentence) => sentence.replace(/\d\.\d+/g, '0.0'));
    expect(summary).toEqual([
      'What dropping comes to: triple does best: value 0.0 M runs/s, 0.0 × reference (0.0 to 0.0).',
      'Better than reference: triple (0.0 ×); worse than reference: half (0.0 ×); like reference: same (0.0 ×).',
      'Measured twice, reference differs from itself by up to 0.0 %: less than that is noise.',
    ]);
  });

  test('calls the reference best when it is', () => {
    const document = analyse(
      replay({ name: 'x', better: 'lower', values }, { seed: 1, blocks: 10, variants: { more: 1.5 } }),
    );
    expect(document.summary[0]).toMatch(
      /^What x comes to: reference, the reference, does best: value 1\.00? ms/,
    );
    expect(document.summary[1]).toMatch(/^Worse than reference: more \(1\.(49|50) ×\)\.$/);
  });

  test('names what says too little, and that it was interrupted, and that time was stolen', () => {
    const few = replay(
      { name: 'x', better: 'lower', values },
      { seed: 1, blocks: 3, variants: { more: 1.5 } },
    );
    const { environment } = few;
    const during = { ...environment.during, steal: 0.12 };
    const document = analyse({ ...few, ended: 'interrupted', environment: { ...environment, during } });
    expect(document.summary).toEqual([
      'What x comes to: not enough data to judge reference, control and more.',
      'Interrupted: this is what was measured until then.',
      'The hypervisor gave 12.0 % of the time of the CPUs to others, which makes the intervals wide.',
    ]);
  });

  test('says how much of it there is beside a reference that is nothing', () => {
    const counts = (main: number) =>
      Array.from({ length: 9 }, (_, block) => ({
        block,
        at: block,
        seconds: 1,
        values: { main },
        checks: [],
      }));
    const document = analyse(
      withGroup(() => ({
        title: 'Lost?',
        metrics: [{ name: 'main', title: 'Lost', unit: 'packets', better: 'lower', isMain: true }],
        variants: [
          variantOf('reference', counts(0)),
          variantOf('gap', counts(12)),
          variantOf('none', counts(0)),
          variantOf('control', counts(0)),
        ],
      })),
    );
    expect(document.summary).toEqual([
      'Lost? reference, the reference, does best: lost 0.',
      'Worse than reference: gap (12 packets); like reference: none.',
    ]);
    expect(document.results.map(({ ratio }) => ratio)).toEqual([null, null, null, null]);
    expect(document.noise).toEqual([]);
  });

  test('says of curves where they begin and end', () => {
    const samples = (main: number) =>
      Array.from({ length: 9 }, (_, block) => ({
        block,
        at: block,
        seconds: 1,
        values: { main },
        checks: [],
      }));
    const point = (series: string, x: number, main: number) => ({
      ...variantOf(`${series}-${x}`, samples(main)),
      series,
      x,
    });
    const document = analyse(
      withGroup(({ variants }) => ({
        title: 'Rules?',
        axis: { title: 'Rules', unit: 'rules', scale: 'logarithmic' },
        variants: [
          ...variants.slice(0, 2),
          point('iptables', 1000, 2e3),
          point('iptables', 10, 1e6),
          point('nft', 10, 1.5e6),
        ],
      })),
    );
    expect(document.summary).toEqual([
      'Rules? value of iptables 1.00 M runs/s at 10 rules, 2.00 k runs/s at 1,000 rules (0.00200 ×); nft 1.50 M runs/s at 10 rules.',
    ]);
  });

  test('says nothing where there is nothing', () => {
    expect(analyse(measured({})).summary).toEqual([]);
    expect(analyse(withGroup(() => ({ variants: [] }))).summary).toEqual([]);
  });
});
