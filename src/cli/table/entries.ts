import { anyMap, key, keyType, perCpu, types, valueType } from './map-parts.js';
import type { CommandEntry } from './types.js';

/** Commands on single entries of maps. */
export const entryCommands = [
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
] as const satisfies readonly CommandEntry[];
