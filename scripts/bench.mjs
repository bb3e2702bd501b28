// `npm run bench [-- --rounds N] [--json FILE] [--write] [--strict]`: measures what the budgets are about, each command beside
// bare Node and the tools that do the same work, and prints the table. As root. Row groups are the files of scripts/bench.
//   --rounds N    rounds that count, 25 by default
//   --json FILE   all samples
//   --write       puts the table into README.md
//   --strict      ends with status 1 when a budget is missed
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Lab, ROOT, runInside } from './bench/lib/lab.mjs';
import { machine, measure } from './bench/lib/measure.mjs';
import { judge, markdown, section, writeBetween } from './bench/lib/report.mjs';

/** Milliseconds between the quartiles. */
const mostNoise = 10;

try {
  const options = readOptions();
  process.exitCode = runInside(fileURLToPath(import.meta.url)) ?? (await bench(options));
} catch (error) {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 1;
}

async function bench({ rounds, json, write, strict }) {
  const lab = new Lab();
  const groups = [];
  for (const file of readdirSync(join(ROOT, 'scripts/bench')).sort()) {
    if (!file.endsWith('.mjs')) continue;
    const { rows } = await import(`./bench/${file}`);
    groups.push(rows(lab));
  }
  const samples = measure(
    groups.flatMap(({ chains }) => chains),
    rounds,
    progress,
  );
  const judged = judge(
    groups.flatMap((group) => group.rows),
    samples,
  );
  process.stdout.write(`${markdown(judged)}\n`);
  const on = machine();
  if (json !== undefined) {
    const document = { machine: on, rounds, rows: judged, samples: Object.fromEntries(samples) };
    writeFileSync(json, `${JSON.stringify(document, null, 2)}\n`);
  }
  // The rows without a budget measure the same thing twice.
  const busy = judged.some(({ budget, low, high }) => budget === undefined && high - low > mostNoise);
  if (busy)
    process.stderr.write(
      `bench: the machine is busy (the noise is above ${mostNoise} ms): these numbers mean little\n`,
    );
  if (write && busy) throw new Error('README.md is left as it is: repeat it when the machine is idle');
  if (write) writeBetween(join(ROOT, 'README.md'), section(judged, on, rounds));
  const missed = judged.some(({ verdict }) => verdict === 'missed');
  return strict && missed ? 1 : 0;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '25' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds '${values.rounds}' is not a whole number above 0`);
  if (process.getuid() !== 0) throw new Error('it loads programs into the kernel: run it as root');
  return { ...values, rounds };
}

function progress(round, rounds) {
  if (!process.stderr.isTTY) return;
  process.stderr.write(round === rounds ? '\r\u001b[K' : `\rround ${round} of ${rounds}`);
}
