import { requireLabRights } from '../../bench/lab/rights.js';
import { upgradeScenario } from '../../bench/scenarios/upgrade.js';
import { runBench } from '../bench-run.js';
import type { Command } from '../context.js';

export const run: Command<'bench upgrade'> = async (context, _, options) => {
  const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '');
  const scenario = upgradeScenario(only);
  requireLabRights();
  return runBench(context, scenario, options);
};
