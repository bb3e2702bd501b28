import type { CommandEntry, OptionEntry } from './types.js';

/** Options that every command takes, before or after its name. */
export const globalOptions = [
  { long: 'json', about: 'Print one JSON document; errors are JSON too, on standard error.' },
  {
    long: 'json-strings',
    about: 'As `--json`, with 64-bit integers as strings, for readers that would round them.',
  },
  { long: 'quiet', short: 'q', about: 'Print results and errors only.' },
  { long: 'no-color', about: 'No colour, as when `NO_COLOR` is set.' },
  { long: 'yes', short: 'y', about: 'Answer yes to every question.' },
  {
    long: 'bpffs',
    value: { name: 'DIR', kind: 'folder' },
    about: 'The mounted bpffs that holds the pins (`NETKIT_BPFFS`, else `/sys/fs/bpf`).',
  },
  {
    long: 'state-dir',
    value: { name: 'DIR', kind: 'folder' },
    about: 'Where netkit keeps its state (`NETKIT_STATE_DIR`, else `/var/lib/netkit`).',
  },
  {
    long: 'netns',
    value: { name: 'NAME|PATH|PID', kind: 'namespace' },
    about: 'The network namespace in which interfaces are looked up.',
  },
  {
    long: 'lock-timeout',
    value: { name: 'SECONDS', kind: 'seconds', min: 0, max: 86_400 },
    default: 10,
    about: 'How long to wait for another netkit command that is changing something.',
  },
  {
    long: 'log-level',
    value: { name: 'LEVEL', kind: 'choice', choices: ['error', 'warn', 'info', 'debug'] },
    default: 'info',
    about: 'How much to say on standard error; `debug` adds stack traces.',
  },
  { long: 'help', short: 'h', about: 'Explain the command.' },
] as const satisfies readonly OptionEntry[];

/** Only before a command's name: `netkit --version`. */
export const versionOption = {
  long: 'version',
  short: 'V',
  about: 'Print the version of netkit.',
} as const satisfies OptionEntry;

const dryRun = {
  long: 'dry-run',
  about: 'Print what would be done, and do nothing.',
} as const satisfies OptionEntry;
const ifExists = {
  long: 'if-exists',
  about: 'Succeed when there is nothing to remove.',
} as const satisfies OptionEntry;

/** `--dry-run` and `--if-exists`: options that only some commands take, by their row's `changes` and `removes`. */
export const conditionalOptions = [dryRun, ifExists] as const;

/** The options of a command's own help: what its row lists, and what follows from `changes` and `removes`. */
export function ownOptions(entry: CommandEntry): readonly OptionEntry[] {
  return [...entry.options, ...(entry.changes ? [dryRun] : []), ...(entry.removes ? [ifExists] : [])];
}

/** Every option that a command accepts. */
export function allOptions(entry: CommandEntry): readonly OptionEntry[] {
  return [...ownOptions(entry), ...globalOptions];
}
