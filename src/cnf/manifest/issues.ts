/** From what zod says of a document to sentences for who wrote it. */
import * as z from 'zod/mini';
import { closest, suggestion } from '../../base/suggest.js';
import type { Step } from './path-text.js';
import { isRecord } from './schema-parts.js';
import {
  alternatives,
  childrenOf,
  fieldsOf,
  marksOf,
  meantBy,
  optionsOf,
  type Schema,
} from './schema-walk.js';

/** A mistake at a place of a document. */
export interface Mistake {
  readonly path: readonly Step[];
  /** Whether the key is wrong, not what it has. */
  readonly atKey: boolean;
  readonly message: string;
  readonly expected: string | null;
}

type Issue = z.core.$ZodIssue;

/**
 * Checks data against a schema.
 * @returns the data as the schema has it, or all mistakes, each once, in the order of the schema
 */
export function check<S extends Schema>(
  schema: S,
  data: unknown,
): { readonly value: z.output<S> } | { readonly mistakes: readonly Mistake[] } {
  const result = z.safeParse(schema, data);
  if (result.success) return { value: result.data };
  const mistakes = result.error.issues.flatMap((issue) => mistakesIn(issue, alternatives(schema), data, []));
  const seen = new Set<string>();
  return {
    mistakes: mistakes.filter(({ path, message }) => {
      const text = JSON.stringify([path, message]);
      return !seen.has(text) && seen.add(text);
    }),
  };
}

/** @param above the path of `schemas` and `data`, which the path of the issue begins at */
function mistakesIn(
  issue: Issue,
  schemas: readonly Schema[],
  data: unknown,
  above: readonly Step[],
): Mistake[] {
  const below = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  const path = [...above, ...below];
  const value = valueAt(data, below);
  if (issue.code === 'unrecognized_keys') {
    const options = below.reduce(childrenOf, schemas);
    return issue.keys.map((key) => unknownField(key, options, value, path));
  }
  if (issue.code === 'invalid_union') {
    return fromUnion(issue, optionsOf(below.reduce(childrenOf, schemas)), value, path);
  }
  if (issue.code === 'invalid_key') {
    const expected = issue.issues[0]?.message ?? issue.message;
    return [{ path, atKey: true, expected, message: `expected ${expected}, not ${shown(path.at(-1))}` }];
  }
  if (issue.code === 'custom' && issue.params?.['sentence'] === true)
    return [{ path, atKey: true, expected: null, message: issue.message }];
  if (issue.code === 'too_big' && typeof value === 'object' && value !== null) {
    const expected = issue.message;
    return [
      { path, atKey: false, expected, message: `expected ${expected}, not ${Object.keys(value).length}` },
    ];
  }
  if (issue.code !== 'invalid_value' || typeof value !== 'string')
    return [unexpected(issue.message, value, path)];
  const near = issue.values.length === 1 ? undefined : closest(value, issue.values.map(String));
  const mistake = unexpected(issue.message, value, path);
  return [
    near === undefined ? mistake : { ...mistake, message: `${mistake.message}: did you mean '${near}'?` },
  ];
}

function fromUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  options: readonly Schema[],
  value: unknown,
  path: readonly Step[],
): Mistake[] {
  const meant = meantBy(options, value);
  // Unions are not nested in each other without something between, so that the alternatives are those of this one.
  const errors = meant === undefined ? undefined : issue.errors[options.indexOf(meant)];
  if (meant !== undefined && errors !== undefined) {
    return errors.flatMap((each) =>
      each.code === 'unrecognized_keys' && each.path.length === 0
        ? each.keys.map((key) => unknownField(key, options, value, path))
        : mistakesIn(each, [meant], value, path),
    );
  }
  if (!isRecord(value)) return [unexpected(issue.message, value, path)];
  const undecided = { path, atKey: false, expected: issue.message, message: `expected ${issue.message}` };
  const known = new Set(options.flatMap(fieldsOf));
  const unknown = Object.keys(value).filter((name) => !known.has(name));
  if (known.size === 0 || unknown.length === 0) return [undecided];
  const slips = unknown.map((key) => unknownField(key, options, value, path));
  // Where nothing tells which alternative is meant, the slip may be in what would; where several are, it is none of them.
  const isOfSeveral = options.some((option) =>
    marksOf(option, options).some((mark) => Object.hasOwn(value, mark)),
  );
  return isOfSeveral ? [undecided, ...slips] : slips;
}

function unknownField(
  key: string,
  options: readonly Schema[],
  value: unknown,
  path: readonly Step[],
): Mistake {
  const at = { path: [...path, key], atKey: true, expected: null };
  const meant = meantBy(options, value);
  const known = new Set((meant === undefined ? options : [meant]).flatMap(fieldsOf));
  if (options.some((option) => fieldsOf(option).includes(key))) {
    const other = options
      .filter((option) => !fieldsOf(option).includes(key))
      .flatMap((option) => marksOf(option, options))
      .find((mark) => isRecord(value) && Object.hasOwn(value, mark));
    return { ...at, message: `'${key}' does not go with '${other ?? 'the other fields'}'` };
  }
  const hint = suggestion(key, known);
  return { ...at, message: `unknown field${hint === undefined ? '' : `: ${hint}`}` };
}

function unexpected(expected: string, value: unknown, path: readonly Step[]): Mistake {
  const message =
    value === undefined ? `is missing: expected ${expected}` : `expected ${expected}, not ${shown(value)}`;
  return { path, atKey: false, expected, message };
}

function valueAt(data: unknown, path: readonly Step[]): unknown {
  return path.reduce<unknown>((at, step) => {
    if (Array.isArray(at)) return at[Number(step)];
    return isRecord(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  }, data);
}

/** A value as a message has it. */
function shown(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return String(value);
  const text = JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value).slice(1, -1);
  return value === '' ? 'an empty text' : `'${text.replaceAll('\\"', '"')}'`;
}
