/** The fields of manifests, out of their JSON Schema, and the tables of docs/manifest.md. */
import { manifestExamples } from './manifest-examples.js';
import { manifestSchema } from './manifest-schema.js';

type Schema = Readonly<Record<string, unknown>>;

export interface ManifestField {
  /** `spec.attach[].priority`; `MAP` stands for a name. */
  readonly path: string;
  readonly schema: Schema;
  readonly required: boolean;
  readonly description: string;
}

/** All fields of functions, or of chains, in the order of the schema; alternatives one behind the other. */
export function manifestFields(kind: 'NetworkFunction' | 'Chain'): ManifestField[] {
  const [functions = {}, chains = {}] = alternativesOf(manifestSchema());
  const found = new Map<string, ManifestField>();
  for (const field of fieldsIn(kind === 'Chain' ? chains : functions, ''))
    if (!found.has(field.path)) found.set(field.path, field);
  return [...found.values()];
}

const markers = ['<!-- fields: made by `npm run generate` -->\n', '<!-- end of fields -->'] as const;

/** The page with its tables renewed. */
export function manifestPage(page: string): string {
  const [before, rest] = page.split(markers[0]);
  const [, after] = rest?.split(markers[1]) ?? [];
  if (before === undefined || after === undefined)
    throw new Error(`docs/manifest.md has no place for its tables, between ${markers.join('and ')}`);
  return `${before}${markers[0]}\n${manifestTables()}\n${markers[1]}${after}`;
}

/** The tables between the markers of docs/manifest.md. */
function manifestTables(): string {
  const functions = manifestFields('NetworkFunction');
  const chains = manifestFields('Chain').filter(({ path }) => path.startsWith('spec.'));
  const below = (fields: readonly ManifestField[], start: string) =>
    fields.filter(({ path }) => path.startsWith(start) && /^\w+$/.test(path.slice(start.length)));
  const deep = (fields: readonly ManifestField[], start: string) =>
    fields.filter(({ path }) => path.startsWith(start));
  const sections: [title: string, fields: ManifestField[], cut: string][] = [
    ['Every document', below(functions, '').map(kindOfBoth), ''],
    ['`metadata`', below(functions, 'metadata.'), 'metadata.'],
    ['`spec` of a function', below(functions, 'spec.'), 'spec.'],
    ['`spec.program`', below(functions, 'spec.program.'), 'spec.program.'],
    ['`spec.maps`, each map', deep(functions, 'spec.maps.MAP.'), 'spec.maps.MAP.'],
    ['`spec.attach`, each attachment', deep(functions, 'spec.attach[].'), 'spec.attach[].'],
    ['`spec.metrics`, each metric', below(functions, 'spec.metrics[].'), 'spec.metrics[].'],
    ['`spec.health`', deep(functions, 'spec.health.'), 'spec.health.'],
    ['`spec` of a chain', chains, 'spec.'],
  ];
  return sections.map(([title, fields, cut]) => tableOf(title, fields, cut)).join('\n');
}

/** The one field in which the two kinds differ. */
function kindOfBoth(field: ManifestField): ManifestField {
  if (field.path !== 'kind') return field;
  const description = 'What is declared: a function, or a chain of several on one interface.';
  return { ...field, schema: { enum: ['NetworkFunction', 'Chain'] }, description };
}

function tableOf(title: string, fields: readonly ManifestField[], cut: string): string {
  const rows = fields.map(({ path, schema, required, description }) => {
    const name = `\`${path.slice(cut.length)}\`${required ? ' *' : ''}`;
    const cells = [name, takes(schema), description, `\`${manifestExamples[path] ?? ''}\``];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [`### ${title}`, '', '| field | takes | meaning | example |', '|---|---|---|---|', ...rows, ''].join(
    '\n',
  );
}

function* fieldsIn(schema: Schema, path: string): Generator<ManifestField> {
  for (const option of alternativesOf(schema)) yield* fieldsIn(option, path);
  const required = Array.isArray(schema.required) ? schema.required : [];
  for (const [name, member] of Object.entries(recordOf(schema.properties))) {
    const inner = recordOf(member);
    const place = path === '' ? name : `${path}.${name}`;
    yield {
      path: place,
      schema: inner,
      required: required.includes(name),
      description: typeof inner.description === 'string' ? inner.description : '',
    };
    yield* fieldsIn(inner, place);
  }
  yield* fieldsInside(schema, path);
}

function* fieldsInside(schema: Schema, path: string): Generator<ManifestField> {
  if (isRecord(schema.items)) yield* fieldsIn(schema.items, `${path}[]`);
  if (isRecord(schema.additionalProperties)) yield* fieldsIn(schema.additionalProperties, `${path}.MAP`);
}

/** In words, what a field takes. */
function takes(schema: Schema): string {
  if (typeof schema.$ref === 'string') return 'a value';
  if ('const' in schema) return `\`${String(schema.const)}\``;
  if (Array.isArray(schema.enum))
    return schema.enum.length > 8
      ? 'the name of a hook'
      : schema.enum.map((each) => `\`${each}\``).join(', ');
  const options = alternativesOf(schema);
  if (options.length > 0) return [...new Set(options.map(takes))].join(', or ');
  switch (schema.type) {
    case 'array':
      return `a list of ${takes(recordOf(schema.items)).replace(/^a mapping$/, 'mappings')}`;
    case 'object':
      return `a mapping${insideOf(schema)}`;
    case 'integer':
      return `a whole number from ${schema.minimum} to ${schema.maximum}`;
    case 'boolean':
      return '`true`, `false`';
    default:
      return String(schema.pattern).endsWith('(ms|s|m|h)$') ? 'a duration' : 'text';
  }
}

/** What stands under the names of a mapping that are not laid down. */
function insideOf({ properties, additionalProperties }: Schema): string {
  if (properties !== undefined || !isRecord(additionalProperties)) return '';
  return Object.keys(additionalProperties).length === 0
    ? ''
    : ` of ${takes(additionalProperties)
        .replace(/^a mapping$/, 'mappings')
        .replace(/^a value$/, 'values')}`;
}

function alternativesOf(schema: Schema): readonly Schema[] {
  return Array.isArray(schema.anyOf) ? schema.anyOf.map(recordOf) : [];
}

function recordOf(value: unknown): Schema {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
