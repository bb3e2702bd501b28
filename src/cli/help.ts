import { globalOptions, ownOptions, versionOption } from './table/common.js';
import { chapters, commands, groups, type Row } from './table/index.js';
import { argumentName, argumentUsage, commandUsage, optionNotes, optionUsage, wrapped } from './usage.js';

type Line = readonly [left: string, right: string];

/** The help on a command, a group, or with `path` '' on netkit, for a terminal that is `columns` wide. */
export function helpText(path: string, columns = 80): string {
  const width = Math.min(Math.max(columns, 60), 100);
  const row = commands.find(({ name }) => name === path);
  if (row !== undefined) return commandHelp(row, width);
  return path === '' ? rootHelp(width) : groupHelp(path, width);
}

function rootHelp(width: number): string {
  return [
    'netkit: compile, load, attach, operate and remove eBPF network functions\n',
    'Usage: netkit COMMAND [ARGUMENT]... [OPTION]...\n',
    ...chapters.map(({ title, commands: rows }) => section(title, commandLines(rows), width)),
    section('Options of every command', [...globalOptions, versionOption].map(optionLine), width),
    "'netkit COMMAND --help' and the manual page netkit-COMMAND(1) explain a command.\n",
  ].join('\n');
}

function groupHelp(path: string, width: number): string {
  const summary = groups.find(({ name }) => name === path)?.summary ?? '';
  const members = commands.filter(({ name }) => name.startsWith(`${path} `));
  return [
    `netkit ${path}: ${summary}\n`,
    `Usage: netkit ${path} COMMAND [ARGUMENT]... [OPTION]...\n`,
    section('Commands', commandLines(members), width),
    `'netkit ${path} COMMAND --help' explains a command; 'netkit --help' lists the options of every command.\n`,
  ].join('\n');
}

function commandHelp(row: Row, width: number): string {
  const asks = row.asks === undefined ? [] : [`Asks for confirmation ${row.asks}; \`--yes\` answers.`];
  const names = globalOptions.map(({ long }) => `--${long}`);
  return [
    `netkit ${row.name}: ${row.summary}\n`,
    `Usage: netkit ${commandUsage(row)}\n`,
    ...[...row.about, ...asks].map((text) => paragraph(text, width, 0)),
    section(
      'Arguments',
      row.arguments.map((entry): Line => [argumentName(entry), entry.about]),
      width,
    ),
    section('Options', ownOptions(row).map(optionLine), width),
    `Options of every command, which netkit --help explains\n${paragraph(names.join(', '), width, 2)}`,
    section(
      'Exit status',
      (row.exits ?? []).map(({ status, about }): Line => [String(status), about]),
      width,
    ),
    `Examples\n${row.examples.map(({ command, about }) => `  ${command}\n${paragraph(about, width, 6)}`).join('')}`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function commandLines(rows: readonly Row[]): Line[] {
  return rows.map((row): Line => [[row.name, ...row.arguments.map(argumentUsage)].join(' '), row.summary]);
}

function optionLine(entry: Parameters<typeof optionUsage>[0]): Line {
  // Those without a short form line up with the long form of those that have one.
  const indent = entry.short === undefined ? '    ' : '';
  return [`${indent}${optionUsage(entry)}`, `${entry.about}${optionNotes(entry)}`];
}

function section(title: string, lines: readonly Line[], width: number): string {
  if (lines.length === 0) return '';
  const longest = Math.max(...lines.map(([left]) => left.length));
  const indent = Math.min(longest, 34) + 4;
  const text = lines.map(([left, right]) => {
    const body = paragraph(right, width, indent);
    return left.length + 4 > indent ? `  ${left}\n${body}` : `  ${left}${body.slice(left.length + 2)}`;
  });
  return `${title}\n${text.join('')}`;
}

function shown(text: string): string {
  return text.replace(/`([^`]*)`/g, '$1');
}

function paragraph(text: string, width: number, indent: number): string {
  return wrapped(shown(text), width - indent)
    .map((line) => `${' '.repeat(indent)}${line}\n`)
    .join('');
}
