import { requireLabRights } from '../../bench/lab/rights.js';
import { dropScenario } from '../../bench/scenarios/drop.js';
import { runBench } from '../bench-run.js';
import type { Command } from '../context.js';

export const run: Command<'bench drop'> = async (context, _, options) => {
  const { packetSize, flows, family } = options;
  const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '');
  const scenario = dropScenario({ family, size: packetSize, flows, only });
  requireLabRights();
  return runBench(context, scenario, options);
};
