import { requireLabRights } from '../../bench/lab/rights.js';
import { probesScenario } from '../../bench/scenarios/probes.js';
import { runBench } from '../bench-run.js';
import type { Command } from '../context.js';

export const run: Command<'bench probes'> = async (context, _, options) => {
  const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '');
  const scenario = probesScenario(only);
  requireLabRights();
  return runBench(context, scenario, options);
};
