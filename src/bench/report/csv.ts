/** One line a sample, by RFC 4180, for spreadsheets and statistics programs. */
import type { BenchDocument } from '../document.js';
import { viewOf } from './view.js';

/** Lines end as the RFC wants it. */
const lineEnd = '\r\n';

/**
 * All samples: those that do not count too, marked as such. A metric has a column with its unit in the head; groups without it
 * leave it empty.
 */
export function csvReport(document: BenchDocument): string {
  const columns = new Map<string, { readonly name: string; readonly unit: string }>();
  for (const { metrics } of document.groups) {
    for (const { name, unit } of metrics) columns.set(headOf(name, unit), { name, unit });
  }
  const head = [
    'scenario',
    'group',
    'variant',
    'role',
    'series',
    'x',
    'block',
    'at [s]',
    'seconds [s]',
    'counts',
    'why not',
  ];
  const lines = [[...head, ...columns.keys()].map(cell)];
  for (const { group, metrics, split } of viewOf(document)) {
    const invalid = new Set(
      [...metrics, ...split].flatMap(({ rows }) =>
        rows.filter((row) => row.verdict === 'invalid').map((row) => row.variant),
      ),
    );
    const units = new Map(group.metrics.map(({ name, unit }) => [name, unit] as const));
    for (const variant of group.variants) {
      const reasons = variant.checks.filter(({ ok }) => !ok);
      for (const { block, at, seconds, values, checks } of variant.samples) {
        const wrong = [...reasons, ...checks.filter(({ ok }) => !ok)];
        const counts = wrong.length === 0 && !invalid.has(variant);
        lines.push([
          ...[document.scenario, group.name, variant.name, variant.role, variant.series ?? ''].map(cell),
          variant.x === null ? '' : String(variant.x),
          ...[block, at, seconds].map(String),
          counts ? 'yes' : 'no',
          cell(wrong.map(({ name, detail }) => `${name}: ${detail}`).join('; ')),
          ...[...columns.values()].map(({ name, unit }) => {
            const value = units.get(name) === unit ? values[name] : undefined;
            return value === undefined ? '' : String(value);
          }),
        ]);
      }
    }
  }
  return lines.map((line) => line.join(',') + lineEnd).join('');
}

function headOf(name: string, unit: string): string {
  return unit === '' ? name : `${name} [${unit}]`;
}

/** In quotes where it must be. What a spreadsheet would take for a formula gets an apostrophe before it. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
