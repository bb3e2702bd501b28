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
  'map update': z.strictObject({
    map: mapName,
    key: decoded('The key.'),
    value: decoded('The value.'),
    when: z.enum(['any', 'noexist', 'exist']).meta({ description: 'On what condition it is written.' }),
    ...change,
  }),
  'map delete': z.strictObject({
    map: mapName,
    key: decoded('The key.'),
    deleted: flag('False when the key was not there.'),
    ...change,
  }),
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
