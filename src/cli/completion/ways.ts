import { globalOptions, ownOptions, versionOption } from '../table/common.js';
import { commands, groups, type Row } from '../table/index.js';
import type { ArgumentEntry, OptionEntry } from '../table/types.js';

/**
 * What the completion scripts of all shells are made from.
 *
 * A «way» is how a script finds candidates: a `ValueKind`, or `choice` and the words to choose from.
 */

/** The paths after which a command's name goes on: '' and the groups. */
export const openPaths: readonly string[] = ['', ...groups.map(({ name }) => name)];

/** The words that can follow an open path, with what they do. */
export function nextWords(path: string): { readonly word: string; readonly about: string }[] {
  const named = [...commands, ...groups].map(({ name, summary }) => ({ name, about: summary }));
  const all = [...named, { name: 'help', about: 'explain a command' }];
  const prefix = path === '' ? '' : `${path} `;
  return all
    .filter(
      ({ name }) => name.startsWith(prefix) && !name.slice(prefix.length).includes(' ') && name !== path,
    )
    .map(({ name, about }) => ({ word: name.slice(prefix.length), about: plain(about) }));
}

/** The options of no command in particular. */
export const commonOptions: readonly OptionEntry[] = globalOptions;

export const rootOptions: readonly OptionEntry[] = [versionOption];

export const rows: readonly Row[] = commands;

export function optionsOf(row: Row): readonly OptionEntry[] {
  return ownOptions(row);
}

/** `--output`, and `-o` where there is a short form. */
export function flags(entry: OptionEntry): string[] {
  return [`--${entry.long}`, ...(entry.short === undefined ? [] : [`-${entry.short}`])];
}

/** How to complete an option's value; `undefined` for a switch. */
export function wayOf(entry: OptionEntry): string | undefined {
  return entry.value === undefined ? undefined : way(entry.value);
}

/** How to complete an argument. */
export function way(entry: Pick<ArgumentEntry, 'kind' | 'choices'>): string {
  return entry.choices === undefined ? entry.kind : `choice ${entry.choices.join(' ')}`;
}

/** One line without the backticks of the table's prose. */
export function plain(text: string): string {
  return text.replace(/`/g, '');
}

/** `text` as one word of any of the three shells. */
export function quoted(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}
