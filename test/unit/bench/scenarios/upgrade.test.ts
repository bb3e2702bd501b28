import { describe, expect, it } from 'vitest';
import type { BenchGroup, BenchSample } from '../../../../src/bench/document.js';
import type { Measurement } from '../../../../src/bench/scenario.js';
import { accountFailures, type Ended } from '../../../../src/bench/scenarios/upgrade/accounts.js';
import { upgradeGroups } from '../../../../src/bench/scenarios/upgrade/metrics.js';
import {
  type SenderBeside,
  type Standing,
  totalsText,
  UpgradeVariant,
} from '../../../../src/bench/scenarios/upgrade/variant.js';
import { upgradeScenario, upgradeWayNames } from '../../../../src/bench/scenarios/upgrade.js';

/** What happens to packets: by default the program that is in place judges each, and each ends. */
interface Fate {
  /** Of each send of many packets. */
  readonly lost?: number;
  readonly unsigned?: number;
  readonly unaccounted?: number;
  /** The second program does nothing. */
  readonly isDeaf?: boolean;
  /** So many sends end early by a signal. */
  readonly interruptions?: number;
  /** No packet ends until it is over. */
  readonly isStuck?: boolean;
}

/** A way to replace a program, of a receiver that takes ten packets whenever it is looked at. */
function fakeVariant(fate: Fate): { readonly variant: UpgradeVariant; readonly turns: number[] } {
  const { lost = 0, unsigned = 0, unaccounted = 0 } = fate;
  let interruptions = fate.interruptions ?? 0;
  const counts = { neither: 0, one: 0, other: 0, both: 0, judged: [0, 0] };
  const turns: number[] = [];
  let inPlace: 0 | 1 = 0;
  let generated = 0;
  let isSending = false;
  let end: () => void = () => undefined;
  const take = (count: number, port: number): void => {
    const isJudged = port === 9 && !(inPlace === 1 && fate.isDeaf === true);
    counts[isJudged ? (inPlace === 0 ? 'one' : 'other') : 'neither'] += count;
    if (isJudged) counts.judged[inPlace] = (counts.judged[inPlace] ?? 0) + count;
  };
  const sender: SenderBeside = {
    get generated() {
      return generated;
    },
    stop: () => end(),
    sendBeside: async (_, count, port = 9) => {
      const isFew = count < 100;
      generated = 0;
      const interrupted = interruptions > 0;
      interruptions -= 1;
      if (isFew) {
        generated = count;
        take(count, port);
      } else {
        generated = 1000;
        isSending = true;
        const before = { ...counts };
        await new Promise<void>((resolve) => {
          end = resolve;
          setTimeout(resolve, 300);
        });
        isSending = false;
        const taken = counts.one + counts.other - before.one - before.other;
        generated = Math.max(1000, taken + lost + unsigned);
        counts.neither += unsigned;
        take(generated - taken - lost - unsigned, port);
      }
      const sent = generated;
      return {
        generated,
        sent: sent - unaccounted,
        queueDrops: 0,
        redirectErrors: 0,
        seconds: 0.1,
        interrupted,
      };
    },
  };
  const standing: Standing = {
    way: { name: 'xdp-link', title: 'XDP link update', description: '', isContrast: false },
    ends: {} as Standing['ends'],
    replace: (next) => {
      inPlace = next;
      turns.push(next);
    },
    ended: (): Ended => {
      if (isSending && fate.isStuck !== true) take(10, 9);
      const { judged, ...others } = counts;
      return { ...others, judged: [judged[0] ?? 0, judged[1] ?? 0] };
    },
  };
  return { variant: new UpgradeVariant(standing, sender, 'variant'), turns };
}

const oks = async (fate: Fate) =>
  (await fakeVariant(fate).variant.check()).map(({ name, ok }) => `${name} ${ok}`);

describe('the checks of a way to replace a program', () => {
  it('hold when both programs judge what they should, and nothing is lost without a replacement', async () => {
    expect(await oks({})).toEqual(['verdict true', 'verdict true', 'control true']);
  });

  it.each([
    [
      'the second program judges nothing',
      { isDeaf: true },
      ['verdict true', 'verdict false', 'control false'],
    ],
    ['packets are lost all the same', { lost: 3 }, ['verdict true', 'verdict true', 'control false']],
    [
      'packets meet no program all the same',
      { unsigned: 1 },
      ['verdict true', 'verdict true', 'control false'],
    ],
  ])('do not hold when %s', async (_, fate, wanted) => {
    expect(await oks(fate)).toEqual(wanted);
  });

  it('are made once more when a signal for somebody else came between', async () => {
    expect(await oks({ interruptions: 2 })).toEqual(['verdict true', 'verdict true', 'control true']);
    await expect(oks({ interruptions: 3 })).rejects.toMatchObject({ code: 'interrupted' });
  });
});

const judged = ({ seconds, values, failed = [] }: Measurement): BenchSample => ({
  block: 0,
  at: 0,
  seconds,
  values: { ...values },
  checks: [...failed],
});

describe('a sample of a way to replace a program', () => {
  it('has what is lost and misjudged for each replacement, and the time of all of them', async () => {
    const { variant, turns } = fakeVariant({ lost: 40, unsigned: 20 });
    const sample = await variant.measure(0.1);
    if (sample === undefined) throw new Error('interrupted');
    const { values, failed, histograms } = sample;
    const replacements = values['replacements'] ?? 0;
    expect(failed).toEqual([]);
    expect(replacements).toBeGreaterThan(0);
    expect(turns.slice(0, 3)).toEqual([1, 0, 1].slice(0, turns.length));
    expect(values['lost']).toBe(40 / replacements);
    expect(values['misjudged']).toBe(20 / replacements);
    const [histogram] = histograms ?? [];
    expect(histogram?.buckets.reduce((sum, [, , count]) => sum + count, 0)).toBe(replacements);
    expect(variant.judge([judged(sample)])).toMatchObject([
      {
        name: 'packets',
        ok: true,
        detail: expect.stringContaining('40 lost, 20 met neither program or both'),
      },
    ]);
  });

  it('does not count when packets are not accounted for, nor when none came during a replacement', async () => {
    const unknown = await fakeVariant({ unaccounted: 1 }).variant.measure(0.1);
    expect(unknown?.failed?.map(({ name }) => name)).toContain('accounting');
    const stuck = fakeVariant({ isStuck: true }).variant;
    expect((await stuck.measure(0.1))?.failed).toMatchObject([{ name: 'replacements', ok: false }]);
    expect(stuck.judge([])).toEqual([]);
  });

  it('is none when a signal ended it', async () => {
    expect(await fakeVariant({ interruptions: 1 }).variant.measure(0.1)).toBeUndefined();
  });
});

describe('the accounts', () => {
  const sent = {
    generated: 100,
    sent: 90,
    queueDrops: 9,
    redirectErrors: 1,
    seconds: 1,
    interrupted: false,
  };
  const ended: Ended = { neither: 0, one: 50, other: 40, both: 0, judged: [50, 40] };

  it.each([
    ['each packet is known of', {}, {}, 0],
    ['some are lost', {}, { one: 45 }, 0],
    ['some met both', {}, { one: 45, both: 5, judged: [50, 45] as const }, 0],
    ['one was made that nobody knows of', { generated: 101 }, {}, 1],
    ['more ended than were sent', {}, { neither: 1 }, 1],
    ['a program judged fewer than have its sign', {}, { judged: [49, 40] as const }, 1],
  ])('add up or not when %s', (_, ofSent, ofEnded, failures) => {
    expect(accountFailures({ ...sent, ...ofSent }, { ...ended, ...ofEnded })).toHaveLength(failures);
  });

  it('are said in a sentence', () => {
    expect(totalsText({ replacements: 1312, sent: 41_234_567, lost: 0, misjudged: 12 })).toBe(
      '1,312 replacements under 41,234,567 packets: none lost, 12 met neither program or both',
    );
  });
});

describe('the two groups that come of the same samples', () => {
  it('are packets, and times with their histograms', () => {
    const group: BenchGroup = {
      name: 'upgrade',
      title: '',
      axis: null,
      metrics: [],
      variants: [
        {
          name: 'xdp-link',
          title: '',
          description: '',
          role: 'reference',
          series: null,
          x: null,
          checks: [],
          samples: [
            {
              block: 0,
              at: 0,
              seconds: 1,
              values: { lost: 1, misjudged: 2, time: 3, replacements: 4, rate: 5 },
              checks: [],
            },
          ],
          histograms: [{ metric: 'time', buckets: [[3, 4, 1]] }],
        },
      ],
    };
    expect(
      upgradeGroups(group).map(({ name, variants }) => [
        name,
        variants[0]?.samples[0]?.values,
        variants[0]?.histograms.length,
      ]),
    ).toEqual([
      ['packets', { lost: 1, misjudged: 2 }, 0],
      ['time', { time: 3, replacements: 4, rate: 5 }, 1],
    ]);
  });
});

describe('the ways', () => {
  it('are those of the manual', () => {
    expect([...upgradeWayNames]).toEqual([
      'xdp-link',
      'tail-slot',
      'tail-order',
      'tcx-link',
      'tc-filter',
      'xdp-again',
      'tcx-beside',
    ]);
  });

  it('refuse one that there is not, with the one that was probably meant', () => {
    expect(() => upgradeScenario(['xdp-lnik'])).toThrow(
      expect.objectContaining({ code: 'usage', hint: expect.stringContaining('xdp-link') }),
    );
  });
});
