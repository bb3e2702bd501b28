// `npm run bench:verdicts [-- --trials N] [--seconds N] [--only NAME] [--json FILE]`: how often the verdicts of benchmarks are right, on real
// scenarios: each has, beside its reference and control, the same thing once more, and one that does a fifth more work. As root.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { analyse } from '../src/bench/analysis.js';
import type { BenchDocument, BenchResult } from '../src/bench/document.js';
import { runScenario } from '../src/bench/run.js';
import type { Scenario } from '../src/bench/scenario.js';
import { dropTrial } from './verdicts/drop.js';
import { mapsTrial } from './verdicts/maps.js';
import { programTrial } from './verdicts/program.js';
import type { Trial } from './verdicts/trial.js';

/** Of the trials of a scenario, so many may be wrong. */
const mostWrongShare = 0.05;

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});
const trials = Number(options.trials);
const seconds = Number(options.seconds);
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

console.log('| scenario | variant | right | wrong verdicts | ratios |\n|---|---|---|---|---|');
let isGood = true;
const all: { scenario: string; title: string; asked: number; right: number }[] = [];
for (const make of [programTrial, mapsTrial, dropTrial]) {
  const trial = await make();
  try {
    if (options.only === undefined || options.only === trial.name) isGood = (await tryOut(trial)) && isGood;
  } finally {
    trial.end();
  }
}
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(all));
process.exitCode = isGood ? 0 : 1;

async function tryOut({ name, questions }: Trial): Promise<boolean> {
  const rows = new Map<string, { wrong: string[]; ratios: number[] }>();
  for (let seed = 1; seed <= trials; seed++) {
    for (const { scenario, answers } of questions) {
      const document = await documentOf(scenario, seed);
      for (const { title, variant, right } of answers) {
        const row = rows.get(title) ?? { wrong: [], ratios: [] };
        rows.set(title, row);
        const { verdict, ratio } = mainResult(document, variant);
        row.ratios.push(ratio?.median ?? Number.NaN);
        if (verdict !== right) row.wrong.push(`${verdict} (seed ${seed})`);
      }
    }
  }
  for (const [title, { wrong, ratios }] of rows) {
    const sorted = [...ratios].sort((one, other) => one - other);
    const range = `${sorted.at(0)?.toFixed(3)} to ${sorted.at(-1)?.toFixed(3)}`;
    const asked = ratios.length;
    all.push({ scenario: name, title, asked, right: asked - wrong.length });
    console.log(
      `| ${name} | ${title} | ${asked - wrong.length} of ${asked} | ${wrong.join(', ') || '-'} | ${range} |`,
    );
  }
  return [...rows.values()].every(({ wrong, ratios }) => wrong.length <= ratios.length * mostWrongShare);
}

async function documentOf(scenario: Scenario, seed: number): Promise<BenchDocument> {
  const said = { command: 'npm run bench:verdicts', version: '', progress: () => undefined };
  return analyse(await runScenario(scenario, { seconds, seed, signal: stop.signal, ...said }));
}

function mainResult(document: BenchDocument, variant: string): BenchResult {
  const [group] = document.groups;
  const metric = group?.metrics.find(({ isMain }) => isMain);
  const found = document.results.find(
    (each) => each.group === group?.name && each.metric === metric?.name && each.variant === variant,
  );
  if (found === undefined) throw new Error(`the document has no variant '${variant}'`);
  return found;
}
