import { z } from 'zod';
import { count, decoded, maybe } from './shapes.js';

/** Documents of `map watch`: one for each record or change. */
export const watchDocuments = {
  'map watch': z.strictObject({
    event: z.enum(['record', 'lost', 'added', 'changed', 'removed']).meta({
      description:
        'record: a program wrote a record; lost: records found no room; added, changed, removed: what became of an entry.',
    }),
    cpu: maybe(count('The CPU.'), 'Of a perf event array: the CPU that wrote the record.'),
    key: decoded('The key of the entry; null for records.'),
    value: decoded(
      'The record, or the value that the entry has now; hex:… for bytes without a type or not of its size. Null for lost and removed.',
    ),
    before: decoded('The value that the entry had; null for records and new entries.'),
    lost: maybe(count('How many.'), 'Of lost: how many records were lost since the last such document.'),
  }),
} as const;
