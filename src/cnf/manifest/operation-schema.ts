/** How a declared function is watched: metrics and health. */
import * as z from 'zod/mini';
import {
  duration,
  field,
  lastingDuration,
  listOf,
  matching,
  maybe,
  oneOf,
  text,
  valueSchema,
} from './schema-parts.js';

export const metric = z.strictObject(
  {
    map: field(text('the name of a map'), 'The map that has the numbers.'),
    name: field(
      matching(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, 'the name of a Prometheus metric'),
      'The name of the metric, as Prometheus has it.',
    ),
    type: field(
      oneOf(['counter', 'gauge'], 'one of the types'),
      'A `counter` only grows; a `gauge` goes up and down.',
    ),
    labels: maybe(
      listOf(
        matching(/^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/, 'the name of a Prometheus label'),
        'a list of names of labels',
      ),
      "Names for the members of the map's key, in their order: each entry becomes a time series.",
    ),
    field: maybe(
      text('the path of a member'),
      'The member of the value that is the number, such as `packets` or `seen.bytes`, where the value is a struct.',
    ),
    help: maybe(text('a sentence'), 'What the metric counts, in a sentence.'),
  },
  'a metric (a mapping)',
);

const comparisons = ['==', '!=', '<', '<=', '>', '>='] as const;

const probe = z.union(
  [
    z.strictObject({
      map: field(text('the name of a map'), 'The map to look into.'),
      key: field(valueSchema, 'The key of the entry to look at.'),
      field: maybe(
        text('the path of a member'),
        'The member of the value to compare, where the value is a struct.',
      ),
      op: field(
        oneOf(comparisons, 'a comparison'),
        'How it must compare with `value` for the function to be healthy.',
      ),
      value: field(valueSchema, 'What to compare with.'),
    }),
    z.strictObject({
      command: field(
        listOf(z.string('an argument (text)'), 'a list of a program and its arguments').check(
          z.minLength(1, 'a list of a program and its arguments'),
        ),
        'A program and its arguments; the function is healthy when its exit status is 0. No shell is involved. A relative path with a slash, and the directory that it is started in, go by the folder of the manifest. What it leaves running in its process group is killed.',
      ),
      timeout: maybe(lastingDuration, 'How long it may run; it has failed when it takes longer.'),
    }),
  ],
  "a probe: either of a 'map' or with a 'command'",
);

export const health = z.strictObject(
  {
    probe: maybe(probe, 'What tells whether the function is healthy: a value in a map, or a command.'),
    settle: maybe(
      duration,
      'How long a new generation is watched after it has taken over; it returns by itself when it fails meanwhile.',
    ),
    interval: maybe(lastingDuration, 'The time from one probe to the next.'),
  },
  'a health check (a mapping)',
);

export type Metric = z.infer<typeof metric>;
export type Health = z.infer<typeof health>;
export type Probe = z.infer<typeof probe>;
