/** What the schemas of manifests are made of: plain fields, and rules between the fields of one object. */
import * as z from 'zod/mini';

/** An entry's key or value, a global, as it is written in the file: numbers keep their digits, `010` its zero. */
export type Value = string | readonly Value[] | { readonly [name: string]: Value };

type Field = z.ZodMiniType;

/** The schema with the sentences that the JSON Schema and the documentation have about the field. */
export function field<S extends Field>(schema: S, description: string): S {
  return schema.check(z.meta({ description }));
}

/** A field that may be left out. */
export function maybe<S extends Field>(schema: S, description: string): z.ZodMiniOptional<S> {
  return z.optional(field(schema, description));
}

/** Text that is not empty. */
export function text(expected: string): z.ZodMiniString {
  return z.string(expected).check(z.regex(/^[^\0]+$/, expected));
}

export function matching(pattern: RegExp, expected: string): z.ZodMiniString {
  return z.string(expected).check(z.regex(pattern, expected));
}

export function whole(least: number, most: number): z.ZodMiniNumberFormat {
  const expected = `a whole number from ${least} to ${most}`;
  return z.int(expected).check(z.gte(least, expected), z.lte(most, expected));
}

export function oneOf<const W extends readonly string[]>(words: W, kind: string) {
  return z.enum(words, words.length > 8 ? kind : `${kind}: ${words.join(', ')}`);
}

export function flag(): z.ZodMiniBoolean {
  return z.boolean('true or false');
}

export function listOf<S extends Field>(element: S, expected: string): z.ZodMiniArray<S> {
  return z.array(element, expected);
}

/** Any names, each with a value of one kind. */
export function namedBy<S extends Field>(name: z.ZodMiniString, value: S, expected: string) {
  return z.record(name, value, expected);
}

/** Scalars whose text counts, not what YAML takes it for. */
const scalars = ['string', 'number', 'boolean'];

/** Text as it is written in the file, in quotes or not: `1.10` and `yes` are taken letter by letter. */
export function written(expected = 'text'): z.ZodMiniString {
  return z.string(expected).check(z.meta({ type: scalars }));
}

/** The only schema that has itself in it. Its JSON Schema is {@link valueDefinition}. */
export const valueSchema: z.ZodMiniType<Value> = z.lazy(
  (): z.ZodMiniType<Value> =>
    z.union([z.string(), z.array(valueSchema), z.record(z.string(), valueSchema)], 'a value'),
);

/** What a {@link Value} is in a file, where scalars have types. */
export const valueDefinition = {
  description:
    'A value as it is written in the file: a scalar, whose text is read by the type that it is for, or a list or mapping of such.',
  anyOf: [
    { type: scalars },
    { type: 'array', items: { $ref: '#/$defs/Value' } },
    { type: 'object', additionalProperties: { $ref: '#/$defs/Value' } },
  ],
};

/** `5s`: a whole number with one of the units that src/base/duration.ts knows. */
export const duration = matching(/^\d{1,9}(ms|s|m|h)$/, "a duration such as '5s', '500ms' or '2m'");
/** One that is above nothing. */
export const lastingDuration = matching(
  /^(?!0+\D)\d{1,9}(ms|s|m|h)$/,
  "a duration above zero, such as '5s', '500ms' or '2m'",
);

export const path = text('the path of a file');
export const reference = text('a reference, such as FUNCTION/NAME, id:N, name:TEXT or the path of a pin');
const ifnameExpected = 'the name of an interface (15 characters at most)';
export const interfaceName = matching(/^(?!\.{1,2}$)[^\s/:\0*?[\]]{1,15}$/u, ifnameExpected);
/** A name, or a pattern, which a name is never taken for: the kernel takes `*`, but nobody calls an interface that. */
export const interfacePattern = matching(
  /^(?!\.{1,2}$)([^\s/:\0*?[\]]{1,15}|(?=[^*?[]*[*?[])[^\s/:\0]{1,64})$/u,
  `${ifnameExpected} or a pattern such as 'veth*'`,
);

/** What must hold between the fields of one object; `json` says the same in JSON Schema. */
export interface Rule {
  /** The field to point at and what is wrong; undefined when nothing is. */
  readonly broken: (object: Readonly<Record<string, unknown>>) => Broken | undefined;
  readonly json: object;
}

export interface Broken {
  /** Below the object; the object itself when it is empty. */
  readonly path: readonly (string | number)[];
  /** The whole sentence; or what was expected there. */
  readonly message: string;
  /** Whether it is the latter, so that it is the value that is wrong. */
  readonly isExpectation?: boolean;
}

/** The object with rules that are checked also when some of its fields are wrong by themselves. */
export function ruled<S extends Field>(schema: S, ...rules: readonly Rule[]): S {
  const check = z.check<unknown>(
    (payload) => {
      const { value } = payload;
      if (!isRecord(value)) return;
      for (const rule of rules) {
        const found = rule.broken(value);
        if (found !== undefined) {
          const { path: at, message, isExpectation = false } = found;
          payload.issues.push({
            code: 'custom',
            path: [...at],
            message,
            input: value,
            params: { sentence: !isExpectation },
            continue: true,
          });
        }
      }
    },
    { when: () => true },
  );
  return schema.check(check, z.meta({ allOf: rules.map(({ json }) => json) }));
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const has = (object: Readonly<Record<string, unknown>>, name: string): boolean => object[name] !== undefined;
const required = (name: string) => ({ required: [name] });

/** Not both of them. */
export function excludes(one: string, other: string): Rule {
  return {
    broken: (object) =>
      has(object, one) && has(object, other)
        ? { path: [other], message: `'${one}' and '${other}' exclude each other` }
        : undefined,
    json: { not: { required: [one, other] } },
  };
}

/** At least one of them. */
export function needsOneOf(...names: readonly string[]): Rule {
  return {
    broken: (object) =>
      names.some((name) => has(object, name))
        ? undefined
        : { path: [], message: `needs one of ${names.map((name) => `'${name}'`).join(', ')}` },
    json: { anyOf: names.map(required) },
  };
}
