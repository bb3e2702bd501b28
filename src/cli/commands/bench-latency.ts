import { requireLabRights } from '../../bench/lab/rights.js';
import { latencyScenario } from '../../bench/scenarios/latency.js';
import { runBench } from '../bench-run.js';
import type { Command } from '../context.js';

export const run: Command<'bench latency'> = async (context, _, options) => {
  const { requestSize: size, rules, family, spacing, load } = options;
  const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '');
  const scenario = latencyScenario({ only, size, rules, family, spacing, load });
  requireLabRights();
  return runBench(context, scenario, options);
};
