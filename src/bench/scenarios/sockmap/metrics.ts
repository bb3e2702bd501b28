/** What is measured of a path, and the group that follows from the samples of the stream. */
import type { BenchGroup, BenchMetric } from '../../document.js';
import { lag, share } from '../side-metrics.js';

const shares: readonly BenchMetric[] = [
  share('cpu.napi', "The receiver's CPU: taking packets off the wire"),
  share('cpu.proxy', "The receiver's CPU: the proxy"),
  share('cpu.server', "The receiver's CPU: the server"),
  share('cpu.workers', "The receiver's CPU: workers of the kernel, which send on what was redirected"),
];

const latency = (title: string): BenchMetric => ({
  name: 'latency',
  title,
  unit: 'ns',
  better: 'lower',
  isMain: true,
});

/** Of requests and answers. */
export const requestMetrics: readonly BenchMetric[] = [latency('Round trip'), lag, ...shares];
/** Of the chunks of a stream that has a pace. */
export const chunkMetrics: readonly BenchMetric[] = [
  latency('From when a chunk was to be sent to its answer'),
  lag,
  ...shares,
];

const rate: BenchMetric = {
  name: 'rate',
  title: 'Bytes of a stream',
  unit: 'bytes/s',
  better: 'higher',
  isMain: true,
};

const cost = (name: string, title: string): BenchMetric => ({
  name,
  title,
  unit: 'ns',
  better: 'lower',
  isMain: true,
});

/** Of a stream as fast as it goes. */
export const streamMetrics: readonly BenchMetric[] = [rate, ...shares];
export const costMetrics: readonly BenchMetric[] = [
  cost('proxy', "The proxy's CPU time for a MiB"),
  cost('receiver', 'CPU time for a MiB of all that receives: NAPI, proxy, server, workers of the kernel'),
];

/** Of what makes a rate mean nothing, and a cost not. */
const ofTheRate: ReadonlySet<string> = new Set(['generator']);

/** The stream's samples once more: what they cost holds also where the client set the pace. */
export function withCosts(groups: readonly BenchGroup[]): BenchGroup[] {
  return groups.flatMap((group) => {
    if (group.name !== 'stream') return [group];
    return [
      part(group, streamMetrics),
      {
        ...part(group, costMetrics),
        name: 'cost',
        title: 'How much CPU time does a MiB of the stream take?',
        variants: part(group, costMetrics).variants.map((variant) => ({
          ...variant,
          checks: variant.checks.filter(({ name }) => !ofTheRate.has(name)),
        })),
      },
    ];
  });
}

function part(group: BenchGroup, metrics: readonly BenchMetric[]): BenchGroup {
  const variants = group.variants.map((variant) => ({
    ...variant,
    samples: variant.samples.map((sample) => ({
      ...sample,
      values: Object.fromEntries(metrics.map(({ name }) => [name, sample.values[name] ?? 0])),
    })),
  }));
  return { ...group, metrics: [...metrics], variants };
}
