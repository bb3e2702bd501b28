import { requireLabRights } from '../../bench/lab/rights.js';
import { chainScenario } from '../../bench/scenarios/chain.js';
import { runBench } from '../bench-run.js';
import type { Command } from '../context.js';

export const run: Command<'bench chain'> = async (context, _, options) => {
  const { packetSize, flows, family, functions } = options;
  const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '');
  const scenario = chainScenario({ family, size: packetSize, flows, only, functions });
  requireLabRights();
  return runBench(context, scenario, options);
};
