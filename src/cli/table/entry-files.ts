import { anyMap, field, keyType, perCpu, types, valueType } from './map-parts.js';
import type { CommandEntry } from './types.js';

const format = {
  long: 'format',
  value: { name: 'FORMAT', kind: 'choice', choices: ['json', 'ndjson', 'csv', 'snapshot'] },
  about:
    'The format of the file, where its name does not tell: `.json`, `.ndjson` or `.jsonl`, `.csv`, `.nkmap` (snapshot).',
} as const;

const replace = {
  long: 'replace',
  about:
    'Make the map equal: write only what is new or differs, then remove what the other does not have. What stands in both is never missing.',
} as const;

const atomic = {
  long: 'atomic',
  about: 'All or nothing: when it fails, or is interrupted, the map becomes what it was.',
} as const;

const writeLock = {
  long: 'lock',
  about: 'Take the spin lock in each value while it is written.',
} as const;

const readLock = {
  long: 'lock',
  about: 'Take the spin lock in each value while it is read, so that no half-written value is seen.',
} as const;

const typeOptions = [field, keyType, valueType, types] as const;

const importExits = [
  { status: 2, about: 'An entry does not fit its type, or a key stands there twice.' },
  { status: 3, about: 'There is no such map or file.' },
  { status: 4, about: 'The map is frozen, or read-only for user space.' },
  { status: 5, about: 'The map is full. The message says how many entries were written.' },
  { status: 6, about: 'Maps of that type cannot do it.' },
] as const;

/** Commands on all entries of a map at once, and on files of entries. */
export const entryFileCommands = [
  {
    name: 'map dump',
    summary: 'read all entries',
    about: [
      'Reads every entry and prints it as it comes. A map that programs write to meanwhile may show some entries as they were, and some as they are.',
    ],
    arguments: [anyMap],
    options: [perCpu, readLock, ...typeOptions],
    exits: [
      {
        status: 6,
        about:
          'Maps of that type have no entries that can be listed: queues, stacks, bloom filters, ring buffers.',
      },
    ],
    examples: [
      { command: 'netkit map dump fw/stats', about: 'Show all counters.' },
      { command: 'netkit map dump fw/blocklist_v4 --json', about: 'All entries as JSON.' },
    ],
  },
  {
    name: 'map export',
    summary: 'write all entries to a file',
    about: [
      'The file is written beside its place and put there when it is whole, so that a failed export leaves the old one. It keeps the mode and owner of the old one; other names of that (hard links) keep the old contents. `netkit map import` reads it.',
      'Of a per-CPU map each entry has the values of all CPUs.',
    ],
    arguments: [
      anyMap,
      {
        name: 'file',
        shown: 'FILE|-',
        kind: 'file',
        required: false,
        about: 'The file. `-`, or none, is standard output, as NDJSON unless `--format` says otherwise.',
      },
    ],
    options: [format, readLock, ...typeOptions],
    exits: [
      { status: 6, about: 'Reading takes the values out of the map (queue, stack), or is not possible.' },
    ],
    examples: [
      { command: 'netkit map export fw/blocklist_v4 blocked.csv', about: 'For a spreadsheet.' },
      {
        command: 'netkit map export fw/blocklist_v4 before.nkmap',
        about: 'A snapshot, small and quick, with the types inside.',
      },
      {
        command: 'netkit map export fw/stats | jq .key',
        about: 'One JSON object a line to another program.',
      },
    ],
  },
  {
    name: 'map import',
    summary: 'write the entries of a file into a map',
    about: [
      'Reads what `netkit map export` writes: a JSON array of `{"key":…,"value":…}`, one such object a line, CSV with a column for each member, or a snapshot. Entries are written in the order of the file; the first one that is wrong or refused ends the import, and the message says where it stands and what was written.',
      'With `--replace` the whole file is checked before anything is written, and the map ends equal to it. A replacement that was killed is finished by running it again.',
      'A snapshot of a map with other types is accepted where its keys are of the same type and its values fit with zeros added, as `netkit map copy` does. One whose values are ids of maps or programs goes into a map of the same boot only.',
      'Of a per-CPU map a single value, as `netkit map dump` shows it, is the sum over all CPUs: it goes to CPU 0, and the others become zero. `netkit map update` gives every CPU the value. What has no sum goes to every CPU.',
    ],
    arguments: [
      anyMap,
      {
        name: 'file',
        shown: 'FILE|-',
        kind: 'file',
        required: true,
        about: 'The file; `-` is standard input, NDJSON unless `--format` says otherwise.',
      },
    ],
    options: [format, replace, atomic, writeLock, ...typeOptions],
    changes: true,
    exits: importExits,
    examples: [
      { command: 'netkit map import fw/blocklist_v4 blocked.csv', about: 'Add or overwrite entries.' },
      {
        command: 'netkit map import fw/blocklist_v4 blocked.csv --replace --dry-run',
        about: 'What making the map equal to the file would change.',
      },
      {
        command: 'netkit map import fw/blocklist_v4 blocked.csv --replace --atomic',
        about: 'Make it so, or leave it.',
      },
    ],
  },
  {
    name: 'map diff',
    summary: 'compare a map with a file or another map',
    about: [
      'Prints `+ key value` for what only the other has, `- key value` for what only the map has, and `~ key old -> new` for other values: what `netkit map import --replace` would do.',
    ],
    arguments: [
      anyMap,
      {
        name: 'other',
        shown: 'FILE|REF|-',
        kind: 'file',
        required: true,
        about: 'A file of entries, or another map. A file goes first where both exist.',
      },
    ],
    options: [format, ...typeOptions],
    exits: [
      { status: 0, about: 'They are equal.' },
      { status: 8, about: 'They differ.' },
    ],
    examples: [
      {
        command: 'netkit map diff fw/blocklist_v4 blocked.csv',
        about: 'See whether the map has what the file says.',
      },
      { command: 'netkit map diff fw/blocklist_v4 id:12', about: 'Compare two maps.' },
    ],
  },
  {
    name: 'map copy',
    summary: 'copy the entries of a map into another one',
    about: [
      'The types of both maps are compared first. Entries are copied as they are where the types agree, and with zeros added where the new values got members at their end. Keys must be of the same type. Anything else is refused, with the differences.',
    ],
    arguments: [
      {
        ...anyMap,
        name: 'source',
        about: 'The map that is read: `FUNCTION/MAP`, `id:N`, `name:TEXT` or the path of a pin.',
      },
      { ...anyMap, name: 'target', about: 'The map that is written, likewise.' },
    ],
    options: [replace, atomic, writeLock, ...typeOptions],
    changes: true,
    exits: [
      { status: 5, about: 'The types do not agree, or the map is full.' },
      { status: 6, about: 'Maps of that type cannot do it.' },
    ],
    examples: [
      {
        command: 'netkit map copy fw/blocklist_v4 fw2/blocklist_v4',
        about: 'Take the entries over into another function.',
      },
      {
        command: 'netkit map copy id:12 fw/stats --replace',
        about: 'And remove what the other map does not have.',
      },
    ],
  },
] as const satisfies readonly CommandEntry[];
