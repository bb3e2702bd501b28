/** Finding one's way in a schema along with a document: which schemas may be meant at a place. */
import * as z from 'zod/mini';
import { isRecord } from './schema-parts.js';

// Only a type: zod's core as a value would bring all of it into the command line.
export type Schema = z.core.$ZodType;

/** The schemas that a value may be meant for: the alternatives of unions one by one, nothing wrapped. */
export function alternatives(schema: Schema): readonly Schema[] {
  if (schema instanceof z.ZodMiniOptional) return alternatives(schema._zod.def.innerType);
  if (schema instanceof z.ZodMiniUnion) return schema._zod.def.options.flatMap(alternatives);
  return [schema];
}

/** What a member of a mapping, or an element of a list, may be meant for. */
export function childrenOf(schemas: readonly Schema[], step: string | number): readonly Schema[] {
  return schemas.flatMap((schema) => {
    if (isValue(schema)) return [schema];
    if (typeof step === 'number')
      return schema instanceof z.ZodMiniArray ? alternatives(schema._zod.def.element) : [];
    if (schema instanceof z.ZodMiniRecord) return alternatives(schema._zod.def.valueType);
    const member = isObjectSchema(schema) ? memberOf(schema, step) : undefined;
    return member === undefined ? [] : alternatives(member);
  });
}

/** Whether the text of a scalar counts, not what YAML takes it for. */
export function takesText(schemas: readonly Schema[]): boolean {
  return schemas.some((schema) => {
    // Their JSON Schema takes other scalars too, which have become their text before zod sees them.
    return isValue(schema) || Array.isArray(z.globalRegistry.get(schema)?.['type']);
  });
}

/** `Value` is the one schema that has itself in it, and stays one thing on the way. */
function isValue(schema: Schema): schema is z.ZodMiniLazy {
  return schema instanceof z.ZodMiniLazy;
}

/** Whether no schema knows what numbers are for there. */
export function takesAnything(schemas: readonly Schema[]): boolean {
  return schemas.length > 0 && schemas.every((schema) => schema instanceof z.ZodMiniUnknown);
}

export function fieldsOf(schema: Schema): readonly string[] {
  return isObjectSchema(schema) ? Object.keys(schema._zod.def.shape) : [];
}

/** What a schema's issues are about: of `Value`, its alternatives. */
export function optionsOf(schemas: readonly Schema[]): readonly Schema[] {
  return schemas.flatMap((schema) => (isValue(schema) ? alternatives(schema._zod.def.getter()) : [schema]));
}

/** The one alternative that a value is most likely meant to be; undefined when several are, or none. */
export function meantBy(options: readonly Schema[], value: unknown): Schema | undefined {
  const ofKind = options.filter((option) => kindOf(option) === kindOfValue(value));
  if (ofKind.length < 2 || !isRecord(value)) return ofKind.length === 1 ? ofKind[0] : undefined;
  const marked = ofKind.filter((option) =>
    marksOf(option, ofKind).some((mark) => Object.hasOwn(value, mark)),
  );
  return marked.length === 1 ? marked[0] : undefined;
}

/** The fields that an alternative must have and no other one knows. */
export function marksOf(option: Schema, all: readonly Schema[]): readonly string[] {
  if (!isObjectSchema(option)) return [];
  return Object.entries(option._zod.def.shape)
    .filter(([name, member]) => {
      const isElsewhere = all.some((other) => other !== option && fieldsOf(other).includes(name));
      return !(member instanceof z.ZodMiniOptional) && !isElsewhere;
    })
    .map(([name]) => name);
}

type Kind = 'mapping' | 'list' | 'scalar';

function kindOf(schema: Schema): Kind {
  if (isObjectSchema(schema) || schema instanceof z.ZodMiniRecord) return 'mapping';
  return schema instanceof z.ZodMiniArray ? 'list' : 'scalar';
}

function kindOfValue(value: unknown): Kind | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object' ? 'mapping' : 'scalar';
}

function isObjectSchema(schema: Schema): schema is z.ZodMiniObject {
  return schema instanceof z.ZodMiniObject;
}

function memberOf(schema: z.ZodMiniObject, name: string): Schema | undefined {
  const { shape } = schema._zod.def;
  return Object.hasOwn(shape, name) ? shape[name] : undefined;
}
