import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allOptions } from '../../../src/cli/table/common.js';
import { commands, groups } from '../../../src/cli/table/index.js';
import { describeWith } from '../../support/requirements.js';

interface Row {
  readonly foreign: string;
  readonly own: string;
}

const page = readFileSync(join(import.meta.dirname, '../../../docs/coming-from.md'), 'utf8');

/** The rows of the tables below a heading. */
function rowsBelow(heading: string): Row[] {
  const start = page.indexOf(`\n## ${heading}\n`);
  const end = page.indexOf('\n## ', start + 1);
  const section = page.slice(start, end < 0 ? undefined : end);
  return [...section.matchAll(/^\| (.*?) \| (.*) \|$/gm)]
    .map(([, foreign = '', own = '']) => ({ foreign, own }))
    .filter(({ foreign }) => foreign.includes('`'));
}

const bpftool = rowsBelow('bpftool');
const spans = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);

/** The command that a command line names: as many of its first words as there are commands of. */
function commandIn(words: readonly string[]) {
  return commands.find(({ name }) => name.split(' ').every((word, at) => words[at] === word));
}

describe('the tables for those who come from other tools', () => {
  const lines = [...page.matchAll(/`netkit ([^`]+)`/g)].map(([, text = '']) => text);

  it.each([...new Set(lines)])('name a command that netkit has: netkit %s', (line) => {
    const words = line.split(/\s+/);
    const command = commandIn(words);
    expect(command?.name, groups.map(({ name }) => name).join(' ')).toBeDefined();
    const known = command === undefined ? [] : allOptions(command).map(({ long }) => `--${long}`);
    expect(words.filter((word) => word.startsWith('--') && !known.includes(word))).toEqual([]);
  });

  it('say of each command of bpftool how netkit does it, or why not', () => {
    for (const { foreign, own } of bpftool) {
      const says = /`|^(none|not yet|not needed)\b/.test(own);
      expect([foreign, own, says]).toEqual([foreign, own, true]);
    }
    expect(bpftool.length).toBeGreaterThan(60);
  });
});

/** `bpftool map show`, … of each subcommand that the help of an object lists. */
function subcommands(object: string): string[] {
  const { stdout, stderr } = spawnSync('bpftool', [object, 'help'], { encoding: 'utf8' });
  const found = new Set<string>();
  for (const [, words = ''] of `${stdout}${stderr}`.matchAll(new RegExp(`bpftool ${object} (.*)`, 'g'))) {
    const group = /^\{ ([^}]+) \}/.exec(words)?.[1];
    const names = group?.split('|').map((name) => name.trim()) ?? [
      /^[a-z_]+(?: (?:xlated|jited))?/.exec(words)?.[0] ?? '',
    ];
    for (const name of names) if (name !== 'help' && name !== '') found.add(name);
  }
  return [...found];
}

const objects = (): string[] => {
  const { stdout, stderr } = spawnSync('bpftool', ['help'], { encoding: 'utf8' });
  const listed = /OBJECT := \{ ([^}]+) \}/.exec(`${stdout}${stderr}`)?.[1] ?? '';
  return listed.split('|').map((name) => name.trim());
};

/** Whether a row names it, or names another subcommand of the object and lists this one behind it. */
function isListed(object: string, subcommand: string): boolean {
  return bpftool.some(({ foreign }) => {
    const [first = '', ...more] = spans(foreign);
    if (spans(foreign).some((span) => `${span} `.startsWith(`bpftool ${object} ${subcommand} `))) return true;
    return first.startsWith(`bpftool ${object} `) && more.some((span) => span.split(' ')[0] === subcommand);
  });
}

describeWith({ tools: ['bpftool'] }, 'the table for those who come from the installed bpftool', () => {
  it('has every subcommand that its help lists', () => {
    const all = objects().flatMap((object) => subcommands(object).map((name) => [object, name] as const));
    expect(all.length).toBeGreaterThan(40);
    expect(all.filter(([object, name]) => !isListed(object, name))).toEqual([]);
  });

  it('has every option that its help lists', () => {
    const texts = objects().map((object) => {
      const { stdout, stderr } = spawnSync('bpftool', [object, 'help'], { encoding: 'utf8' });
      return `${stdout}${stderr}`;
    });
    const options = new Set(
      texts.flatMap((text) => [...text.matchAll(/\{(-\w)\|--/g)].map(([, option = '']) => option)),
    );
    expect(options.size).toBeGreaterThan(5);
    const listed = new Set(bpftool.flatMap(({ foreign }) => spans(foreign)));
    expect([...options].filter((option) => !listed.has(option))).toEqual([]);
  });
});
