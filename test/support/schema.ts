import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { CommandName } from '../../src/cli/table/index.js';
import { packageRoot } from '../../src/host/package-root.js';

type JsonObject = Record<string, unknown>;

/** Elements of an array whose fields are deleted one by one; the rest have the same shape. */
const elementsProbed = 3;
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const validators = new Map<string, { readonly schema: unknown; readonly validate: ValidateFunction }>();

/**
 * Fails unless `document` is what the shipped schema of a command (or `error`) describes, and unless that schema is
 * closed: without any one field, or with any further one, the document must no longer be valid.
 */
export function expectValid(command: CommandName | 'error', document: unknown): void {
  const { schema, validate } = validatorOf(command);
  if (!validate(document)) {
    throw new Error(
      `${command}: the document is not valid: ${JSON.stringify(validate.errors)}\n${JSON.stringify(document)}`,
    );
  }
  const copy: unknown = structuredClone(document);
  let fields = 0;
  for (const { object, path, isError } of closedObjects(schema, copy, '')) {
    for (const name of Object.keys(object)) {
      if (isError && name === 'details') continue;
      fields += 1;
      const value = object[name];
      Reflect.deleteProperty(object, name);
      if (validate(copy)) throw new Error(`${command}: the schema takes a document without ${path}.${name}`);
      object[name] = value;
    }
    object.somethingElse = 1;
    if (validate(copy))
      throw new Error(`${command}: the schema takes further fields in ${path || 'the document'}`);
    Reflect.deleteProperty(object, 'somethingElse');
  }
  if (fields === 0) throw new Error(`${command}: no field of the document was probed`);
}

function validatorOf(command: string): { readonly schema: unknown; readonly validate: ValidateFunction } {
  let found = validators.get(command);
  if (found === undefined) {
    const file = join(packageRoot(), 'schemas', `${command.replaceAll(' ', '-')}.schema.json`);
    const schema: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const ajv = new Ajv2020({ strict: true, allErrors: false, formats: { 'date-time': dateTime } });
    found = { schema, validate: ajv.compile(objectOf(schema)) };
    validators.set(command, found);
  }
  return found;
}

interface ClosedObject {
  readonly object: JsonObject;
  readonly path: string;
  readonly isError: boolean;
}

/** The objects in a document that the schema describes field by field: not what is decoded by a type of the user's. */
function* closedObjects(schema: unknown, value: unknown, path: string): Generator<ClosedObject> {
  const root = objectOf(schema);
  yield* walk(root, root, value, path);
}

function* walk(root: JsonObject, schema: unknown, value: unknown, path: string): Generator<ClosedObject> {
  const shape = resolved(root, schema, value);
  if (Array.isArray(value)) {
    for (const [index, item] of value.slice(0, elementsProbed).entries()) {
      yield* walk(root, shape.items, item, `${path}[${index}]`);
    }
  } else if (isObject(value) && isObject(shape.properties)) {
    yield { object: value, path, isError: path.endsWith('.error') };
    for (const [name, member] of Object.entries(value)) {
      yield* walk(root, shape.properties[name], member, `${path}.${name}`);
    }
  }
}

/** Follows `$ref`, and of alternatives takes the one that fits the value's kind. */
function resolved(root: JsonObject, schema: unknown, value: unknown): JsonObject {
  const shape = isObject(schema) ? schema : {};
  if (typeof shape.$ref === 'string') {
    const target = shape.$ref
      .replace(/^#\/?/, '')
      .split('/')
      .filter((part) => part !== '')
      .reduce<unknown>((at, part) => (isObject(at) ? at[part] : undefined), root);
    return resolved(root, target, value);
  }
  if (!Array.isArray(shape.anyOf)) return shape;
  const wanted = Array.isArray(value) ? 'array' : isObject(value) ? 'object' : typeof value;
  const alternatives = shape.anyOf.map((one) => resolved(root, one, value));
  return alternatives.find((one) => one.type === wanted) ?? {};
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOf(value: unknown): JsonObject {
  if (isObject(value)) return value;
  throw new TypeError('not an object');
}
