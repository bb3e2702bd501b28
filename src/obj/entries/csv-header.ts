/** The first line of a CSV file: which column is what. */
import type { EntryShape } from './batch.js';
import { cpuColumn, type EntryColumn, entryColumns, headerOf } from './csv-columns.js';
import type { Field } from './csv-row.js';
import type { Intake } from './intake.js';

/** A column of the file: undefined is the CPU's number. */
export type FileColumn = EntryColumn | undefined;

/**
 * The columns in the file's order, which may be any.
 * @throws NetkitError `bad-value` when one is missing, unknown, or there twice
 */
export function columnsOfFile(intake: Intake, fields: readonly Field[], shape: EntryShape): FileColumn[] {
  const known = entryColumns(shape);
  const perCpu = shape.cpus > 1;
  const names = known.map(({ name }) => name);
  const hint = `expected ${headerOf(known, false)}${perCpu ? `, and ${cpuColumn} where each CPU has a row` : ''}`;
  const found = new Set<string>();
  const columns = fields.map(({ text, at }): FileColumn => {
    const name = text.trim();
    if (found.has(name)) throw intake.problem(at, `the column '${name}' stands here twice`, { hint });
    found.add(name);
    const column = known.find((each) => each.name === name);
    if (column !== undefined || (perCpu && name === cpuColumn)) return column;
    throw intake.problem(at, `a column '${name}', which these entries do not have`, { hint });
  });
  const missing = names.filter((name) => !found.has(name));
  if (missing.length > 0) {
    const plural = missing.length === 1 ? 'the column' : 'the columns';
    const listed = missing.map((name) => `'${name}'`).join(', ');
    throw intake.problem(intake.start, `${plural} ${listed} ${missing.length === 1 ? 'is' : 'are'} missing`, {
      hint,
    });
  }
  return columns;
}
