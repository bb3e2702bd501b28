import { z } from 'zod';
import { change, count, decoded, flag, mapName, maybe } from './shapes.js';

/** Documents of the commands on single entries. */
export const entryDocuments = {
  'map get': z.strictObject({
    map: mapName,
    key: decoded('The key.'),
    value: decoded('The value; of a per-CPU map the sum, or null where there is none or --per-cpu is given.'),
    perCpu: perCpuValues(),
  }),
  'map lookup': z.strictObject({
    map: mapName,
    key: decoded('The key, or the value that a bloom filter was asked about.'),
    value: decoded('The value, as `map get` gives it; null for a bloom filter.'),
    perCpu: perCpuValues(),
    matched: decoded(
      'The key of the entry that answered: in a map of prefixes the longest match. Null where that cannot be told.',
    ),
    certain: flag(
      'False for a bloom filter: the value may be in it. That it is not ends with exit status 3.',
    ),
  }),
  'map update': z.strictObject({
    map: mapName,
    key: decoded('The key.'),
    value: decoded('The value.'),
    when: z
      .enum(['any', 'noexist', 'exist', 'lock'])
      .meta({ description: 'On what condition it is written; `lock`: any, under its spin lock.' }),
    ...change,
  }),
  'map delete': z.strictObject({
    map: mapName,
    key: decoded('The key.'),
    deleted: flag('False when the key was not there.'),
    ...change,
  }),
  'map push': z.strictObject({
    map: mapName,
    value: decoded('The value.'),
    evict: flag('Whether another value might have had to go for it.'),
    ...change,
  }),
  'map pop': z.strictObject({
    map: mapName,
    value: decoded('The value that was taken; null when there was none.'),
    ...change,
  }),
  'map peek': z.strictObject({ map: mapName, value: decoded('The next value.') }),
} as const;

export function perCpuValues() {
  return maybe(
    z.array(
      z.strictObject({
        cpu: count('The number of the CPU.'),
        value: decoded('Its value.'),
      }),
    ),
    'With --per-cpu: the value of each CPU.',
  );
}
