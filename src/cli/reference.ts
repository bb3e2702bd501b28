import { errorTable } from '../base/errors.js';
import { globalOptions, ownOptions, versionOption } from './table/common.js';
import { chapters, type Row } from './table/index.js';
import type { OptionEntry } from './table/types.js';
import { argumentName, commandUsage, optionNotes, optionUsage } from './usage.js';

/** The reference of all commands in Markdown: `docs/commands.md`. */
export function referenceText(): string {
  return [
    '<!-- Made from the command table by scripts/generate-man.ts. Do not edit. -->',
    '# Commands',
    ...chapters.flatMap(({ title, commands }) => [`## ${title}`, ...commands.map(commandText)]),
    '## Options of every command',
    'They may stand before or after the command.',
    optionTable([...globalOptions, versionOption]),
    '## Exit status',
    exitTable(),
  ]
    .join('\n\n')
    .concat('\n');
}

function commandText(row: Row): string {
  const asks = row.asks === undefined ? [] : [`Asks for confirmation ${row.asks}; \`--yes\` answers.`];
  return [
    `### netkit ${row.name}`,
    `${row.summary.charAt(0).toUpperCase()}${row.summary.slice(1)}.`,
    `\`\`\`\nnetkit ${commandUsage(row)}\n\`\`\``,
    ...row.about,
    ...asks,
    table(
      ['argument', 'meaning'],
      row.arguments.map((entry) => [code(argumentName(entry)), entry.about]),
    ),
    optionTable(ownOptions(row)),
    table(
      ['exit status', 'meaning'],
      (row.exits ?? []).map(({ status, about }) => [String(status), about]),
    ),
    `\`\`\`sh\n${row.examples.map(({ command, about }) => `# ${about.replaceAll('`', '')}\n${command}`).join('\n')}\n\`\`\``,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function optionTable(entries: readonly OptionEntry[]): string {
  return table(
    ['option', 'meaning'],
    entries.map((entry) => [code(optionUsage(entry)), `${entry.about}${optionNotes(entry)}`]),
  );
}

function exitTable(): string {
  const rows = Object.entries(errorTable).map(([name, { exit, about }]): [number, string, string] => [
    exit,
    code(name),
    about,
  ]);
  rows.sort(([a], [b]) => a - b);
  return table(
    ['exit status', '`code` with `--json`', 'meaning'],
    [
      ['0', '', 'Done, or there was nothing to do.'],
      ...rows.map(([exit, name, about]) => [String(exit), name, about]),
    ],
  );
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}
