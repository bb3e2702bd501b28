import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import { type Change, type Comparison, compare } from '../../bench/compare.js';
import type { BenchDocument } from '../../bench/document.js';
import { changeText, quantity } from '../../bench/quantity.js';
import { readReport } from '../bench-reports.js';
import type { Command } from '../context.js';
import { type Cell, type Page, tone } from '../page.js';
import type { DocumentOf } from '../schema/index.js';

type CompareInfo = DocumentOf<'bench compare'>;

/** The exit status for what is not an error: something became slower. */
const regressed = 8;

export const run: Command<'bench compare'> = async (context, { old, new: fresh }, options) => {
  const { output, signal } = context;
  const before = await readReport(old, signal);
  const after = await readReport(fresh, signal);
  const found = compare(before, after, { values: options.values, least: 1 + options.least / 100 });
  if (found.changes.length === 0) {
    throw new NetkitError('failed', `'${old}' and '${fresh}' have nothing in common`, {
      hint: `one is of \`${before.command}\`, the other of \`${after.command}\``,
      details: { missing: found.missing },
    });
  }
  if (!found.changes.some(isJudged)) {
    throw new NetkitError('failed', `nothing of '${old}' and '${fresh}' can be compared`, {
      hint: 'a comparison takes eight blocks of each, with a control; `netkit bench render` shows what they have',
      details: { verdicts: found.changes.map(({ variant, verdict }) => ({ variant, verdict })) },
    });
  }
  for (const text of [...found.missing, ...found.notes]) output.warn(text);
  const documents = { old: runInfo(old, before), new: runInfo(fresh, after) };
  output.result({ ...documents, ...infoOf(found) }, (page) => fill(page, found));
  return found.regressions.length > 0 ? regressed : 0;
};

function isJudged({ verdict }: Change): boolean {
  return verdict === 'faster' || verdict === 'slower' || verdict === 'within noise';
}

function runInfo(file: string, { scenario, command, netkit, started, environment }: BenchDocument) {
  return { file, scenario, command, netkit, started, kernel: environment.kernel.release };
}

function infoOf({ changes, regressions, missing, notes }: Comparison): Omit<CompareInfo, 'old' | 'new'> {
  return {
    changes: changes.map(({ metric, ratio, noise, ...change }) => ({
      ...change,
      metric: metric.name,
      unit: metric.unit,
      better: metric.better,
      ratio:
        ratio === null
          ? null
          : { median: ratio.median, interval: [...ratio.interval], wide: [...ratio.wide] },
      noise: noise === null ? null : [...noise],
    })),
    regressions: regressions.length,
    missing: [...missing],
    notes: [...notes],
  };
}

function fill(page: Page, { changes, regressions }: Comparison): void {
  for (const group of new Set(changes.map((change) => change.group))) {
    const ofGroup = changes.filter((change) => change.group === group);
    for (const metric of new Set(ofGroup.map((change) => change.metric.name))) {
      const rows = ofGroup.filter((change) => change.metric.name === metric);
      page.line(tone('name', `${group}: ${rows[0]?.metric.title ?? metric}`));
      page.table(
        [
          'VARIANT',
          { title: 'OLD', align: 'right' },
          { title: 'NEW', align: 'right' },
          { title: 'CHANGE', align: 'right' },
          { title: '99 %', align: 'right' },
          { title: 'NOISE', align: 'right' },
          'VERDICT',
        ],
        rows.map(rowOf),
      );
      page.line();
    }
  }
  const judged = changes.filter(isJudged).length;
  const figures = `${counted(judged, 'figure')} compared`;
  page.line(
    regressions.length === 0
      ? tone('good', `${figures}: no regression beyond noise`)
      : tone('bad', `${figures}: ${counted(regressions.length, 'regression')} beyond noise`),
  );
}

function rowOf({ title, metric, before, after, ratio, noise, verdict }: Change): Cell[] {
  const value = (each: number | null): string | null => (each === null ? null : quantity(each, metric.unit));
  return [
    title,
    value(before),
    value(after),
    ratio === null ? null : changeText(ratio.median),
    ratio === null ? null : ratio.wide.map(changeText).join(' … '),
    noise === null ? null : changeText(noise[1]).replace('+', '±'),
    verdictCell(verdict),
  ];
}

function verdictCell(verdict: Change['verdict']): Cell {
  switch (verdict) {
    case 'slower':
      return tone('bad', verdict);
    case 'faster':
      return tone('good', verdict);
    case 'invalid':
    case 'not enough data':
      return tone('warning', verdict);
    case 'reference':
    case 'within noise':
      return tone('dim', verdict);
  }
}
