import { requireLabRights } from '../../bench/lab/rights.js';
import { sockmapScenario } from '../../bench/scenarios/sockmap.js';
import { runBench } from '../bench-run.js';
import type { Command } from '../context.js';

export const run: Command<'bench sockmap'> = async (context, _, options) => {
  const { requestSize, chunkSize, family } = options;
  const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '');
  const scenario = sockmapScenario({ only, requestSize, chunkSize, family });
  requireLabRights();
  return runBench(context, scenario, options);
};
