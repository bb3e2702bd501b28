import { z } from 'zod';
import { count, maybe, text } from './shapes.js';

const run = (about: string) =>
  z
    .strictObject({
      file: text('The file.'),
      scenario: text('The scenario.'),
      command: text('The command line.'),
      netkit: text('The version that measured.'),
      started: text('When, by ISO 8601.'),
      kernel: text('The release of the kernel.'),
    })
    .meta({ description: about });

const interval = (about: string) => z.array(z.number()).length(2).meta({ description: about });

/** What `bench compare` says. */
export const benchCompareDocument = z.strictObject({
  old: run('The earlier run.'),
  new: run('The later run.'),
  changes: z
    .array(
      z.strictObject({
        group: text('The group.'),
        variant: text('The variant.'),
        title: text('The variant, for people.'),
        metric: text('The metric.'),
        unit: text('The unit of its values.'),
        better: z.enum(['higher', 'lower', 'neither']).meta({ description: 'Which way is better.' }),
        basis: z.enum(['ratio', 'others', 'value']).meta({
          description:
            'What is compared: the ratio to the reference of the same run, the ratio to all other variants, or the value itself.',
        }),
        before: maybe(z.number(), 'The median value of the old run; null without one that counts.'),
        after: maybe(z.number(), 'The median value of the new run; null without one that counts.'),
        ratio: maybe(
          z.strictObject({
            median: z.number().meta({ description: 'How many times as much as before, on that basis.' }),
            interval: interval('Its 95 % interval.'),
            wide: interval('Its 99 % interval, which the verdict goes by.'),
          }),
          'The change; null when too little was measured.',
        ),
        noise: maybe(
          interval('From, to.'),
          'The ratios that are noise, of both runs together; null when a run has no control.',
        ),
        verdict: z
          .enum(['faster', 'slower', 'within noise', 'reference', 'not enough data', 'invalid'])
          .meta({
            description:
              '`slower` is worse, `faster` better; where neither way is better, more is `faster`. `reference` is what the others are compared with: it is not judged itself.',
          }),
      }),
    )
    .meta({ description: 'Every figure that both runs have.' }),
  regressions: count('How many of them became worse.'),
  missing: z.array(z.string()).meta({ description: 'What only one of the runs has.' }),
  notes: z
    .array(z.string())
    .meta({ description: 'What else differs: scenario, versions, machine, how the runs ended.' }),
});
