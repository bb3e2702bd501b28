import { z } from 'zod';
import { chainDocument, functionDocument } from '../../cnf/manifest/schema.js';
import { valueDefinition, valueSchema } from '../../cnf/manifest/schema-parts.js';

/** The JSON Schema of a document of a manifest, for editors and other tools; netkit itself reads with zod. */
export function manifestSchema() {
  // Only now: schemas with a description of their own would have it too, and no two may have one.
  z.globalRegistry.add(valueSchema, { id: 'Value' });
  const { $schema, $defs, ...rest } = z.toJSONSchema(z.union([functionDocument, chainDocument]), {
    target: 'draft-2020-12',
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      if (!(zodSchema instanceof z.core.$ZodLazy)) return;
      const { description } = jsonSchema;
      for (const name of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, name);
      Object.assign(jsonSchema, {
        $ref: '#/$defs/Value',
        ...(description === undefined ? {} : { description }),
      });
    },
  });
  return {
    $schema,
    $id: 'urn:netkit:schema:manifest',
    title: 'netkit manifest',
    description: 'A document of a manifest: a function, or a chain of functions on one interface.',
    ...rest,
    $defs: { ...$defs, Value: valueDefinition },
  };
}
