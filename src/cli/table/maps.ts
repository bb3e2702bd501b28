import type { CommandEntry } from './types.js';

const anyMap = {
  name: 'reference',
  shown: 'REF',
  kind: 'map',
  required: true,
  about: '`FUNCTION/MAP`, `id:N`, `name:TEXT` or the path of a pin.',
} as const;

const key = {
  name: 'key',
  kind: 'text',
  required: true,
  about: 'The key as text, JSON or `hex:…`, in the form that its type asks for; `netkit map show` tells it.',
} as const;

const keyType = {
  long: 'key-type',
  value: { name: 'TYPE', kind: 'text' },
  about:
    'The type of the keys, for a map without BTF: `u8` … `s64`, `be16` … `be64`, `ipv4`, `ipv6`, `prefix4`, `prefix6`, `mac`, `string`, `bytes:N`, or a C type of `--types`.',
} as const;

const valueType = {
  long: 'value-type',
  value: { name: 'TYPE', kind: 'text' },
  about: 'The type of the values, likewise.',
} as const;

const types = {
  long: 'types',
  value: { name: 'OBJ', kind: 'object' },
  about: 'An object file whose C types `--key-type` and `--value-type` may name.',
} as const;

const perCpu = {
  long: 'per-cpu',
  about: 'For per-CPU maps: the value of each CPU, instead of their sum.',
} as const;

/** Commands on maps and their entries. */
export const mapCommands = [
  {
    name: 'map list',
    summary: 'list maps',
    about: ["Lists the maps of netkit's functions, or every map that the kernel has."],
    arguments: [
      { name: 'function', kind: 'function', required: false, about: 'Only those of this function.' },
    ],
    options: [{ long: 'all', about: 'Every map in the kernel, whoever made it.' }],
    examples: [{ command: 'netkit map list fw', about: 'List the maps of fw.' }],
  },
  {
    name: 'map show',
    summary: 'show one map',
    about: ['Shows what the kernel knows of a map, and the C types of its keys and values.'],
    arguments: [anyMap],
    options: [],
    examples: [{ command: 'netkit map show fw/blocklist_v4', about: 'Show a map of fw.' }],
  },
  {
    name: 'map get',
    summary: 'read one entry',
    about: [
      'Finds exactly that key. In a map of prefixes it does not look for the longest match: 10.1.0.0/16 is not found when only 10.0.0.0/8 is there.',
    ],
    arguments: [anyMap, key],
    options: [perCpu, keyType, valueType, types],
    exits: [{ status: 3, about: 'There is no such map, or no such key in it.' }],
    examples: [
      { command: 'netkit map get fw/blocklist_v4 10.0.0.0/8', about: 'Read the entry of a prefix.' },
      { command: 'netkit map get fw/stats pass_no_match --per-cpu', about: 'Read a counter, CPU by CPU.' },
    ],
  },
  {
    name: 'map update',
    summary: 'write one entry',
    about: [
      'Writes an entry: by default whether or not the key is there. A struct may be given as JSON, as `member=value,…`, or as the bare value of its first member; members left out are zero. In a per-CPU map every CPU gets the value, so that their sum is a multiple of it.',
    ],
    arguments: [
      anyMap,
      key,
      { name: 'value', kind: 'text', required: true, about: 'The value, likewise.' },
      {
        name: 'when',
        shown: 'any|noexist|exist',
        kind: 'choice',
        choices: ['any', 'noexist', 'exist'],
        required: false,
        about: '`noexist` writes only a new key, `exist` only one that is there.',
      },
    ],
    options: [keyType, valueType, types],
    changes: true,
    exits: [
      { status: 2, about: 'The key or value does not fit its type.' },
      { status: 3, about: 'There is no such map; with `exist`, no such key.' },
      { status: 4, about: 'The map is frozen, or read-only for user space.' },
      { status: 5, about: 'With `noexist`: the key is there. The map is full.' },
    ],
    examples: [
      { command: 'netkit map update fw/blocklist_v4 10.0.0.0/8 drop', about: 'Block a prefix.' },
      {
        command: `netkit map update id:12 7 '{"packets":0,"bytes":0}' exist`,
        about: 'Set the members of a struct, for a key that is there.',
      },
    ],
  },
  {
    name: 'map delete',
    summary: 'delete one entry',
    about: ['Deletes exactly that key.'],
    arguments: [anyMap, key],
    options: [keyType, types],
    changes: true,
    removes: true,
    exits: [{ status: 3, about: 'There is no such map, or no such key in it.' }],
    examples: [{ command: 'netkit map delete fw/blocklist_v4 10.0.0.0/8', about: 'Unblock a prefix.' }],
  },
  {
    name: 'map dump',
    summary: 'read all entries',
    about: [
      'Reads every entry. A map that programs write to meanwhile may show some entries as they were, and some as they are.',
    ],
    arguments: [anyMap],
    options: [perCpu, keyType, valueType, types],
    examples: [
      { command: 'netkit map dump fw/stats', about: 'Show all counters.' },
      { command: 'netkit map dump fw/blocklist_v4 --json', about: 'All entries as JSON.' },
    ],
  },
] as const satisfies readonly CommandEntry[];
