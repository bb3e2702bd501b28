/** What all commands that measure have in common: time, seed, progress, reports, and what Ctrl-C leaves. */
import { analyse } from '../bench/analysis.js';
import { runScenario } from '../bench/run.js';
import type { Scenario } from '../bench/scenario.js';
import { fillBenchPage } from './bench-page.js';
import { checkReports, writeReports } from './bench-reports.js';
import type { CommandContext } from './context.js';
import { netkitVersion } from './version.js';

export interface MeasuringOptions {
  readonly quick: boolean;
  readonly full: boolean;
  readonly seconds: number | undefined;
  readonly seed: number | undefined;
  readonly report: readonly string[];
}

/** Seconds that a benchmark takes in all. */
const boxes = { quick: 60, usual: 300, full: 1800 } as const;
const interruptedStatus = 130;

/**
 * Measures a scenario, shows and writes what came of it, and gives the exit status.
 * @throws NetkitError before anything is measured when a report cannot be written; `interrupted` when nothing was measured
 */
export async function runBench(
  context: Pick<CommandContext, 'command' | 'signal' | 'io'> & { readonly output: Output },
  scenario: Scenario,
  options: MeasuringOptions,
): Promise<number> {
  const { command, signal, output } = context;
  checkReports(options.report);
  const seed = options.seed ?? newSeed();
  const measured = await output.following((progress) =>
    runScenario(scenario, {
      seconds: secondsOf(options),
      seed,
      signal,
      command: options.seed === undefined ? `${command} --seed ${seed}` : command,
      version: netkitVersion(),
      progress,
    }),
  );
  const document = analyse(measured);
  // Shown first: a report that cannot be written after all is not to take it along.
  output.result(document, (page) => fillBenchPage(page, document));
  await output.flush();
  // Whoever waits for what was measured until Ctrl-C gets it; another Ctrl-C ends that, too.
  const patience = signal.aborted ? new AbortController().signal : signal;
  await writeReports(document, options.report, patience);
  return document.ended === 'interrupted' ? interruptedStatus : 0;
}

type Output = CommandContext<'bench drop'>['output'];

function secondsOf({ quick, full, seconds }: MeasuringOptions): number {
  if (seconds !== undefined) return seconds;
  return quick ? boxes.quick : full ? boxes.full : boxes.usual;
}

function newSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
