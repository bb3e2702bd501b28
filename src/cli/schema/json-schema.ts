import { z } from 'zod';
import { errorTable } from '../../base/errors.js';
import { commands } from '../table/index.js';
import { documents } from './documents.js';

/** Every JSON Schema (2020-12) that ships with netkit, by its file name. */
export function jsonSchemas(): Map<string, object> {
  const schemas = new Map<string, object>();
  for (const { name, summary } of commands) {
    const file = `${name.replaceAll(' ', '-')}.schema.json`;
    const shape = z.strictObject({ schemaVersion, ...documents[name].shape });
    schemas.set(
      file,
      schemaOf(file, `netkit ${name} --json`, `What this command prints: ${summary}.`, shape, {
        // It holds the documents of all others, whose parts would stand in it many times.
        reused: name === 'batch' ? 'ref' : 'inline',
      }),
    );
  }
  const file = 'error.schema.json';
  schemas.set(
    file,
    schemaOf(file, 'netkit --json, on failure', 'What a failed command prints on standard error.', failure),
  );
  return schemas;
}

const schemaVersion = z.literal(1).meta({ description: 'The version of this document; 1.' });

const codes = Object.keys(errorTable);
const failure = z.strictObject({
  error: z
    .strictObject({
      code: z.enum(codes).meta({ description: 'What kind of failure; each has one exit status.' }),
      message: z.string().meta({ description: 'What failed, on what, and why.' }),
      hint: z.string().nullable().meta({ description: 'What to do about it.' }),
      details: z
        .record(z.string(), z.unknown())
        .meta({ description: 'Facts that belong to the failure, such as the log of the verifier.' }),
    })
    .meta({ description: 'The failure.' }),
  schemaVersion,
});

function schemaOf(
  file: string,
  title: string,
  description: string,
  shape: z.ZodType,
  { reused = 'inline' }: { readonly reused?: 'ref' | 'inline' } = {},
): object {
  const { $schema, ...rest } = z.toJSONSchema(shape, { target: 'draft-2020-12', io: 'output', reused });
  return {
    $schema,
    $id: `urn:netkit:schema:${file.replace(/\.schema\.json$/, '')}`,
    title,
    description,
    ...rest,
  };
}
