import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.js';
import { documents } from '../../../src/cli/schema/documents.js';
import { jsonSchemas } from '../../../src/cli/schema/json-schema.js';
import { manifestSchema } from '../../../src/cli/schema/manifest-schema.js';
import { commands } from '../../../src/cli/table/index.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { FakeIo } from './fake-io.js';

const folder = join(packageRoot(), 'schemas');
const schemas = jsonSchemas();

function validator(file: string) {
  const schema = schemas.get(file);
  if (schema === undefined) throw new Error(`no schema ${file}`);
  return new Ajv2020({ strict: true, allowUnionTypes: true, formats: { 'date-time': true } }).compile(schema);
}

/** Every object schema inside `schema`, with where it is. */
function* objectsIn(schema: unknown, path = '#'): Generator<[string, Record<string, unknown>]> {
  if (typeof schema !== 'object' || schema === null) return;
  const record = Object.fromEntries(Object.entries(schema));
  if (!Array.isArray(schema) && 'properties' in record) yield [path, record];
  for (const [name, part] of Object.entries(record)) yield* objectsIn(part, `${path}/${name}`);
}

/** The description of a field, also where the field shares its schema with others. */
function described(root: unknown, field: { description?: unknown; $ref?: string }): unknown {
  if (field.$ref === undefined) return field.description;
  const names = field.$ref.replace('#/', '').split('/');
  return Object(names.reduce((at, name) => Object(at)[name], root)).description;
}

describe('the JSON schemas', () => {
  it('are one for every command, and one for errors', () => {
    const files = commands.map(({ name }) => `${name.replaceAll(' ', '-')}.schema.json`);
    expect([...schemas.keys()].sort()).toEqual([...files, 'error.schema.json'].sort());
    expect(Object.keys(documents).sort()).toEqual(commands.map(({ name }) => name).sort());
  });

  it('ship as they are defined', () => {
    const all = new Map<string, object>([...schemas, ['manifest.schema.json', manifestSchema()]]);
    expect(readdirSync(folder).sort()).toEqual([...all.keys()].sort());
    for (const [file, schema] of all) {
      expect(JSON.parse(readFileSync(join(folder, file), 'utf8')), file).toEqual(
        JSON.parse(JSON.stringify(schema)),
      );
    }
  });

  it.each([...schemas.keys()])('%s compiles, is closed, requires every field and explains it', (file) => {
    validator(file);
    const objects = [...objectsIn(schemas.get(file))];
    expect(objects.length).toBeGreaterThan(0);
    for (const [path, { properties, required, additionalProperties }] of objects) {
      expect(additionalProperties, path).toBe(false);
      const names = Object.keys(Object(properties));
      expect(required, path).toEqual(names);
      for (const name of names)
        expect(described(schemas.get(file), Object(properties)[name]), `${path}/${name}`).toBeTypeOf(
          'string',
        );
    }
  });

  it.each([
    ['version.schema.json', ['version', '--json']],
    ['completion.schema.json', ['completion', 'fish', '--json']],
  ])('%s fits what the command prints, and no document that lacks or adds a field', async (file, argv) => {
    const io = new FakeIo();
    expect(await main(argv, io)).toBe(0);
    expectClosed(file, JSON.parse(io.out));
  });

  it('error.schema.json fits what a failed command prints, and no document that lacks or adds a field', async () => {
    const io = new FakeIo();
    expect(await main(['nonsense', '--json'], io)).toBe(2);
    const document = JSON.parse(io.err);
    expectClosed('error.schema.json', document);
    expectClosed('error.schema.json', document, 'error');
  });
});

/** Expects the schema to take `document`, and to refuse it without any one of its fields (or of those of `member`). */
function expectClosed(file: string, document: Record<string, unknown>, member?: string): void {
  const validate = validator(file);
  const whole = (part: unknown) => (member === undefined ? part : { ...document, [member]: part });
  const part = Object(member === undefined ? document : document[member]);
  expect(validate(whole(part)), JSON.stringify(validate.errors)).toBe(true);
  expect(validate(whole({ ...part, more: 1 }))).toBe(false);
  for (const name of Object.keys(part)) {
    const { [name]: _, ...rest } = part;
    expect(validate(whole(rest)), `without ${name}`).toBe(false);
  }
}
