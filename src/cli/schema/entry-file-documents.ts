import { z } from 'zod';
import { perCpuValues } from './entry-documents.js';
import { decoded, mapName } from './shapes.js';

/** Documents of the commands on all entries at once. */
export const entryFileDocuments = {
  'map dump': z.strictObject({
    map: mapName,
    entries: z
      .array(
        z.strictObject({
          key: decoded('The key.'),
          value: decoded('The value, as `map get` gives it.'),
          perCpu: perCpuValues(),
        }),
      )
      .meta({ description: 'Every entry.' }),
  }),
} as const;
