/** The page of `netkit verify`: what each verification took, and behind it each refusal with its piece of the source. */
import { sourceText } from '../ebpf/refusal.js';
import type { ObjectSpec } from '../obj/spec.js';
import { type Cell, type Page, tone } from './page.js';
import type { DocumentOf } from './schema/index.js';

type Document = DocumentOf<'verify'>;
type Verified = Document['programs'][number];
type Refusal = NonNullable<Verified['refusal']>;
type Place = NonNullable<Refusal['place']>;

/** Lines of source before and behind the one that matters. */
const around = 3;

export function fillVerifyPage(page: Page, { programs }: Document, spec: ObjectSpec, log: boolean): void {
  const number = (title: string) => ({ title, align: 'right' }) as const;
  page.table(
    [
      'PROGRAM',
      'TYPE',
      'RESULT',
      number('INSTRUCTIONS'),
      number('STACK'),
      number('PEAK STATES'),
      number('TOTAL STATES'),
      number('MOST PER INSTRUCTION'),
      number('TIME'),
    ],
    programs.map(({ name, type, outcome, statistics }) => [
      tone('name', name),
      type,
      outcomeCell(outcome),
      statistics?.instructions,
      statistics?.stackBytes,
      statistics?.peakStates,
      statistics?.totalStates,
      statistics?.maxStatesPerInstruction,
      duration(statistics?.microseconds ?? null),
    ]),
  );
  for (const program of programs) {
    if (program.refusal !== null) fillRefusal(page, program, program.refusal, spec);
    if (program.error !== null) {
      page.line().line(tone('name', program.name), ' was not verified: ', program.error.message);
      if (program.error.hint !== null) page.line('hint: ', program.error.hint);
    }
    if (log && program.log !== null)
      page.line().line('the verifier on ', tone('name', program.name), ':').text(program.log.trimEnd());
  }
}

function outcomeCell(outcome: Verified['outcome']): Cell {
  switch (outcome) {
    case 'accepted':
      return tone('good', outcome);
    case 'refused':
      return tone('bad', outcome);
    case 'not-verified':
      return tone('warning', 'not verified');
  }
}

function duration(microseconds: number | null): string | null {
  if (microseconds === null) return null;
  return microseconds < 10_000 ? `${microseconds} µs` : `${Math.round(microseconds / 1000)} ms`;
}

function fillRefusal(page: Page, { name }: Verified, refusal: Refusal, spec: ObjectSpec): void {
  const { place, rule, message, mend, reason, registers, related, hint } = refusal;
  const where = place === null ? '' : ` at ${place.file}:${place.line}`;
  page
    .line()
    .line(
      tone('name', name),
      `${where}: `,
      tone('bad', rule ?? 'not one of the refusals that netkit explains'),
    );
  page.line(`  ${rule === null ? reason : message}`);
  if (place !== null) excerpt(page, place, spec);
  for (const { words, state } of registers) page.line('  ', words, tone('dim', `   ${state}`));
  for (const other of related) {
    page.line(`  ${other.file}:${other.line}: ${other.about}`);
    if (other.source !== '') page.line(tone('dim', `      ${other.source}`));
  }
  if (rule !== null) page.line(tone('dim', `  the verifier said: ${reason}`));
  if (mend !== null) page.line('  ', tone('good', 'to mend it: '), mend);
  if (hint !== null) page.line(`  hint: ${hint}`);
}

/** The line between its neighbours, where the source can be read and is what was compiled; else the line alone. */
function excerpt(page: Page, { file, line, source }: Place, spec: ObjectSpec): void {
  const text = sourceText(spec.path, file);
  const isSame = text?.[line - 1]?.trim() === source;
  if (!isSame && source === '') return;
  const first = isSame ? Math.max(1, line - around) : line;
  const lines = isSame ? (text?.slice(first - 1, line + around) ?? []) : [`  ${source}`];
  const width = String(first + lines.length).length;
  page.line();
  lines.forEach((written, index) => {
    const marked = first + index === line;
    const shown = `  ${marked ? '>' : ' '} ${String(first + index).padStart(width)} | ${written.replaceAll('\t', '    ').trimEnd()}`;
    page.line(marked ? tone('warning', shown) : tone('dim', shown));
  });
  page.line();
}
