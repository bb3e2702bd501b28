/** The first line of a CSV file: which column is what. */
import { closest } from '../../base/suggest.js';
import type { EntryShape } from './batch.js';
import { cpuColumn, type EntryColumn, entryColumns, headerOf, wholeColumn } from './csv-columns.js';
import type { Field } from './csv-row.js';
import type { Intake } from './intake.js';

/** A column of the file: undefined is the CPU's number. */
export type FileColumn = EntryColumn | undefined;

/** The columns of a file. */
export interface FileColumns {
  /** In the file's order, which may be any. */
  readonly columns: readonly FileColumn[];
  /** Whether members of the value are left out: they are zero. */
  readonly isPartial: boolean;
}

/** What a column was probably meant to be: a member by its last word, or a slip of the finger. */
function meant(given: string, shape: EntryShape): string[] {
  const names = entryColumns(shape).map(({ name }) => name);
  const members = names.filter((name) => name.endsWith(`.${given}`));
  const wholes = [
    ...(shape.key === undefined ? [] : ['key']),
    'value',
    ...(shape.cpus > 1 ? [cpuColumn] : []),
  ];
  const near = closest(given, [...names, ...wholes]);
  const found = members.length > 0 || near === undefined ? members : [near];
  return found.length === 0 ? [] : [`did you mean ${found.map((name) => `'${name}'`).join(' or ')}?`];
}

/**
 * Reads a header. A struct may be one column, `key` or `value`, in place of one for each member; members of values may be
 * left out, those of keys may not.
 * @throws NetkitError `bad-value` when a column is unknown, there twice, or missing
 */
export function columnsOfFile(intake: Intake, fields: readonly Field[], shape: EntryShape): FileColumns {
  const known = entryColumns(shape);
  const perCpu = shape.cpus > 1;
  const hint = `expected ${headerOf(known, false)}${perCpu ? `, and ${cpuColumn} where each CPU has a row` : ''}`;
  const found = new Set<string>();
  const columns = fields.map(({ text, at }): FileColumn => {
    const name = text.trim();
    if (found.has(name)) throw intake.problem(at, `the column '${name}' stands here twice`, { hint });
    found.add(name);
    const column = known.find((each) => each.name === name) ?? wholeColumn(name, shape);
    if (column === undefined && !(perCpu && name === cpuColumn))
      throw intake.problem(at, `a column '${name}', which these entries do not have`, {
        hint: [...meant(name, shape), hint].join(' '),
      });
    const beside = [...found].find((other) => other.startsWith(`${name}.`) || name.startsWith(`${other}.`));
    if (beside !== undefined)
      throw intake.problem(at, `the column '${name}' stands here beside '${beside}'`, { hint });
    return column;
  });
  const missingOf = (isKey: boolean): string[] => {
    const names = known.filter((each) => each.isKey === isKey).map(({ name }) => name);
    return found.has(isKey ? 'key' : 'value') ? [] : names.filter((name) => !found.has(name));
  };
  const values = missingOf(false);
  const hasValue = columns.some((column) => column?.isKey === false);
  const missing = [...missingOf(true), ...(hasValue ? [] : values)];
  if (missing.length > 0) {
    const plural = missing.length === 1 ? 'the column' : 'the columns';
    const listed = missing.map((name) => `'${name}'`).join(', ');
    throw intake.problem(intake.start, `${plural} ${listed} ${missing.length === 1 ? 'is' : 'are'} missing`, {
      hint,
    });
  }
  return { columns, isPartial: values.length > 0 };
}
