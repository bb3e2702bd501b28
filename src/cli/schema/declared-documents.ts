import { z } from 'zod';
import { mapFate } from './hook-documents.js';
import { count, flag, maybe, text } from './shapes.js';

const fieldChange = z
  .strictObject({
    path: text('The field: `spec.maps.blocklist.maxEntries`.'),
    from: maybe(z.unknown(), 'What it was; null where it was not there.'),
    to: maybe(z.unknown(), 'What it is to be; null where it goes.'),
  })
  .meta({ description: 'A field of the manifest that differs from what was applied last.' });

const step = z
  .strictObject({
    kind: z.enum(['load', 'upgrade', 'entries', 'attach', 'detach', 'rearrange', 'record']).meta({
      description: 'What kind of step it is.',
    }),
    about: text('The step in words.'),
  })
  .meta({ description: 'A step that brings the function to what it is to be.' });

const place = z
  .strictObject({
    program: text('The program.'),
    hook: maybe(z.string(), 'The hook; null where the section of the program decides.'),
    target: maybe(z.string(), 'The interface or pattern; null where there is none.'),
    netns: maybe(z.string(), 'The network namespace as the manifest names it; null for the own one.'),
  })
  .meta({ description: 'A place that is waited for.' });

const plannedFunction = z
  .strictObject({
    name: text('The function.'),
    verb: z.enum(['create', 'restore', 'upgrade', 'change', 'none']).meta({
      description:
        'What becomes of it: it is made, or brought back, other programs take over, or what runs stays; `none` when nothing is to be done.',
    }),
    generation: count('The number of the generation that runs afterwards.'),
    changes: z.array(fieldChange).meta({ description: 'The fields that have changed.' }),
    drift: z
      .array(z.string())
      .meta({ description: 'What is in the kernel in another way than was applied, in words.' }),
    steps: z.array(step).meta({ description: 'What is to be done.' }),
    waiting: z.array(place).meta({ description: 'Interfaces that are not there yet.' }),
  })
  .meta({ description: 'What becomes of a function.' });

const plannedChain = z
  .strictObject({
    name: text('The chain.'),
    verb: z.enum(['create', 'change', 'none', 'delete']).meta({ description: 'What becomes of it.' }),
    changes: z.array(fieldChange).meta({ description: 'The fields that have changed.' }),
  })
  .meta({ description: 'What becomes of a chain.' });

const plan = {
  functions: z.array(plannedFunction).meta({ description: 'Every function that is concerned.' }),
  chains: z.array(plannedChain).meta({ description: 'Every chain that is concerned.' }),
  removed: z
    .array(z.string())
    .meta({ description: 'Functions that go, since no manifest has them any more.' }),
  left: z.array(z.string()).meta({
    description: 'Functions and chains that no manifest has any more, and that stay without `--prune`.',
  }),
};

const health = z
  .strictObject({
    function: text('The function.'),
    healthy: flag('Whether it was healthy for its settle time.'),
    about: text('What was seen last.'),
    afterMs: count('Milliseconds after its programs had come into place.'),
  })
  .meta({ description: 'What was found out about the health of a new generation.' });

const upgrade = z
  .strictObject({
    function: text('The function.'),
    maps: z.array(mapFate).meta({ description: 'What became of each map.' }),
  })
  .meta({ description: 'A function that was upgraded.' });

const applied = {
  ...plan,
  upgrades: z.array(upgrade).meta({ description: 'What the upgrades did with maps; empty in a dry run.' }),
  dryRun: flag('True when nothing was done.'),
  health: z.array(health).meta({ description: 'Health of the new generations that were watched.' }),
  returnsAt: maybe(
    z.iso.datetime(),
    'When the change is taken back unless `netkit confirm` keeps it; null without `--confirm`, and where nothing was changed.',
  ),
};

/** Documents of the commands that know manifests. */
export const declaredDocuments = {
  plan: z.strictObject({ ...plan, pending: flag('Whether something would change.') }),
  apply: z.strictObject(applied),
  upgrade: z.strictObject({
    ...applied,
    tests: maybe(count('Packets that were run through the new programs.'), 'Null without `--test`.'),
  }),
  rollback: z.strictObject(applied),
  delete: z.strictObject({
    functions: z.array(z.string()).meta({ description: 'Functions that were removed.' }),
    chains: z.array(z.string()).meta({ description: 'Chains that were removed.' }),
    dryRun: flag('True when nothing was done.'),
    returnsAt: applied.returnsAt,
  }),
  reconcile: z.strictObject({
    ...plan,
    restored: z
      .array(z.string())
      .meta({ description: 'Functions loaded with `--persist` that were brought back.' }),
    problems: z
      .array(
        z
          .strictObject({
            function: text('The function.'),
            code: text('The code of the error.'),
            message: text('What went wrong.'),
          })
          .meta({ description: 'A function that could not be made as it was declared.' }),
      )
      .meta({ description: 'What could not be done.' }),
    dryRun: flag('True when nothing was done.'),
  }),
  snapshot: z.strictObject({
    saved: z
      .array(
        z
          .strictObject({
            function: text('The function.'),
            map: text('The map.'),
            entries: count('How many entries it had.'),
            bytes: count('The size of the file.'),
          })
          .meta({ description: 'A map whose contents were saved.' }),
      )
      .meta({ description: 'What was saved.' }),
  }),
} as const;
