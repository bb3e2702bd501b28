// From samples to the verdict of each row, and to the tables of the README.
import { readFileSync, writeFileSync } from 'node:fs';
import { summarize } from './measure.mjs';

/**
 * A row's number of each round is made of samples of that same round: the sample of `of`, less those of `over`, or how
 * often it goes into that of `against`. Its noise is the 95 % interval of the median. A `budget` is the most that the
 * number may be, an `atLeast` the least.
 */
export function judge(rows, samples) {
  return rows.map((row) => {
    const values = samples
      .get(row.of)
      .map((value, round) => numberOf(row, value, (name) => samples.get(name)[round]));
    const { median, low, high } = summarize(values);
    return { ...row, median, low, high, verdict: verdictOf(row, median) };
  });
}

function numberOf({ against, over = [] }, value, sampleOf) {
  if (against !== undefined) return sampleOf(against) / value;
  return over.reduce((left, name) => left - sampleOf(name), value);
}

function verdictOf({ budget, atLeast }, median) {
  if (budget === undefined && atLeast === undefined) return '';
  return median <= (budget ?? Number.POSITIVE_INFINITY) && median >= (atLeast ?? 0) ? 'met' : 'missed';
}

export function markdown(judged) {
  const lines = judged.map((row) => {
    const { title, unit, over, median, low, high, verdict } = row;
    const number = (value) =>
      `${over === undefined ? '' : value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
    const interval = low === undefined ? '' : `${number(low)} to ${number(high)}`;
    const side = missesByLess(row, number) ? (row.atLeast === undefined ? '&gt; ' : '&lt; ') : '';
    return `| ${title} | ${limit(row)} | ${side}${number(median)} ${unit} | ${interval} | ${verdict} |`;
  });
  return ['| | budget | measured | 95 % interval | |', '|---|---:|---:|---:|---|', ...lines].join('\n');
}

/** Whether it misses its budget by less than what is shown, so that it would look as if it were met. */
function missesByLess({ budget, atLeast, median, verdict }, number) {
  return verdict === 'missed' && number(median) === number(atLeast ?? budget);
}

function limit({ budget, atLeast, over, unit }) {
  if (atLeast !== undefined) return `at least ${atLeast} ${unit}`;
  return budget === undefined ? '' : `at most ${over === undefined ? '' : '+'}${budget} ${unit}`;
}

/** The part of the README between the marks: a table for each group. */
export function section(groups, { kernel, node, cpu }) {
  const missed = groups
    .flatMap(({ judged }) => judged)
    .filter(({ verdict }) => verdict === 'missed')
    .map(({ title }) => title);
  return [
    ...groups.flatMap(({ title, judged, rounds }) => [
      `${title} Medians of ${rounds} rounds.`,
      '',
      markdown(judged),
      '',
    ]),
    `\`npm run bench -- --write\` made these tables on Linux ${kernel}, Node ${node.slice(1)}, ${cpu}.`,
    missed.length === 0 ? 'Every budget is met.' : `Missed: ${missed.join('; ')}.`,
  ].join('\n');
}

/** Replaces what is between the marks of a file. */
export function writeBetween(path, text) {
  const [begin, end] = ['<!-- bench:begin -->', '<!-- bench:end -->'];
  const old = readFileSync(path, 'utf8');
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} has no ${begin} before an ${end}`);
  writeFileSync(path, `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`);
}
