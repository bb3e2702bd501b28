import { z } from 'zod';
import { change, count, decoded, mapName, maybe, text } from './shapes.js';

const entry = z.strictObject({
  key: decoded('The key.'),
  value: decoded(
    'The value; of a per-CPU map the sum, or a list of one value a CPU where there is none or each is wanted.',
  ),
});

const format = z.enum(['json', 'ndjson', 'csv', 'snapshot']).meta({ description: 'The format of the file.' });

const differences = z
  .array(
    z.strictObject({
      kind: z.enum(['added', 'removed', 'changed']).meta({
        description: 'added: only in the other; removed: only in the map; changed: with other values.',
      }),
      key: decoded('The key.'),
      from: decoded('The value in the map; null when it has none.'),
      to: decoded('The other value; null when there is none.'),
    }),
  )
  .meta({ description: 'What differs.' });

const written = {
  entries: count('Entries read.'),
  written: count('Entries written: those that are new or differ, with --replace; all of them without.'),
  same: maybe(z.int().min(0), 'With --replace or --dry-run: entries that stand in the map as they are.'),
  removed: maybe(z.int().min(0), 'With --replace: entries removed from the map.'),
};

/** Documents of the commands on all entries at once. */
export const entryFileDocuments = {
  'map dump': z.strictObject({
    map: mapName,
    entries: z.array(entry).meta({ description: 'Every entry.' }),
  }),
  'map export': z.strictObject({
    map: mapName,
    file: text('The file.'),
    format,
    entries: count('How many entries it has.'),
    bytes: count('Its size.'),
  }),
  'map import': z.strictObject({
    map: mapName,
    file: text('The file.'),
    format,
    ...written,
    ...change,
    differences: maybe(differences, 'With --dry-run: every change.'),
  }),
  'map diff': z.strictObject({
    map: mapName,
    other: text('What it was compared with, as given.'),
    differences,
    added: count('How many entries only the other has.'),
    removed: count('How many entries only the map has.'),
    changed: count('How many entries have other values.'),
    same: count('How many entries are equal.'),
  }),
  'map copy': z.strictObject({
    from: mapName,
    map: mapName,
    ...written,
    ...change,
    differences: maybe(differences, 'With --dry-run: every change.'),
  }),
} as const;
