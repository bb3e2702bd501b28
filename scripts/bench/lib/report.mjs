// From samples to the verdict of each row, and to the table of the README.
import { readFileSync, writeFileSync } from 'node:fs';
import { summarize } from './measure.mjs';

/**
 * A row's number of each round is the sample of `of` less those of `over`, taken in the same round; its noise is the
 * range of the middle half.
 */
export function judge(rows, samples) {
  return rows.map((row) => {
    const values = samples
      .get(row.of)
      .map((value, round) => (row.over ?? []).reduce((left, name) => left - samples.get(name)[round], value));
    const { median, low, high } = summarize(values);
    return {
      ...row,
      median,
      low,
      high,
      verdict: row.budget === undefined ? '' : median <= row.budget ? 'met' : 'missed',
    };
  });
}

export function markdown(judged) {
  const lines = judged.map(({ title, budget, unit, over, median, low, high, verdict }) => {
    const number = (value) =>
      `${over === undefined ? '' : value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
    const most = budget === undefined ? '' : `${over === undefined ? '' : '+'}${budget} ${unit}`;
    return `| ${title} | ${most} | ${number(median)} ${unit} | ${number(low)} to ${number(high)} | ${verdict} |`;
  });
  return ['| | at most | measured | middle half | |', '|---|---:|---:|---:|---|', ...lines].join('\n');
}

/** The part of the README between the marks. */
export function section(judged, machine, rounds) {
  const { kernel, node, cpu } = machine;
  const missed = judged.filter(({ verdict }) => verdict === 'missed').map(({ title }) => title);
  return [
    markdown(judged),
    '',
    `\`npm run bench -- --write\` made this table: medians of ${rounds} rounds on Linux ${kernel}, Node ${node.slice(1)}, ${cpu}.`,
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
