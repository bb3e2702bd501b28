import { z } from 'zod';
import { map } from './shapes.js';

/** Documents of the commands on maps as a whole. */
export const mapDocuments = {
  'map list': z.strictObject({
    maps: z.array(map).meta({ description: 'The maps.' }),
  }),
  'map show': z.strictObject({ map }),
} as const;
