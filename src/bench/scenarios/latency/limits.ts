/** What the generator can do at most, and how punctual it was. */
import type { BenchDocument, BenchGroup } from '../../document.js';
import { mergedHistograms } from '../../merged-histograms.js';
import { quantity } from '../../quantity.js';
import { percentileOf } from '../../statistics/histogram.js';

const percentiles = [99, 99.9] as const;

/**
 * @param rate requests that it sends a second when all are due at once
 * @param groups those that were measured, the one of the highest load last
 */
export function generatorLimits(rate: number, groups: readonly BenchGroup[]): BenchDocument['limits'] {
  const lags = (groups.at(-1)?.variants ?? []).flatMap(({ histograms }) =>
    histograms.filter(({ metric }) => metric === 'lag'),
  );
  const buckets = mergedHistograms(lags)[0]?.buckets ?? [];
  const count = buckets.reduce((sum, [, , times]) => sum + times, 0);
  const [late, latest] = percentiles.map((percentile) => percentileOf(buckets, percentile));
  return [
    {
      name: 'generator',
      title: 'Requests that the client sends',
      value: rate,
      unit: 'requests/s',
      detail:
        'when all are due at once, and it looks for answers after each; at most 80 % of it is asked of it',
    },
    ...(late === undefined || latest === undefined
      ? []
      : [
          {
            name: 'lateness',
            title: 'How late the client itself is, 99th percentile',
            value: late,
            unit: 'ns',
            detail: `of ${count.toLocaleString('en-GB')} requests at the highest load; the 99.9th is ${quantity(latest, 'ns')}`,
          },
        ]),
  ];
}
