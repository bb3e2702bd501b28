import { Argument, Command, CommanderError, Option } from 'commander';
import { NetkitError } from '../base/errors.js';
import { closest } from '../base/suggest.js';
import { inOwnWords } from './bpftool-habits.js';
import { allOptions } from './table/common.js';
import type { Row } from './table/index.js';
import type { ArgumentEntry, ArgumentValue, OptionEntry, OptionValue, ValueEntry } from './table/types.js';
import { argumentName, argumentUsage } from './usage.js';

export interface Parsed {
  /** By property name. */
  readonly args: Readonly<Record<string, ArgumentValue>>;
  /** The command's own options, by property name. */
  readonly options: Readonly<Record<string, OptionValue>>;
  /** Every option, by its long name. */
  readonly values: ReadonlyMap<string, OptionValue>;
}

/** Parses what follows a command's name, by its row of the table. Throws 'usage'. */
export function parse(row: Row, rest: readonly string[]): Parsed {
  const command = new Command(`netkit ${row.name}`)
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .showSuggestionAfterError(false);
  for (const entry of row.arguments) command.addArgument(new Argument(argumentUsage(entry)));
  for (const entry of allOptions(row)) command.addOption(commanderOption(entry));
  try {
    command.parse([...rest], { from: 'user' });
  } catch (error) {
    throw usageError(row, error, rest);
  }
  const raw = command.opts<Record<string, unknown>>();
  const values = new Map<string, OptionValue>();
  for (const entry of allOptions(row)) values.set(entry.long, optionValue(entry, raw[property(entry.long)]));
  checkConflicts(row, values);
  const args: Record<string, ArgumentValue> = {};
  row.arguments.forEach((entry, index) => {
    args[camelCase(entry.name)] = argumentValue(entry, command.processedArgs[index]);
  });
  const own = row.options.map(({ long }): [string, OptionValue] => [camelCase(long), values.get(long)]);
  return { args, options: Object.fromEntries(own), values };
}

/** Every option keeps all that was given, so that one given twice can be refused rather than half ignored. */
function commanderOption(entry: OptionEntry): Option {
  const flags = `${entry.short === undefined ? '' : `-${entry.short}, `}--${entry.long}`;
  if (entry.value === undefined) return new Option(flags);
  return new Option(`${flags} <value>`).argParser<string[]>((value, before) => [...(before ?? []), value]);
}

/** Commander's name for the option: it takes `--no-color` for the negation of `color`. */
function property(long: string): string {
  return camelCase(long.startsWith('no-') ? long.slice(3) : long);
}

function optionValue(entry: OptionEntry, raw: unknown): OptionValue {
  if (entry.value === undefined) return entry.long.startsWith('no-') ? raw === false : raw === true;
  const given = Array.isArray(raw) ? raw.filter((item): item is string => typeof item === 'string') : [];
  const kind = entry.value;
  const name = `--${entry.long}`;
  if (entry.repeatable) {
    return isNumeric(kind)
      ? given.map((item) => numberFrom(kind, name, item))
      : given.map((item) => textFrom(kind, name, item));
  }
  if (given.length > 1) throw new NetkitError('usage', `${name} is given ${given.length} times`);
  const [text] = given;
  if (text === undefined) return entry.default;
  return isNumeric(kind) ? numberFrom(kind, name, text) : textFrom(kind, name, text);
}

function isNumeric(value: ValueEntry): boolean {
  return value.kind === 'count' || value.kind === 'seconds';
}

/** So many choices are listed beside the one that was probably meant. */
const mostChoices = 12;

function textFrom(value: { readonly choices?: readonly string[] }, name: string, text: string): string {
  if (value.choices === undefined || value.choices.includes(text)) return text;
  const begun = text === '' ? undefined : value.choices.find((choice) => choice.startsWith(text));
  const near = begun ?? closest(text, value.choices);
  const hint = near === undefined ? undefined : `did you mean '${near}'?`;
  // Of many the one that was meant is all that helps.
  const isLong = near !== undefined && value.choices.length > mostChoices;
  const known = isLong ? `the ${value.choices.length} words for it` : value.choices.join(', ');
  throw new NetkitError('usage', `${name}: '${text}' is none of ${known}`, { hint });
}

function numberFrom(value: ValueEntry, name: string, text: string): number {
  const form = value.kind === 'count' ? /^\d{1,15}$/ : /^\d{1,9}(\.\d{1,9})?$/;
  const number = Number(text);
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = value;
  if (form.test(text) && number >= min && number <= max) return number;
  const what = value.kind === 'count' ? 'a whole number' : 'a number of seconds';
  throw new NetkitError('usage', `${name}: '${text}' is not ${what} from ${min} to ${max}`);
}

function argumentValue(entry: ArgumentEntry, raw: unknown): ArgumentValue {
  if (Array.isArray(raw)) return raw.filter((item): item is string => typeof item === 'string');
  if (typeof raw !== 'string') return undefined;
  // The text of a value may well be empty; no name is.
  if (raw === '' && entry.kind !== 'text') throw new NetkitError('usage', `${argumentName(entry)} is empty`);
  return textFrom(entry, argumentName(entry), raw);
}

function checkConflicts(row: Row, values: ReadonlyMap<string, OptionValue>): void {
  const given = (long: string): boolean => {
    const value = values.get(long);
    if (Array.isArray(value)) return value.length > 0;
    // What is the default anyway contradicts nothing.
    const usual = row.options.find((option) => option.long === long)?.default;
    return value !== undefined && value !== false && value !== usual;
  };
  for (const { long, conflicts = [] } of row.options) {
    for (const other of conflicts) {
      if (given(long) && given(other))
        throw new NetkitError('usage', `--${long} and --${other} exclude each other`);
    }
  }
}

/** Commander's error in netkit's words. */
function usageError(row: Row, error: unknown, rest: readonly string[]): unknown {
  if (!(error instanceof CommanderError)) return error;
  const message = error.message.replace(/^error: /, '').replace(/\s+/g, ' ');
  const usage = `netkit ${row.name} --help explains the command`;
  switch (error.code) {
    case 'commander.unknownOption': {
      const [, name = ''] = /'([^']*)'/.exec(message) ?? [];
      const known = allOptions(row).map(({ long }) => `--${long}`);
      const near = name.startsWith('--') ? closest(name, known) : undefined;
      const takesText = row.arguments.some(({ kind }) => kind === 'text');
      const other = takesText ? "after '--' a word with a dash is an argument" : usage;
      return new NetkitError('usage', `unknown option '${name}'`, {
        hint: near === undefined ? other : `did you mean '${near}'?`,
      });
    }
    case 'commander.missingArgument': {
      const [, name = ''] = /'([^']*)'/.exec(message) ?? [];
      return new NetkitError('usage', `${row.name}: ${name} is missing`, { hint: usage });
    }
    case 'commander.optionMissingArgument': {
      const [, name = ''] = /--([\w-]+)/.exec(message) ?? [];
      return new NetkitError('usage', `--${name} needs a value`, { hint: usage });
    }
    case 'commander.excessArguments':
      return new NetkitError('usage', `${row.name}: too many arguments`, {
        hint: inOwnWords(row, rest) ?? usage,
      });
    default:
      return new NetkitError('usage', message, { hint: usage });
  }
}

/** `map-size` → `mapSize`. */
function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
