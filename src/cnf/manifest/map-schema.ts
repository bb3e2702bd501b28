/** What is declared of a map. */
import * as z from 'zod/mini';
import {
  excludes,
  field,
  flag,
  listOf,
  maybe,
  namedBy,
  path,
  reference,
  ruled,
  valueSchema,
  whole,
} from './schema-parts.js';

/** More of them come from a file: a manifest is read by people. */
export const mostInlineEntries = 10_000;
const fewEntries = `at most ${mostInlineEntries} entries: more come from a file ('from: FILE')`;

const declaredEntries = z.union(
  [
    listOf(
      z.strictObject(
        {
          key: field(valueSchema, 'The key.'),
          value: field(valueSchema, 'The value. Members that are left out keep what they have.'),
        },
        'an entry: {key: …, value: …}',
      ),
      'a list of entries',
    ).check(z.maxLength(mostInlineEntries, fewEntries)),
    namedBy(z.string(), valueSchema, 'entries by key').check(
      atMost(mostInlineEntries, fewEntries),
      z.meta({ maxProperties: mostInlineEntries }),
    ),
  ],
  'entries: a mapping by key, or a list of {key, value}',
);

export const declaredMap = ruled(
  z.strictObject(
    {
      maxEntries: maybe(
        whole(1, 0xffffffff),
        'How many entries it has room for, in place of what the object says.',
      ),
      keep: maybe(
        flag(),
        'True: its contents are saved now and then, and come back after a reboot. False: it begins anew with each upgrade. Left out: an upgrade keeps its contents, or migrates them, and is refused where neither can be.',
      ),
      exact: maybe(
        flag(),
        'The map is to hold the declared entries and no others. Without it, what others added stays.',
      ),
      entries: maybe(
        declaredEntries,
        `The entries it is to have: a mapping by key, or a list of \`{key, value}\` where keys are structs. At most ${mostInlineEntries}.`,
      ),
      from: maybe(
        path,
        'A file with the entries it is to have: CSV, NDJSON, JSON or a snapshot, as `netkit map import` reads it.',
      ),
      reuse: maybe(reference, 'Use this map in place of a new one: it must have the same definition.'),
    },
    'a mapping with what is declared of the map',
  ),
  excludes('entries', 'from'),
  {
    broken: ({ exact, entries, from }) =>
      exact === true && entries === undefined && from === undefined
        ? { path: ['exact'], message: "'exact' needs 'entries' or 'from' beside it" }
        : undefined,
    json: {
      anyOf: [{ required: ['entries'] }, { required: ['from'] }, { properties: { exact: { const: false } } }],
    },
  },
);

export type DeclaredMap = z.infer<typeof declaredMap>;
export type InlineEntries = z.infer<typeof declaredEntries>;

/** For mappings, as `maxLength` is for lists. */
function atMost(most: number, expected: string) {
  return z.check<object>(({ value, issues }) => {
    if (Object.keys(value).length <= most) return;
    issues.push({
      code: 'too_big',
      origin: 'object',
      maximum: most,
      inclusive: true,
      input: value,
      message: expected,
    });
  });
}
