import { NetkitError } from '../../base/errors.js';
import { mapsScenario } from '../../bench/scenarios/maps.js';
import { capabilityHint, missingFor } from '../../host/capabilities.js';
import { runBench } from '../bench-run.js';
import type { Command } from '../context.js';

export const run: Command<'bench maps'> = async (context, _, options) => {
  const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '');
  const scenario = mapsScenario({ only, sizes: options.entries });
  if (missingFor('load').length > 0) {
    throw new NetkitError('not-permitted', 'making maps and running programs is not allowed for this user', {
      hint: capabilityHint('load'),
    });
  }
  return runBench(context, scenario, options);
};
