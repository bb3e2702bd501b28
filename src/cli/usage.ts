import type { Row } from './table/index.js';
import type { ArgumentEntry, OptionEntry } from './table/types.js';

/** An argument as usage lines show it: `SRC...`, `[TARGET]`. */
export function argumentUsage(entry: ArgumentEntry): string {
  const name = `${argumentName(entry)}${entry.variadic ? '...' : ''}`;
  return entry.required ? name : `[${name}]`;
}

/** An argument's name alone: `SRC`. */
export function argumentName(entry: ArgumentEntry): string {
  return entry.shown ?? entry.name.toUpperCase();
}

/** An option as lists show it: `-o, --output OUT`. */
export function optionUsage(entry: OptionEntry): string {
  const flags = entry.short === undefined ? `--${entry.long}` : `-${entry.short}, --${entry.long}`;
  return entry.value === undefined ? flags : `${flags} ${entry.value.name}`;
}

/** What follows an option's explanation: choices, default, whether it may be repeated. */
export function optionNotes(entry: OptionEntry): string {
  const notes = [
    ...(entry.value?.choices === undefined ? [] : [`one of ${entry.value.choices.join(', ')}`]),
    ...(entry.default === undefined ? [] : [`default ${entry.default}`]),
    ...(entry.repeatable ? ['can be repeated'] : []),
  ];
  return notes.length === 0 ? '' : ` (${notes.join('; ')})`;
}

/** The usage line of a command, without `netkit`. */
export function commandUsage(row: Row): string {
  return [row.name, ...row.arguments.map(argumentUsage), '[OPTION]...'].join(' ');
}

/** `text` in lines of at most `width` characters, as far as its words allow. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
