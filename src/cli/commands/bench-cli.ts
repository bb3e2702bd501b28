import { join } from 'node:path';
import { requireLabRights } from '../../bench/lab/rights.js';
import { cliScenario } from '../../bench/scenarios/cli.js';
import { packageRoot } from '../../host/package-root.js';
import { runBench } from '../bench-run.js';
import type { Command } from '../context.js';

export const run: Command<'bench cli'> = async (context, _, options) => {
  const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '');
  const script = process.argv[1] ?? join(packageRoot(), 'bin/netkit.js');
  const scenario = cliScenario({ only, netkit: [process.execPath, ...process.execArgv, script] });
  requireLabRights();
  return runBench(context, scenario, options);
};
