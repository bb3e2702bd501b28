import { requireLabRights } from '../../bench/lab/rights.js';
import { rulesScenario } from '../../bench/scenarios/rules.js';
import { runBench } from '../bench-run.js';
import type { Command } from '../context.js';

export const run: Command<'bench rules'> = async (context, _, options) => {
  const { packetSize, flows, family, rules, sources, full } = options;
  const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '');
  const traffic = { family, size: packetSize, flows };
  const scenario = rulesScenario({ ...traffic, only, rules, sources, isFull: full });
  requireLabRights();
  return runBench(context, scenario, options);
};
