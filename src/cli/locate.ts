import { NetkitError } from '../base/errors.js';
import { closest, suggestion } from '../base/suggest.js';
import { bpftoolCommand } from './bpftool-habits.js';
import { conditionalOptions, globalOptions, versionOption } from './table/common.js';
import { commands, groups, type Row } from './table/index.js';
import type { OptionEntry } from './table/types.js';

/** What an argument vector asks for, as far as that is known without parsing options. */
export type Request =
  | { readonly kind: 'version' }
  /** `path` names a command, a group, or with '' netkit itself. */
  | { readonly kind: 'help'; readonly path: string }
  /** A group, or netkit itself, without a command. */
  | { readonly kind: 'incomplete'; readonly path: string }
  | { readonly kind: 'command'; readonly row: Row; readonly rest: readonly string[] };

const early: readonly OptionEntry[] = [...globalOptions, ...conditionalOptions, versionOption];

/**
 * Finds the command in `argv`. Done by hand so that only this one command has to be registered for parsing, and so that
 * help needs no parser at all. Throws 'usage' for an unknown command.
 */
export function locate(argv: readonly string[]): Request {
  if (argv[0] === 'help') {
    return { kind: 'help', path: resolvePath(argv.slice(1).filter((word) => !word.startsWith('-'))) };
  }
  const end = argv.indexOf('--');
  const wantsHelp = argv
    .slice(0, end < 0 ? argv.length : end)
    .some((word) => word === '--help' || word === '-h');
  const before: string[] = [];
  let path = '';
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (word === '--') break;
    if (word.startsWith('-') && word !== '-') {
      const option = wantsHelp ? findOption(word) : requireOption(word);
      if (option === versionOption && !wantsHelp) return { kind: 'version' };
      before.push(word);
      if (option?.value !== undefined && !hasOwnValue(word)) before.push(...argv.slice(++index, index + 1));
      continue;
    }
    path = wantsHelp ? extended(path, word) : step(path, word);
    const row = commands.find(({ name }) => name === path);
    if (row !== undefined) {
      if (wantsHelp) return { kind: 'help', path };
      return { kind: 'command', row, rest: [...before, ...argv.slice(index + 1)] };
    }
  }
  return { kind: wantsHelp ? 'help' : 'incomplete', path };
}

/** The command or group that `words` name, for `netkit help map update`. */
function resolvePath(words: readonly string[]): string {
  let path = '';
  for (const word of words) {
    if (commands.some(({ name }) => name === path)) break;
    path = step(path, word);
  }
  return path;
}

function extended(path: string, word: string): string {
  const longer = path === '' ? word : `${path} ${word}`;
  return [...commands, ...groups].some(({ name }) => name === longer) ? longer : step(path, word);
}

/** `path` with one more word; throws for a word that leads nowhere. */
function step(path: string, word: string): string {
  const longer = path === '' ? word : `${path} ${word}`;
  if ([...commands, ...groups].some(({ name }) => name === longer)) return longer;
  throw new NetkitError('usage', `unknown command '${longer}'`, {
    hint: bpftoolCommand(longer) ?? hintFor(word, wordsAfter(path)),
  });
}

/** All of them, however many: what is cut off would be taken for not there. */
function hintFor(word: string, known: readonly string[]): string {
  const near = closest(word, known);
  if (near !== undefined) return `did you mean '${near}'?`;
  return known.length === 0 ? 'netkit --help lists the commands' : `there is: ${known.join(', ')}`;
}

/** The words that may follow `path`. */
export function wordsAfter(path: string): readonly string[] {
  const prefix = path === '' ? '' : `${path} `;
  const words = [...commands, ...groups]
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name }) => name.slice(prefix.length).split(' ')[0] ?? '');
  return [...new Set(words)];
}

function hasOwnValue(word: string): boolean {
  return word.startsWith('--') && word.includes('=');
}

function findOption(word: string): OptionEntry | undefined {
  const name = word.split('=', 1)[0] ?? word;
  return early.find(
    ({ long, short }) => name === `--${long}` || (short !== undefined && name === `-${short}`),
  );
}

function requireOption(word: string): OptionEntry {
  const option = findOption(word);
  if (option !== undefined) return option;
  const known = early.map(({ long }) => `--${long}`);
  const name = word.split('=', 1)[0] ?? word;
  const ofCommand = commands.some((row) => row.options.some(({ long }) => name === `--${long}`));
  throw new NetkitError('usage', `unknown option '${name}'`, {
    hint: ofCommand ? 'options of a command come after its name' : suggestion(name, known),
  });
}
