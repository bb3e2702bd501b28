import { z } from 'zod';
import { awaitsConfirmation, change, count, link, loadedFunction, maybe, text } from './shapes.js';

/** What becomes of a map when another object takes its function's place. */
export const mapFate = z.strictObject({
  name: text('Its name.'),
  type: text("The kernel's word for its type."),
  fate: z.enum(['kept', 'reused', 'migrated', 'refilled', 'new', 'gone']).meta({
    description:
      'kept: the same map. reused: one that was named. migrated: a new one with the entries of the old. refilled: a new table of programs. new: as the object has it. gone: the new object has none of the name.',
  }),
  reason: maybe(z.string(), 'Why, where that is not plain.'),
  entries: maybe(
    z.int().min(0),
    'Entries that were taken over before the swap; null where none were to be, or in a dry run.',
  ),
  carried: maybe(
    z.int().min(0),
    'Of a migrated map: entries that the old programs changed later, carried over after the swap.',
  ),
  mayBeLost: maybe(
    z.int().min(0),
    'Of a migrated map: entries that the old and the new programs changed both; what the old ones wrote is not there.',
  ),
});

/** Documents of the commands on hooks. */
export const hookDocuments = {
  replace: z.strictObject({
    function: loadedFunction,
    maps: z.array(mapFate).meta({ description: 'What became of each map.' }),
    links: z
      .array(
        z.strictObject({
          link,
          how: z.enum(['swap', 'overlap', 'gap']).meta({
            description: 'Whether both programs, or neither, ran for a moment; swap: neither of that.',
          }),
        }),
      )
      .meta({ description: 'The links that got the new programs.' }),
    tests: maybe(count('How many packets ran.'), 'The tests that passed; null without --test.'),
    ...awaitsConfirmation,
    ...change,
  }),
  'link update': z.strictObject({
    function: text('The function.'),
    links: z.array(link).meta({ description: 'What was meant, as it is now.' }),
    ...awaitsConfirmation,
    ...change,
  }),
} as const;
