import { errorTable } from '../base/errors.js';
import { globalOptions, ownOptions, versionOption } from './table/common.js';
import { chapters, commands, type Row } from './table/index.js';
import type { OptionEntry } from './table/types.js';
import { argumentName, argumentUsage, optionNotes, wrapped } from './usage.js';

export interface ManPage {
  /** `netkit-map-update.1` */
  readonly file: string;
  readonly text: string;
}

/** The manual: a page on netkit, and one on each command, in man(7) macros. */
export function manPages(version: string): ManPage[] {
  return [
    { file: 'netkit.1', text: mainPage(version) },
    ...commands.map((row) => ({ file: `${pageName(row)}.1`, text: commandPage(row, version) })),
  ];
}

function mainPage(version: string): string {
  return [
    head('netkit', version),
    `.SH NAME\nnetkit \\- compile, load, attach, operate and remove eBPF network functions\n`,
    `.SH SYNOPSIS\n.B netkit\n.I COMMAND\n[\\fIARGUMENT\\fR]...\n[\\fIOPTION\\fR]...\n`,
    section('DESCRIPTION', intro.map(prose).join('.PP\n')),
    `.SH COMMANDS\n${chapters
      .map(
        ({ title, commands: rows }) =>
          `.SS ${title}\n${rows.map((row) => item(commandLine(row), row.summary)).join('')}`,
      )
      .join('')}`,
    section('OPTIONS OF EVERY COMMAND', [...globalOptions, versionOption].map(optionItem).join('')),
    section('EXIT STATUS', exitItems()),
    section('ENVIRONMENT', environment.map(([name, about]) => item(bold(name), about)).join('')),
    section('FILES', files.map(([name, about]) => item(italic(name), about)).join('')),
    seeAlso([...commands.map(pageName), 'bpftool(8)', 'tc-bpf(8)']),
  ].join('');
}

const intro = [
  'A function is an eBPF object file loaded under a name. Its programs, maps and links belong together: they are loaded, attached, operated and removed by that name, and nothing of it is left when it is unloaded.',
  'A reference names a kernel object: `FUNCTION/PROGRAM` and `FUNCTION/MAP` those of a function; `id:N`, `name:TEXT` or the absolute path of a pin any other, whoever loaded it.',
  'Options may stand before or after the command; `--` ends them. The netkit here has nothing to do with the Linux device type of that name.',
];

const environment = [
  ['NETKIT_BPFFS', 'As `--bpffs`.'],
  ['NETKIT_STATE_DIR', 'As `--state-dir`.'],
  ['NO_COLOR', 'As `--no-color`, when it is set and not empty.'],
] as const;

const files = [
  ['/sys/fs/bpf/netkit/FUNCTION/{progs,maps,links}/', 'The pins of a function.'],
  [
    '/var/lib/netkit/',
    'The state of every function, and the lock that commands hold while they change something.',
  ],
  [
    '/var/cache/netkit/',
    'Headers made from kernels, and for root compiled code of netkit. It can be deleted at any time.',
  ],
] as const;

function commandPage(row: Row, version: string): string {
  const name = pageName(row);
  const asks = row.asks === undefined ? [] : [`Asks for confirmation ${row.asks}; \`--yes\` answers.`];
  return [
    head(name, version),
    `.SH NAME\n${name} \\- ${escaped(row.summary)}\n`,
    `.SH SYNOPSIS\n.B netkit ${row.name}\n${row.arguments.map((entry) => `${italic(argumentUsage(entry))}\n`).join('')}[\\fIOPTION\\fR]...\n`,
    section('DESCRIPTION', [...row.about, ...asks].map(prose).join('.PP\n')),
    section(
      'ARGUMENTS',
      row.arguments.map((entry) => item(italic(argumentName(entry)), entry.about)).join(''),
    ),
    section('OPTIONS', ownOptions(row).map(optionItem).join('')),
    section('OPTIONS OF EVERY COMMAND', globalOptions.map(optionItem).join('')),
    section(
      'EXIT STATUS',
      (row.exits ?? []).map(({ status, about }) => item(bold(String(status)), about)).join('') +
        (row.exits === undefined ? '' : '.PP\n') +
        prose('netkit(1) lists those of every command.'),
    ),
    section('EXAMPLES', row.examples.map(({ command, about }) => item(bold(command), about)).join('')),
    seeAlso(['netkit', ...related(row)]),
  ].join('');
}

function head(name: string, version: string): string {
  return `.\\" Made from the command table of netkit. Do not edit.\n.TH ${name.toUpperCase()} 1 "" "netkit ${version}" "netkit manual"\n`;
}

function section(title: string, body: string): string {
  return body === '' ? '' : `.SH ${title}\n${body}`;
}

function item(term: string, about: string): string {
  return `.TP\n${term}\n${prose(about)}`;
}

function optionItem(entry: OptionEntry): string {
  const flags = [
    ...(entry.short === undefined ? [] : [bold(`-${entry.short}`)]),
    bold(`--${entry.long}`),
  ].join(', ');
  const value = entry.value === undefined ? '' : ` ${italic(entry.value.name)}`;
  return item(`${flags}${value}`, `${entry.about}${optionNotes(entry)}`);
}

function commandLine(row: Row): string {
  return [bold(row.name), ...row.arguments.map((entry) => italic(argumentUsage(entry)))].join(' ');
}

function exitItems(): string {
  const abouts = new Map<number, string[]>([[0, ['Done, or there was nothing to do.']]]);
  for (const { exit, about } of Object.values(errorTable)) {
    abouts.set(exit, [...(abouts.get(exit) ?? []), about]);
  }
  return [...abouts]
    .sort(([a], [b]) => a - b)
    .map(([status, sentences]) => item(bold(String(status)), sentences.join(' ')))
    .join('');
}

/** Commands of the same group. */
function related(row: Row): string[] {
  const [group = ''] = row.name.split(' ');
  return commands.filter((other) => other !== row && other.name.startsWith(`${group} `)).map(pageName);
}

function seeAlso(names: readonly string[]): string {
  const entries = names.map((name) => {
    const [, page = name, part = '1'] = /^(.*)\((\d)\)$/.exec(name) ?? [];
    return `.BR ${escaped(page)} (${part})`;
  });
  return `.SH SEE ALSO\n${entries.join(' ,\n').replace(/\) ,/g, '),')}\n`;
}

function pageName(row: Row): string {
  return `netkit-${row.name.replaceAll(' ', '-')}`;
}

/** A paragraph: a sentence a line, as man pages want it, and what is in backticks bold. */
function prose(text: string): string {
  const marked = text
    .split('`')
    .map((part, index) => (index % 2 === 1 ? bold(part) : escaped(part)))
    .join('');
  const lines = marked.replace(/([.;?!]) (?=[A-Z\\])/g, '$1\n').split('\n');
  return `${lines
    .flatMap((line) => wrapped(line, 80))
    .map((line) => (/^[.']/.test(line) ? `\\&${line}` : line))
    .join('\n')}\n`;
}

function bold(text: string): string {
  return `\\fB${escaped(text, true)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${escaped(text, true)}\\fR`;
}

/** `typed`: hyphens are the character that a shell takes, and quotes stay straight. */
function escaped(text: string, typed = false): string {
  const safe = text
    .replace(/\\/g, '\\e')
    .replaceAll('…', '\\&...\\&')
    .replaceAll('’', "'")
    .replaceAll('→', '\\(->');
  if (!typed) return safe.replace(/(^|[\s(])--?(?=\w)/g, (match) => match.replaceAll('-', '\\-'));
  return safe
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha');
}
