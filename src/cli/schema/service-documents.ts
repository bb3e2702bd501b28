import { z } from 'zod';
import { change, flag, text } from './shapes.js';

const unit = z.strictObject({
  name: text('The name of the unit.'),
  path: text('Its file.'),
});

const changed = z.strictObject({
  unitDir: text('The folder of the units.'),
  systemd: flag('Whether systemd runs here; without it the files alone are changed.'),
  units: z.array(unit).meta({ description: "netkit's units." }),
  ...change,
});

/** Documents of netkit as a service. */
export const serviceDocuments = {
  'service install': changed,
  'service uninstall': changed,
  'service show': z.strictObject({
    unitDir: text('The folder of the units.'),
    systemd: flag('Whether systemd runs here.'),
    units: z
      .array(
        unit.extend({
          text: text('What `service install` would write.'),
          state: z.enum(['absent', 'current', 'outdated', 'foreign']).meta({
            description:
              'Whether there is no such file, just this one, one that netkit wrote differently, or one of somebody else.',
          }),
          enabled: flag('Whether a target in the same folder wants it.'),
        }),
      )
      .meta({ description: "netkit's units." }),
  }),
} as const;
