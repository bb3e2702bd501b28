// How often the verdicts of benchmarks are right, on real scenarios of five seconds whose answers are known beforehand.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './lib/lab.mjs';

const trials = 20;
/** Of as many. */
const atLeast = 19;

export function rows(lab) {
  const json = join(lab.folder, 'verdicts.json');
  const script = [join(ROOT, 'scripts/run.mjs'), join(ROOT, 'scripts/verdict-trials.ts')];
  const args = [...script, '--trials', String(trials), '--json', json];
  const { status, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: lab.environment,
    cwd: ROOT,
  });
  if (status === null || stderr !== '') throw new Error(`verdict trials: ${stderr.trim()}`);
  const found = JSON.parse(readFileSync(json, 'utf8'));
  const nameOf = ({ scenario, title }) => `${scenario}: ${title}`;
  return {
    title: `Verdicts of benchmarks of five seconds, of ${trials} that are right.`,
    rounds: 1,
    samples: new Map(found.map((each) => [nameOf(each), [(each.right / each.asked) * trials]])),
    rows: found.map((each) => ({ title: nameOf(each), of: nameOf(each), atLeast, unit: `of ${trials}` })),
  };
}
