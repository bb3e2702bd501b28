/**
 * What one row of the command table says, and the TypeScript types of a command's arguments and options that follow
 * from it. Parsing, help, man pages, completions and `docs/commands.md` all read these rows and nothing else.
 */

/** What a value is: how completion finds candidates for it, and whether it is read as a number. */
export type ValueKind =
  | 'text'
  | 'choice'
  /** A whole number, given to the command as `number`. */
  | 'count'
  /** Seconds, decimals allowed, given to the command as `number`. */
  | 'seconds'
  | 'file'
  | 'folder'
  | 'object'
  | 'source'
  | 'pcap'
  | 'function'
  /** A function, or one of its programs. */
  | 'program'
  | 'map'
  | 'link'
  | 'interface'
  /** What a program attaches to: an interface, a cgroup, a function of the kernel, … */
  | 'target'
  | 'namespace';

export interface ArgumentEntry {
  /** Lower case with dashes; `args` has it in camel case. */
  readonly name: string;
  /** How usage lines show it, when that is not just the name in capitals. */
  readonly shown?: string;
  readonly kind: ValueKind;
  readonly required: boolean;
  readonly variadic?: true;
  readonly choices?: readonly string[];
  readonly about: string;
}

export interface ValueEntry {
  readonly name: string;
  readonly kind: ValueKind;
  readonly choices?: readonly string[];
  /** Smallest and largest number, for `count` and `seconds`. */
  readonly min?: number;
  readonly max?: number;
}

export interface OptionEntry {
  /** Without the dashes; `options` has it in camel case. */
  readonly long: string;
  readonly short?: string;
  /** Absent for a switch. */
  readonly value?: ValueEntry;
  readonly repeatable?: true;
  readonly default?: string | number;
  /** Long names of options that cannot be given beside this one. */
  readonly conflicts?: readonly string[];
  readonly about: string;
}

export interface ExampleEntry {
  readonly command: string;
  readonly about: string;
}

export interface CommandEntry {
  /** The words after `netkit`: `map update`. */
  readonly name: string;
  /** One line without a full stop. */
  readonly summary: string;
  /** Paragraphs; words in backticks are what one types. */
  readonly about: readonly string[];
  readonly arguments: readonly ArgumentEntry[];
  readonly options: readonly OptionEntry[];
  /** Changes something in the kernel or in netkit's state: `--dry-run` exists. */
  readonly changes?: true;
  /** Removes something: `--if-exists` exists. */
  readonly removes?: true;
  /** When the command asks for confirmation, which `--yes` gives beforehand. */
  readonly asks?: string;
  /** Exit statuses that mean something particular here, beside those that every command has. */
  readonly exits?: readonly { readonly status: number; readonly about: string }[];
  readonly examples: readonly ExampleEntry[];
}

export interface GroupEntry {
  readonly name: string;
  readonly summary: string;
}

export type ArgumentValue = string | readonly string[] | undefined;
export type OptionValue = string | number | boolean | readonly string[] | readonly number[] | undefined;

/** `map-size` → `mapSize`: the property that an option or argument becomes. */
export type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type Chosen<Entry> = Entry extends { readonly choices: readonly (infer Choice)[] } ? Choice : string;
type Single<Value> = Value extends { readonly kind: 'count' | 'seconds' } ? number : Chosen<Value>;

type ArgumentOf<Entry> = Entry extends { readonly variadic: true }
  ? readonly string[]
  : Entry extends { readonly required: true }
    ? Chosen<Entry>
    : Chosen<Entry> | undefined;

type OptionOf<Entry> = Entry extends { readonly value: infer Value }
  ? Entry extends { readonly repeatable: true }
    ? readonly Single<Value>[]
    : Entry extends { readonly default: string | number }
      ? Single<Value>
      : Single<Value> | undefined
  : boolean;

/** The arguments of the command in `Entry`, each under its name in camel case. */
export type ArgumentsOf<Entry extends CommandEntry> = {
  readonly [A in Entry['arguments'][number] as CamelCase<A['name']>]: ArgumentOf<A>;
};

/**
 * The options of the command in `Entry`: a switch is a boolean, a repeatable option a list (empty when not given), any
 * other its value or `undefined`.
 */
export type OptionsOf<Entry extends CommandEntry> = {
  readonly [O in Entry['options'][number] as CamelCase<O['long']>]: OptionOf<O>;
};
