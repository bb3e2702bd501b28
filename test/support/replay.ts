/** Benchmarks of samples that were recorded or made up, in place of measuring. */
import type { BenchSample, BenchVariant, Measured } from '../../src/bench/document.js';
import { Random } from '../../src/bench/statistics/random.js';

/** Values that one thing measured again and again came to, in order. */
export interface Series {
  readonly name: string;
  readonly better: 'higher' | 'lower';
  readonly values: readonly number[];
}

export interface ReplayOptions {
  readonly seed: number;
  readonly blocks: number;
  /** What each further variant is: how many times the reference it comes to. */
  readonly variants: Readonly<Record<string, number>>;
}

/**
 * A benchmark in which each slice of time was what the series says, whoever was measured then: the variants of a block, the
 * reference and its control among them, take the next values in random order. Where it begins in the series is by the seed.
 */
export function replay(
  { name, better, values }: Series,
  { seed, blocks, variants }: ReplayOptions,
): Measured {
  const random = new Random(seed, 'replay');
  const factors = new Map([['reference', 1], ['control', 1], ...Object.entries(variants)]);
  const start = random.below(values.length);
  const samples = new Map([...factors.keys()].map((variant): [string, BenchSample[]] => [variant, []]));
  let at = 0;
  for (let block = 0; block < blocks; block++) {
    for (const [variant, factor] of random.shuffled([...factors])) {
      const value = (values[(start + at) % values.length] ?? Number.NaN) * factor;
      samples.get(variant)?.push({ block, at: at / 10, seconds: 0.1, values: { main: value }, checks: [] });
      at++;
    }
  }
  return measured({
    seed,
    groups: [
      {
        name,
        title: `What ${name} comes to`,
        axis: null,
        metrics: [
          { name: 'main', title: 'Value', unit: better === 'higher' ? 'runs/s' : 'ns', better, isMain: true },
        ],
        variants: [...samples].map(([variant, list]) => variantOf(variant, list)),
      },
    ],
  });
}

/** A variant of the role that its name says, else an ordinary one. */
export function variantOf(name: string, samples: readonly BenchSample[]): BenchVariant {
  return {
    name,
    title: name,
    description: '',
    role: name === 'reference' || name === 'control' ? name : 'variant',
    series: null,
    x: null,
    checks: [],
    samples: [...samples],
    histograms: [],
  };
}

/** A document with the least in it, and what is given. */
export function measured(parts: Partial<Measured>): Measured {
  return {
    schemaVersion: 1,
    scenario: 'replay',
    title: 'What was recorded?',
    netkit: '0.1.0',
    command: 'netkit bench replay',
    started: '2026-01-01T00:00:00.000Z',
    seconds: 10,
    ended: 'whole',
    seed: 1,
    environment: {
      kernel: { release: '6.18.0', version: '#1', architecture: 'x86_64', settings: [] },
      machine: { cpu: 'a CPU', cpus: 2, memory: 2 ** 32, isVirtual: true },
      during: { loadBefore: 0, loadAfter: 0, steal: 0, others: null },
      tools: [],
      interfaces: [],
      placement: [],
      commands: [],
    },
    limits: [],
    groups: [],
    notes: [],
    ...parts,
  };
}

/** Noise as it is met, made up from a seed: values around 100. */
export function noisySeries(seed: number, count: number): Series[] {
  const of = (name: string, next: (random: Random) => () => number): Series => {
    const random = new Random(seed, name);
    const make = next(random);
    return { name, better: 'higher', values: Array.from({ length: count }, make) };
  };
  return [
    of('even', (random) => () => 100 * Math.exp(0.03 * random.normal())),
    of('wide', (random) => () => 100 * Math.exp(0.1 * random.normal())),
    of('drift', drift),
    of('bursts', bursts),
    of('bimodal', bimodal),
    of('steal', steal),
  ];
}

/** A level that wanders to half and double, slowly. */
function drift(random: Random): () => number {
  let level = 0;
  return () => {
    level = 0.995 * level + 0.03 * random.normal();
    return 100 * Math.exp(level + 0.02 * random.normal());
  };
}

/** For some slices at a time something else takes a third to two thirds of the machine. */
function bursts(random: Random): () => number {
  let left = 0;
  let share = 1;
  return () => {
    if (left === 0 && random.next() < 0.05) {
      left = 1 + random.below(8);
      share = 1 / 3 + random.next() / 3;
    }
    const value = 100 * (left > 0 ? share : 1) * Math.exp(0.03 * random.normal());
    left = Math.max(0, left - 1);
    return value;
  };
}

/** Two levels, as with a neighbour on the same core: each lasts for ten slices or so. */
function bimodal(random: Random): () => number {
  let low = false;
  return () => {
    if (random.next() < 0.1) low = !low;
    return (low ? 70 : 100) * Math.exp(0.02 * random.normal());
  };
}

/** Single slices lose what a hypervisor takes: mostly nothing, sometimes nearly all. */
function steal(random: Random): () => number {
  return () => {
    const lost = random.next() < 0.25 ? random.next() ** 2 : 0;
    return 100 * (1 - 0.95 * lost) * Math.exp(0.02 * random.normal());
  };
}
