import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bashScript } from '../../../src/cli/completion/bash.js';
import { fishScript } from '../../../src/cli/completion/fish.js';
import { zshScript } from '../../../src/cli/completion/zsh.js';
import { helpText } from '../../../src/cli/help.js';
import { manPages } from '../../../src/cli/man.js';
import { referenceText } from '../../../src/cli/reference.js';
import { allOptions } from '../../../src/cli/table/common.js';
import { commands, groups } from '../../../src/cli/table/index.js';
import { netkitVersion } from '../../../src/cli/version.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { describeWith } from '../../support/requirements.js';

/** What a surface says that there is: commands, each with its long options. */
type Surface = Record<string, string[]>;

const pages = manPages(netkitVersion());
const shells = { bash: bashScript(), zsh: zshScript(), fish: fishScript() };
const expected: Surface = Object.fromEntries(
  commands.map((row) => [
    row.name,
    allOptions(row)
      .map(({ long }) => `--${long}`)
      .sort(),
  ]),
);

function optionsIn(text: string): string[] {
  return [...new Set([...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([word]) => word))].sort();
}

/** The part of `text` between two headings. */
function part(text: string, from: RegExp, to: RegExp): string {
  const start = from.exec(text);
  if (start === null) return '';
  const rest = text.slice(start.index + start[0].length);
  const end = to.exec(rest);
  return end === null ? rest : rest.slice(0, end.index);
}

function helpSurface(): Surface {
  const listed = [...helpText('').matchAll(/^ {2}((?:[a-z]+ ?)+)/gm)].map(([, words = '']) => words.trim());
  const names = listed.map((words) => {
    const [first = '', second = ''] = words.split(' ');
    return groups.some(({ name }) => name === first) ? `${first} ${second}` : first;
  });
  return Object.fromEntries(
    names.map((name) => {
      const help = helpText(name, 100);
      const own = [...part(help, /^Options\n/m, /^\S/m).matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm)].map(
        ([, long = '']) => long,
      );
      return [name, [...own, ...optionsIn(part(help, /^Options of every command.*\n/m, /^\S/m))].sort()];
    }),
  );
}

function manSurface(): Surface {
  const [main, ...others] = pages;
  const list = part(main?.text ?? '', /^\.SH COMMANDS\n/m, /^\.SH /m);
  const names = [...list.matchAll(/^\.TP\n\\fB([a-z ]+)\\fR/gm)].map(([, name = '']) => name);
  expect(others.map(({ file }) => file)).toEqual(
    names.map((name) => `netkit-${name.replaceAll(' ', '-')}.1`),
  );
  return Object.fromEntries(
    names.map((name, index) => {
      const text = others[index]?.text ?? '';
      const options = [...text.matchAll(/^\.TP\n(?:\\fB\\-\w\\fR, )?\\fB(\\-\\-[a-z\\-]+)\\fR/gm)];
      return [name, options.map(([, long = '']) => long.replaceAll('\\', '')).sort()];
    }),
  );
}

function referenceSurface(): Surface {
  const text = referenceText();
  const every = rowsOf(part(text, /^## Options of every command\n/m, /^## /m)).filter(
    (long) => long !== '--version',
  );
  const parts = text.split(/^### netkit /m).slice(1);
  return Object.fromEntries(
    parts.map((section) => {
      const [name = ''] = section.split('\n');
      return [name, [...rowsOf(part(section, /^/, /^## /m)), ...every].sort()];
    }),
  );
}

function rowsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^\| `(?:-\w, )?(--[a-z-]+)/gm)].map(([, long = '']) => long);
}

/** What bash itself makes of the functions in the script. */
function bashSurface(script: string): Surface {
  const output = run('bash', [
    '-c',
    `${script}
walk() {
  local word
  for word in $(_netkit_commands "$1"); do
    if [[ -n $(_netkit_commands "\${1:+$1 }$word") ]]; then walk "\${1:+$1 }$word"
    else echo "\${1:+$1 }$word:" $(_netkit_options "\${1:+$1 }$word"); fi
  done
}
walk ''`,
  ]);
  return surfaceOf(output);
}

/** What zsh itself makes of it, with its own functions for showing candidates replaced. */
function zshSurface(script: string): Surface {
  const output = run('zsh', [
    '-f',
    '-c',
    `compdef() { : }
${script}
_describe() { local name=\${@[-1]}; print -r -- \${\${(P)name}%%:*} }
walk() {
  local word
  for word in $(_netkit_commands "$1"); do
    if [[ -n $(_netkit_commands "\${1:+$1 }$word") ]]; then walk "\${1:+$1 }$word"
    else print -r -- "\${1:+$1 }$word:" $(_netkit_describe options "\${1:+$1 }$word"); fi
  done
}
walk ''`,
  ]);
  return surfaceOf(output);
}

/** What fish itself completes. */
function fishSurface(script: string): Surface {
  const questions = commands.map(
    ({ name }) => `echo '${name}:' (complete -C 'netkit ${name} --' | string replace -r '\\t.*' '')`,
  );
  const words = ['', ...groups.map(({ name }) => `${name} `)].map(
    (path) =>
      `complete -C 'netkit ${path}' | string replace -r '\\t.*' '' | string replace -r '^' 'command:${path}'`,
  );
  const output = run('fish', ['--no-config', '-c', [script, ...words, ...questions].join('\n')]);
  const lines = output.split('\n');
  const offered = lines
    .filter((line) => line.startsWith('command:'))
    .map((line) => line.slice('command:'.length));
  const open = groups.map(({ name }) => name);
  expect(offered.filter((word) => !open.includes(word) && word !== 'help').sort()).toEqual(
    Object.keys(expected).sort(),
  );
  return surfaceOf(lines.filter((line) => !line.startsWith('command:')).join('\n'));
}

function surfaceOf(output: string): Surface {
  const lines = output.split('\n').filter((line) => line !== '' && !line.startsWith('help:'));
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', words = ''] = line.split(':');
      return [
        name,
        words
          .trim()
          .split(/\s+/)
          .filter((word) => word.startsWith('--'))
          .sort(),
      ];
    }),
  );
}

function run(program: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', input, timeout: 30_000 });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

describe('commands and options are the same', () => {
  it('in the help', () => {
    expect(helpSurface()).toEqual(expected);
  });

  it('in the manual pages', () => {
    expect(manSurface()).toEqual(expected);
  });

  it('in the reference', () => {
    expect(referenceSurface()).toEqual(expected);
  });

  it('in the completion of bash', () => {
    expect(bashSurface(shells.bash)).toEqual(expected);
  });
});

describeWith({ tools: ['zsh'] }, 'commands and options are the same for zsh', () => {
  it('in its completion', () => {
    expect(zshSurface(shells.zsh)).toEqual(expected);
  });
});

describeWith({ tools: ['fish'] }, 'commands and options are the same for fish', () => {
  it('in its completion', () => {
    expect(fishSurface(shells.fish)).toEqual(expected);
  });
});

describe('the files in the repository', () => {
  it('are the manual pages that the table gives', () => {
    const folder = join(packageRoot(), 'man');
    expect(readdirSync(folder).sort()).toEqual(pages.map(({ file }) => file).sort());
    for (const { file, text } of pages) expect(readFileSync(join(folder, file), 'utf8'), file).toBe(text);
  });

  it('are the reference that the table gives', () => {
    expect(readFileSync(join(packageRoot(), 'docs/commands.md'), 'utf8')).toBe(referenceText());
  });
});

describeWith({ tools: ['mandoc'] }, 'mandoc', () => {
  it('finds nothing wrong with the manual pages', () => {
    const files = pages.map(({ file }) => join(packageRoot(), 'man', file));
    const { stdout, stderr } = spawnSync('mandoc', ['-Tlint', ...files], { encoding: 'utf8' });
    // The pages carry no date: they belong to a version.
    const remarks = `${stdout}${stderr}`
      .split('\n')
      .filter((line) => line !== '' && !line.includes('missing date'));
    expect(remarks).toEqual([]);
  });
});

describe('help', () => {
  it.each(['', ...groups.map(({ name }) => name), ...commands.map(({ name }) => name)])(
    'on netkit %s fits on a terminal of 80 columns',
    (path) => {
      const long = helpText(path, 80)
        .split('\n')
        .filter((line) => line.length > 80 && !/^ {2}(netkit|source)/.test(line));
      expect(long.filter((line) => !line.startsWith('Usage:') && !line.startsWith("'netkit"))).toEqual([]);
    },
  );
});
