/** Histograms of single measurements put together: buckets of the same bounds add up. */
import type { BenchHistogram } from './document.js';
import type { MetricHistogram } from './scenario.js';

export function mergedHistograms(histograms: readonly MetricHistogram[]): BenchHistogram[] {
  const byMetric = new Map<string, Map<string, [number, number, number]>>();
  for (const { metric, buckets } of histograms) {
    const merged = byMetric.get(metric) ?? new Map<string, [number, number, number]>();
    byMetric.set(metric, merged);
    for (const [from, to, count] of buckets) {
      const key = `${from} ${to}`;
      const bucket = merged.get(key);
      if (bucket === undefined) merged.set(key, [from, to, count]);
      else bucket[2] += count;
    }
  }
  return [...byMetric].map(([metric, merged]) => ({
    metric,
    buckets: [...merged.values()].sort(([a], [b]) => a - b),
  }));
}
