// Writes schemas/ from the definitions in src/cli/schema. With --check it only says what is out of date.
import { jsonSchemas } from '../src/cli/schema/json-schema.js';
import { manifestSchema } from '../src/cli/schema/manifest-schema.js';
import { writeGenerated } from './written-files.js';

const files = new Map<string, string>();
for (const [file, schema] of [...jsonSchemas(), ['manifest.schema.json', manifestSchema()] as const])
  files.set(`schemas/${file}`, `${JSON.stringify(schema, null, 2)}\n`);
writeGenerated(files, { folder: 'schemas', suffix: '.schema.json' });
