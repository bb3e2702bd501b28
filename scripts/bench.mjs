// `npm run bench [-- --rounds N] [--only GROUP] [--json FILE] [--write] [--strict]`: measures what the budgets are about, each command beside
// bare Node and the tools that do the same work, and prints the table. As root. Row groups are the files of scripts/bench.
//   --rounds N    rounds that count, in place of each group's own number, where it goes by rounds
//   --only GROUP  the rows of one file of scripts/bench, such as spine
//   --json FILE   all samples
//   --write       puts the tables into README.md and docs/performance.md
//   --strict      ends with status 1 when a budget is missed
import { readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Lab, ROOT, runInside } from './bench/lib/lab.mjs';
import { machine, measure } from './bench/lib/measure.mjs';
import { judge, markdown, section, writeBetween } from './bench/lib/report.mjs';

/** Milliseconds that the 95 % interval of the same thing twice may be wide: what 25 rounds with quartiles 10 ms apart have. */
const mostNoise = 7;
const pages = ['README.md', 'docs/performance.md'];

try {
  const options = readOptions();
  process.exitCode = runInside(fileURLToPath(import.meta.url)) ?? (await bench(options));
} catch (error) {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 1;
}

async function bench({ rounds, only, json, write, strict }) {
  const lab = new Lab();
  const groups = [];
  for (const file of readdirSync(join(ROOT, 'scripts/bench')).sort()) {
    const name = basename(file, '.mjs');
    if (!file.endsWith('.mjs') || (only !== undefined && only !== name)) continue;
    const { rows } = await import(`./bench/${file}`);
    groups.push(await measuredGroup(rows(lab), rounds));
  }
  if (groups.length === 0) throw new Error(`there are no rows '${only}'`);
  const on = machine();
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine: on, groups }, null, 2)}\n`);
  const rowsOf = groups.flatMap(({ judged }) => judged);
  // The rows without a budget measure the same thing twice.
  const busy = rowsOf.some((row) => row.noise === true && row.high - row.low > mostNoise);
  if (busy)
    process.stderr.write(
      `bench: the machine is busy (the noise is above ${mostNoise} ms): these numbers mean little\n`,
    );
  if (write && busy)
    throw new Error(`${pages.join(', ')}: left as they are; repeat it when the machine is idle`);
  if (write) for (const page of pages) writeBetween(join(ROOT, page), section(groups, on));
  const missed = rowsOf.some(({ verdict }) => verdict === 'missed');
  return strict && missed ? 1 : 0;
}

/** Measures a group and prints its table; `rounds` goes before the group's own number. */
async function measuredGroup({ title, chains, samples: known, rows, rounds: usual }, wanted = usual) {
  const rounds = known === undefined ? wanted : usual;
  const samples = known ?? measure(chains, rounds, progress);
  const judged = judge(rows, samples);
  process.stdout.write(`${title}\n\n${markdown(judged)}\n\n`);
  return { title, rounds, judged, samples: Object.fromEntries(samples) };
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
    },
  });
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && (!Number.isInteger(rounds) || rounds < 1))
    throw new Error(`--rounds '${values.rounds}' is not a whole number above 0`);
  if (values.write && values.only !== undefined) throw new Error('--write needs all rows: leave --only out');
  if (process.getuid() !== 0) throw new Error('it loads programs into the kernel: run it as root');
  return { ...values, rounds };
}

function progress(round, rounds) {
  if (!process.stderr.isTTY) return;
  process.stderr.write(round === rounds ? '\r\u001b[K' : `\rround ${round} of ${rounds}`);
}
