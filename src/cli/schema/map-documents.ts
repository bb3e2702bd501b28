import { z } from 'zod';
import { mapAbilities } from '../map-abilities.js';
import { change, flag, map, mapName, maybe, text } from './shapes.js';

const pin = text('The path of the pin.');

/** Documents of the commands on maps as a whole. */
export const mapDocuments = {
  'map list': z.strictObject({
    maps: z.array(map).meta({ description: 'The maps.' }),
  }),
  'map show': z.strictObject({
    map,
    keyForm: maybe(z.string(), 'How a key is written; null when the map has no keys.'),
    valueForm: maybe(z.string(), 'How a value is written; null when the map has no values.'),
    operations: z
      .array(
        z.strictObject({
          name: z.enum(mapAbilities).meta({ description: 'The word after `netkit map`.' }),
          works: flag('Whether maps of this type have it.'),
          reason: maybe(z.string(), 'Why not.'),
        }),
      )
      .meta({ description: 'What can be done with its entries or records.' }),
  }),
  'map create': z.strictObject({ map, ...change }),
  'map pin': z.strictObject({ map: mapName, pin, ...change }),
  'map freeze': z.strictObject({ map: mapName, ...change }),
} as const;
