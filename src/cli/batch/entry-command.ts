/** `map update` and `map delete`: nearly all lines of a long batch, so that they are read without the parser of options. */
import type { Parsed } from '../parse.js';
import type { TypeOptions } from '../typed-map.js';

export type WriteCondition = 'any' | 'noexist' | 'exist';

/** One entry to be written or deleted. */
export interface EntryCommand {
  readonly kind: 'update' | 'delete';
  readonly reference: string;
  readonly key: string;
  /** '' for `delete`. */
  readonly value: string;
  /** 'any' for `delete`. */
  readonly when: WriteCondition;
  /** Undefined where the map's own types are meant. */
  readonly types: TypeOptions | undefined;
  readonly ifExists: boolean;
  readonly dryRun: boolean;
}

/** Reads a line that has no option; undefined for any other line, also for one that is wrong. */
export function plainEntryCommand(words: readonly string[]): EntryCommand | undefined {
  const first = words[0] === 'netkit' ? 1 : 0;
  if (words[first] !== 'map') return undefined;
  const kind = words[first + 1];
  const reference = words[first + 2];
  const key = words[first + 3];
  if (!isArgument(reference) || reference === '' || !isArgument(key)) return undefined;
  const count = words.length - first;
  if (kind === 'delete' && count === 4) return entry(kind, reference, key, '', 'any');
  if (kind !== 'update') return undefined;
  const value = words[first + 4];
  if (!isArgument(value)) return undefined;
  if (count === 5) return entry(kind, reference, key, value, 'any');
  const when = words[first + 5];
  return count === 6 && isCondition(when) ? entry(kind, reference, key, value, when) : undefined;
}

/** The same from a line that the parser of options has read; undefined for what only the command itself can do. */
export function parsedEntryCommand(
  name: string,
  { args, options, values }: Parsed,
): EntryCommand | undefined {
  if (name !== 'map update' && name !== 'map delete') return undefined;
  const { reference, key, value, when = 'any' } = args;
  if (typeof reference !== 'string' || typeof key !== 'string' || !isCondition(when)) return undefined;
  const { keyType, valueType, types, field, ...others } = options;
  const isOther = Object.values(others).some((given) => given !== undefined && given !== false);
  if (isOther) return undefined;
  return {
    kind: name === 'map update' ? 'update' : 'delete',
    reference,
    key,
    value: typeof value === 'string' ? value : '',
    when,
    types: typesGiven({ keyType, valueType, types, field }),
    ifExists: values.get('if-exists') === true,
    dryRun: values.get('dry-run') === true,
  };
}

function typesGiven(options: Readonly<Record<keyof TypeOptions, unknown>>): TypeOptions | undefined {
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const field = Array.isArray(options.field)
    ? options.field.filter((each): each is string => typeof each === 'string')
    : [];
  const given = {
    keyType: text(options.keyType),
    valueType: text(options.valueType),
    types: text(options.types),
    field,
  };
  const isGiven =
    field.length > 0 || [given.keyType, given.valueType, given.types].some((each) => each !== undefined);
  return isGiven ? given : undefined;
}

function entry(
  kind: 'update' | 'delete',
  reference: string,
  key: string,
  value: string,
  when: WriteCondition,
): EntryCommand {
  return { kind, reference, key, value, when, types: undefined, ifExists: false, dryRun: false };
}

/** A word that cannot be an option. */
function isArgument(word: string | undefined): word is string {
  return word !== undefined && word.charCodeAt(0) !== 0x2d;
}

function isCondition(word: unknown): word is WriteCondition {
  return word === 'any' || word === 'noexist' || word === 'exist';
}
