// Writes, into the page of each built-in function, what its configuration may hold. With --check it only says what is out of date.
import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { functionKinds } from '../src/functions/index.js';
import { writeGenerated } from './written-files.js';

type JsonSchema = z.core.JSONSchema.BaseSchema;

const files = new Map<string, string>();
for (const { name, configuration } of functionKinds) {
  const path = `docs/${name}.md`;
  const { schema } = await configuration();
  files.set(path, withTable(path, readFileSync(path, 'utf8'), schema));
}
writeGenerated(files, { folder: 'docs', suffix: '.generated' });

function withTable(path: string, page: string, schema: z.ZodMiniType): string {
  const [start, end] = ['<!-- configuration, made by npm run generate -->\n', '<!-- end of it -->\n'];
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} has no place for the configuration: ${start}${end}`);
  const json = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
  const rows = Object.entries(json.properties ?? {}).map(([field, found]) => {
    if (typeof found === 'boolean') throw new Error(`${field} of ${path} is not described`);
    return `| \`${field}\` | ${kind(found)} | ${found.description ?? ''} |\n`;
  });
  const table = `| field | is | meaning |\n|---|---|---|\n${rows.join('')}`;
  const block = `\`\`\`json\n${JSON.stringify(json, null, 2)}\n\`\`\`\n`;
  const summary = '<summary>The same as a JSON Schema</summary>';
  const generated = `\n${table}\n<details>${summary}\n\n${block}\n</details>\n`;
  return page.slice(0, from + start.length) + generated + page.slice(to);
}

function kind({ enum: words, type, minimum, maximum }: JsonSchema): string {
  if (words !== undefined) return words.map((word) => `\`${String(word)}\``).join(' or ');
  if (type === 'integer') return `whole number, ${minimum} to ${maximum}`;
  return type === 'array' ? 'list of texts' : String(type);
}
