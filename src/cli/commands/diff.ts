import { counted } from '../../base/counted.js';
import { type Drift, declaredDrift } from '../../cnf/declared/drift-all.js';
import { functionKinds } from '../../functions/index.js';
import type { Command, CommandContext } from '../context.js';
import { pinsOf, storeOf } from '../environment.js';
import { type Cell, type Page, tone } from '../page.js';
import type { DocumentOf } from '../schema/index.js';

type DiffInfo = DocumentOf<'diff'>;
type Subject = DiffInfo['subjects'][number];
type Row = Subject['rows'][number];

/** The exit status for what is not an error: there are differences. */
const different = 8;

export const run: Command<'diff'> = async (context, { name: names }, { file: files, all }) => {
  const unread: string[] = [];
  const found = await context.output.progress('comparing', () =>
    declaredDrift({
      ...{ names, files, kinds: functionKinds, signal: context.signal },
      ...{ store: storeOf(context), bpffs: pinsOf(context), reading: { stdin: context.io.stdin } },
      note: (text) => unread.push(text),
    }),
  );
  for (const text of unread) context.output.warn(text);
  const subjects = found.map((each) => subjectOf(each, all));
  const differences = subjects.flatMap(({ rows }) => rows).filter(({ differs }) => differs).length;
  const isUnknown = subjects.some(({ problems }) => problems.length > 0);
  context.output.result({ subjects, differences, unread }, (page) => fill(page, subjects, context));
  return differences > 0 || isUnknown ? different : 0;
};

function subjectOf({ kind, name, rows, problems }: Drift, all: boolean): Subject {
  return {
    kind,
    name,
    rows: rows
      .filter(({ differs }) => all || differs)
      .map((row) => ({
        field: row.field,
        declared: row.declared ?? null,
        recorded: row.recorded ?? null,
        kernel: row.kernel ?? null,
        differs: row.differs,
        samples: row.samples.map((sample) => ({
          ...sample,
          from: sample.from ?? null,
          to: sample.to ?? null,
        })),
      })),
    problems: [...problems],
  };
}

/** Longer values are for `--json`. */
const longest = 48;

function fill(page: Page, subjects: readonly Subject[], { output }: CommandContext): void {
  const shown = subjects.filter(({ rows, problems }) => rows.length + problems.length > 0);
  if (shown.length === 0) page.line(subjects.length === 0 ? 'nothing is declared' : 'no differences');
  shown.forEach(({ kind, name, rows, problems }, index) => {
    if (index > 0) page.line();
    page.line(kind === 'chain' ? 'chain ' : '', tone('name', name));
    page.table(
      [
        'FIELD',
        { title: 'DECLARED', mayCut: true },
        { title: 'RECORDED', mayCut: true },
        { title: 'KERNEL', mayCut: true },
      ],
      rows.map((row) => [row.field, ...cellsOf(row)]),
    );
    for (const { field, samples } of rows)
      for (const sample of samples) page.line(`  ${field}: ${sampleText(sample)}`);
    for (const problem of problems) page.line('  ', tone('bad', problem));
  });
  output.debug(`compared ${counted(subjects.length, 'function')}`);
}

function cellsOf({ declared, recorded, kernel, differs }: Row): Cell[] {
  const short = (text: string | null): string | null =>
    text !== null && text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
  const own = [declared, recorded, kernel].map(short);
  return own.map((text) => (differs && text !== null && text !== short(recorded) ? tone('bad', text) : text));
}

function sampleText({ kind, key, from, to }: Row['samples'][number]): string {
  if (kind === 'added') return `${key} is missing (${to ?? ''})`;
  return kind === 'removed'
    ? `${key} is too many (${from ?? ''})`
    : `${key} is ${from ?? ''}, not ${to ?? ''}`;
}
