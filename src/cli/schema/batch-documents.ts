import { z } from 'zod';
import { errorTable } from '../../base/errors.js';
import { maybe, text } from './shapes.js';

/** They stay, or hold others: no line of a batch has their document. */
const notInBatch: ReadonlySet<string> = new Set(['map watch']);

/** Documents of `batch`, whose lines hold the documents of the other commands. */
export const batchDocuments = (others: Readonly<Record<string, z.ZodObject>>) => ({
  /** One for each command. */
  batch: z.strictObject({
    line: z.int().min(1).meta({ description: 'The line in which the command begins, from 1.' }),
    command: text('The command, as the line has it.'),
    status: z
      .int()
      .min(0)
      .meta({ description: 'The exit status that the command has by itself; 0 when it was done.' }),
    result: maybe(
      anyOf(others),
      'What the command prints by itself; null when it failed, and in a dry run for what depends on another line.',
    ),
    error: maybe(
      z.strictObject({
        code: z.enum(Object.keys(errorTable)).meta({ description: 'What kind of failure.' }),
        message: text('What failed, on what, and why.'),
        hint: maybe(z.string(), 'What to do about it.'),
        details: z.record(z.string(), z.unknown()).meta({ description: 'Facts that belong to the failure.' }),
      }),
      'Why it failed; null when it did not.',
    ),
  }),
});

function anyOf(others: Readonly<Record<string, z.ZodObject>>) {
  const version = z.literal(1).meta({ description: 'The version of this document; 1.' });
  const shapes = Object.entries(others).filter(([name]) => !notInBatch.has(name));
  return z.union(shapes.map(([, { shape }]) => z.strictObject({ ...shape, schemaVersion: version })));
}
