/**
 * What a benchmark says: the one document that is written as JSON, shown in a terminal, drawn as HTML and compared with a
 * later one. It has every raw sample; what follows from them (`results`, `noise`, `summary`) is computed by analysis.ts from
 * the rest, so that a reader need not.
 */
import { z } from 'zod';

const text = (description: string) => z.string().meta({ description });
const number = (description: string) => z.number().meta({ description });
const count = (description: string) => z.int().min(0).meta({ description });

const check = z
  .strictObject({
    name: text('What is checked, such as `generator`, `verdict`, `queue`.'),
    ok: z.boolean().meta({ description: 'Whether it holds. One that does not makes the variant invalid.' }),
    detail: text('What was seen, as a sentence or a figure with its unit.'),
  })
  .meta({ description: 'Something without which a figure means nothing.' });

const metric = z.strictObject({
  name: text('Such as `rate`, `latency`, `cpu.softirq`.'),
  title: text('For people: `Packets dropped`.'),
  unit: text('`packets/s`, `ns`, `share`, `bytes`, `s`.'),
  better: z.enum(['higher', 'lower', 'neither']).meta({ description: 'Which way is better.' }),
  isMain: z.boolean().meta({ description: 'Whether the group is about it.' }),
});

const sample = z.strictObject({
  block: count('The block that it belongs to, from 0.'),
  at: number('When it began, in seconds since the benchmark began.'),
  seconds: number('How long it took.'),
  values: z.record(z.string(), z.number()).meta({ description: 'A value for each metric.' }),
  checks: z.array(check).meta({ description: 'What was checked of this sample alone and did not hold.' }),
});

const histogram = z
  .strictObject({
    metric: text('The metric that its values are of.'),
    buckets: z
      .array(z.tuple([z.number(), z.number(), z.int()]))
      .meta({ description: 'From (included), to (excluded), how many; empty ones are left out.' }),
  })
  .meta({ description: 'All values of all blocks, merged.' });

const variant = z.strictObject({
  name: text('Its name, once in its group.'),
  title: text('For people.'),
  description: text('What it is exactly: the rule, the program, the mode.'),
  role: z.enum(['variant', 'reference', 'control']).meta({
    description:
      'The others are compared with the `reference`; the `control` is the reference once more, and says how much of a difference is noise.',
  }),
  series: z
    .string()
    .nullable()
    .meta({ description: 'The curve that it is a point of, when the group has an axis.' }),
  x: z.number().nullable().meta({ description: 'Where it is on the axis of the group.' }),
  checks: z
    .array(check)
    .meta({ description: 'What was checked of it: verdicts and packets before, bottlenecks while it ran.' }),
  samples: z.array(sample).meta({ description: 'What was measured, in the order of the blocks.' }),
  histograms: z.array(histogram).meta({ description: 'Of the metrics that have single values.' }),
});

const axis = z.strictObject({
  title: text('What grows along it.'),
  unit: text('Its unit, or nothing.'),
  scale: z.enum(['linear', 'logarithmic']).meta({ description: 'How it is divided.' }),
});

const group = z
  .strictObject({
    name: text('Its name, once in the document.'),
    title: text('The question that it answers.'),
    axis: axis
      .nullable()
      .meta({ description: 'When its variants are points of curves; else they are bars.' }),
    metrics: z.array(metric).meta({ description: 'What each sample has a value of.' }),
    variants: z.array(variant).meta({ description: 'What is compared.' }),
  })
  .meta({
    description: 'Variants that were measured in turn, block by block, and are compared with one another.',
  });

const interval = z.tuple([z.number(), z.number()]);

const result = z
  .strictObject({
    group: text('The group.'),
    variant: text('The variant, by its name.'),
    metric: text('The metric, by its name.'),
    count: count('How many samples count.'),
    median: z.number().nullable().meta({ description: 'The middle one; null when no sample counts.' }),
    interval: interval.nullable().meta({ description: 'The 95 % interval of the median, by bootstrap.' }),
    ratio: z
      .strictObject({
        median: number('The middle one of the ratios to the reference in the same block.'),
        interval: interval.meta({ description: 'Its 95 % interval, by bootstrap.' }),
        wide: interval.meta({ description: 'Its 99 % interval, by bootstrap: what the verdict goes by.' }),
      })
      .nullable()
      .meta({
        description:
          'Null for the reference, with fewer than eight blocks that have both, and where the reference is 0 in all blocks.',
      }),
    verdict: z.enum(['reference', 'faster', 'slower', 'within noise', 'not enough data', 'invalid']).meta({
      description:
        '`faster` and `slower` when the 99 % interval of the ratio lies wholly outside the noise band; of a metric that has no better direction: `within noise` or outside it as greater = `faster`. Where reference and control are 0 in all blocks: `within noise` when the variant is, too, and the other when it is more in more blocks than by chance.',
    }),
    outliers: z
      .array(z.int())
      .meta({ description: 'Blocks whose sample lies far from the others. They count all the same.' }),
    percentiles: z
      .array(
        z.strictObject({
          percentile: number('From 0 to 100.'),
          value: number('What so many per cent of the values do not exceed.'),
        }),
      )
      .meta({ description: 'From the merged histogram; only those with at least ten values beyond them.' }),
  })
  .meta({ description: 'What a metric of a variant came to.' });

const noise = z.strictObject({
  group: text('The group.'),
  metric: text('The metric, by its name.'),
  band: interval.meta({
    description:
      'Ratios between these two are noise: as far as the 99 % interval of the control reaches from 1, and at least 1 %.',
  }),
});

const named = (description: string) =>
  z
    .array(z.strictObject({ name: text('Its name.'), value: text('What it is set to.') }))
    .meta({ description });

const environment = z
  .strictObject({
    kernel: z
      .strictObject({
        release: text('As `uname -r` says it.'),
        version: text('As `uname -v` says it.'),
        architecture: text('As Node says it: x64, arm64, …'),
        settings: named(
          'What matters to such figures: JIT, mitigations, preemption, clock source, statistics of programs.',
        ),
      })
      .meta({ description: 'The kernel that ran.' }),
    machine: z
      .strictObject({
        cpu: text('The model.'),
        cpus: count('How many are online.'),
        memory: count('Bytes.'),
        isVirtual: z
          .boolean()
          .nullable()
          .meta({ description: 'Whether it runs under a hypervisor, where that can be told.' }),
      })
      .meta({ description: 'The machine.' }),
    during: z
      .strictObject({
        loadBefore: number('Processes that were running or waited to, by the last minute before.'),
        loadAfter: number('The same, after.'),
        steal: number('Share of the time of all CPUs that the hypervisor gave to others.'),
        others: z.number().nullable().meta({
          description: 'Share of the time of all CPUs that processes outside the benchmark took.',
        }),
      })
      .meta({ description: 'What else went on while it was measured.' }),
    tools: z
      .array(z.strictObject({ name: text('Its name.'), version: text('What it says of itself.') }))
      .meta({ description: 'The programs that took part.' }),
    interfaces: z
      .array(
        z.strictObject({
          ifname: text('Its name.'),
          driver: text('Its driver.'),
          mode: text('How XDP runs there, and what else was set.'),
          offloads: z.array(z.string()).meta({ description: 'What it does in place of the CPU.' }),
        }),
      )
      .meta({ description: 'The interfaces that packets came through.' }),
    placement: z
      .array(
        z.strictObject({
          what: text('A process, a thread or an interrupt.'),
          cpus: z.array(z.int()).meta({ description: 'Where it ran.' }),
        }),
      )
      .meta({ description: 'What ran on which CPU.' }),
    commands: z.array(z.string()).meta({
      description: 'Exactly what was run to set it up, in order, without repetitions.',
    }),
  })
  .meta({ description: 'What the figures depend on.' });

/** A benchmark's document, version 1. */
export const benchDocument = z.strictObject({
  schemaVersion: z.literal(1).meta({ description: 'The version of this document; 1.' }),
  scenario: text('The scenario, as in `netkit bench SCENARIO`.'),
  title: text('What was asked, in one sentence.'),
  netkit: text('The version that measured.'),
  command: text('The command line.'),
  started: text('When, by ISO 8601.'),
  seconds: number('How long it took.'),
  ended: z
    .enum(['whole', 'interrupted'])
    .meta({ description: '`interrupted` by Ctrl-C: what was measured until then counts.' }),
  seed: count('What the order of the variants in the blocks and the bootstrap were drawn from.'),
  environment,
  limits: z
    .array(
      z.strictObject({
        name: text('Its name.'),
        title: text('For people.'),
        value: number('How much it can do at most.'),
        unit: text('The unit of that.'),
        detail: text('How it was measured.'),
      }),
    )
    .meta({ description: "The generators' own limits, measured by themselves." }),
  groups: z.array(group).meta({ description: 'What was measured.' }),
  noise: z
    .array(noise)
    .meta({ description: 'How much of a difference means nothing, for each metric of each group.' }),
  results: z.array(result).meta({ description: 'What it came to: one for each metric of each variant.' }),
  summary: z.array(z.string()).meta({ description: 'What it comes to, in sentences.' }),
  notes: z.array(z.string()).meta({ description: 'What the figures do not say.' }),
});

export type BenchDocument = z.infer<typeof benchDocument>;
export type BenchGroup = z.infer<typeof group>;
export type BenchVariant = z.infer<typeof variant>;
export type BenchSample = z.infer<typeof sample>;
export type BenchMetric = z.infer<typeof metric>;
export type BenchCheck = z.infer<typeof check>;
export type BenchHistogram = z.infer<typeof histogram>;
export type BenchResult = z.infer<typeof result>;
export type BenchNoise = z.infer<typeof noise>;
export type BenchEnvironment = z.infer<typeof environment>;

/** What is measured; the rest follows from it. */
export type Measured = Omit<BenchDocument, 'noise' | 'results' | 'summary'>;
