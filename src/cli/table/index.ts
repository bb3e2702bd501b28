import { batchCommands } from './batch.js';
import { benchCommands } from './bench.js';
import { allDeclaredCommands } from './declared-views.js';
import { entryCommands } from './entries.js';
import { entryFileCommands } from './entry-files.js';
import { functionCommands } from './functions.js';
import { hookCommands } from './hooks.js';
import { machineCommands } from './machine.js';
import { featureCommands } from './machine-features.js';
import { mapCommands } from './maps.js';
import { objectCommands } from './objects.js';
import { programCommands } from './programs.js';
import { seeingCommands } from './seeing.js';
import { serviceCommands } from './service.js';
import type { ArgumentsOf, CommandEntry, GroupEntry, OptionsOf } from './types.js';
import { watchCommands } from './watch.js';
import { wayBackCommands } from './ways-back.js';

const entries = [
  ...objectCommands,
  ...functionCommands,
  ...hookCommands,
  ...wayBackCommands,
  ...allDeclaredCommands,
  ...programCommands,
  ...seeingCommands,
  ...mapCommands,
  ...entryCommands,
  ...entryFileCommands,
  ...watchCommands,
  ...benchCommands,
  ...batchCommands,
  ...featureCommands,
  ...serviceCommands,
  ...machineCommands,
] as const;

type Entries = (typeof entries)[number];

/** The name of every command: the words after `netkit`, such as `map update`. */
export type CommandName = Entries['name'];
/** The arguments of a command as its body gets them. */
export type Arguments<N extends CommandName> = ArgumentsOf<Extract<Entries, { readonly name: N }>>;
/** The options of a command as its body gets them. */
export type Options<N extends CommandName> = OptionsOf<Extract<Entries, { readonly name: N }>>;

/** A row of the table, with its exact name. */
export type Row = CommandEntry & { readonly name: CommandName };

/** Every command of netkit, in the order in which help lists them. */
export const commands: readonly Row[] = entries;

/** Commands that are only there to have commands below them. */
export const groups: readonly GroupEntry[] = [
  { name: 'gen', summary: 'generate sources' },
  { name: 'prog', summary: 'programs in the kernel' },
  { name: 'link', summary: 'links in the kernel: what is attached where' },
  { name: 'map', summary: 'maps in the kernel and their entries' },
  { name: 'service', summary: 'netkit as a service of systemd' },
  { name: 'bench', summary: 'measure, and show and compare what was measured' },
  { name: 'btf', summary: 'types: of the kernel, of programs and maps, of files' },
];

/** The headings under which help lists commands. */
export const chapters: readonly { readonly title: string; readonly commands: readonly Row[] }[] = [
  { title: 'Objects', commands: objectCommands },
  { title: 'Functions', commands: [...functionCommands, ...hookCommands, ...wayBackCommands] },
  { title: 'Declared functions', commands: allDeclaredCommands },
  { title: 'Programs and links', commands: [...programCommands, ...seeingCommands] },
  { title: 'Maps', commands: mapCommands },
  { title: 'Entries of maps', commands: [...entryCommands, ...entryFileCommands, ...watchCommands] },
  { title: 'Benchmarks', commands: benchCommands },
  {
    title: 'The machine and netkit itself',
    commands: [...batchCommands, ...featureCommands, ...serviceCommands, ...machineCommands],
  },
];
