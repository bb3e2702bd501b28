import {
  anyMap,
  field,
  key,
  keyType,
  lock,
  perCpu,
  types,
  typesOfKeys,
  typesOfValues,
  valueType,
} from './map-parts.js';
import type { CommandEntry } from './types.js';

/** How a value is given; the same for all commands that write one. */
const value = { name: 'value', kind: 'text', required: true, about: 'The value, likewise.' } as const;
const pushedValue = {
  name: 'value',
  kind: 'text',
  required: true,
  about: 'The value as text, JSON or `hex:…`; `netkit map show` tells the form.',
} as const;

/** Commands on single entries of maps. */
export const entryCommands = [
  {
    name: 'map get',
    summary: 'read one entry',
    about: [
      'Finds exactly that key. In a map of prefixes it does not look for the longest match, as `netkit map lookup` does: 10.1.0.0/16 is not found when only 10.0.0.0/8 is there.',
    ],
    arguments: [anyMap, key],
    options: [perCpu, lock, field, keyType, valueType, types],
    exits: [
      { status: 3, about: 'There is no such map, or no such key in it.' },
      { status: 6, about: 'Maps of that type have no entries that can be read by key.' },
    ],
    examples: [
      { command: 'netkit map get fw/blocklist_v4 10.0.0.0/8', about: 'Read the entry of a prefix.' },
      { command: 'netkit map get fw/stats pass_no_match --per-cpu', about: 'Read a counter, CPU by CPU.' },
    ],
  },
  {
    name: 'map lookup',
    summary: 'ask a map as a program would',
    about: [
      'Gives what a program would find. In a map of prefixes that is the longest prefix that contains the key: an address can be given as it is. The kernel does not say which prefix that was: netkit lists the map right after, which may name another one if the map changes just then.',
      'A bloom filter is asked about a value, and answers that it may be there, or that it surely is not.',
    ],
    arguments: [
      anyMap,
      {
        name: 'key',
        kind: 'text',
        required: true,
        about: 'The key, an address for a map of prefixes, or the value that a bloom filter is asked about.',
      },
    ],
    options: [perCpu, lock, field, keyType, valueType, types],
    exits: [
      { status: 3, about: 'There is no such map, nothing in it matches, or the value is surely not in it.' },
      { status: 6, about: 'Maps of that type cannot be asked.' },
    ],
    examples: [
      {
        command: 'netkit map lookup fw/blocklist_v4 10.1.2.3',
        about: 'Show which entry decides about a source.',
      },
      {
        command: 'netkit map lookup id:12 10.1.2.0/24 --json',
        about: 'The same for a whole network, as JSON.',
      },
    ],
  },
  {
    name: 'map update',
    summary: 'write one entry',
    about: [
      'Writes an entry: by default whether or not the key is there. A struct may be given as JSON, as `member=value,…`, or as the bare value of its first member; members left out are zero. In a per-CPU map every CPU gets the value: `update` with 5 on 4 CPUs gives a sum of 20. `netkit map import` of 5 gives a sum of 5.',
      'Into a map of maps or a program array goes a reference: `FUNCTION/MAP`, `FUNCTION/PROGRAM`, `id:N` or the path of a pin.',
    ],
    arguments: [
      anyMap,
      key,
      value,
      {
        name: 'when',
        shown: 'any|noexist|exist|lock',
        kind: 'choice',
        choices: ['any', 'noexist', 'exist', 'lock'],
        required: false,
        about:
          '`noexist` writes only a new key, `exist` only one that is there; `lock` takes the spin lock in the value while it is written.',
      },
    ],
    options: [field, keyType, valueType, types],
    changes: true,
    exits: [
      { status: 2, about: 'The key or value does not fit its type.' },
      { status: 3, about: 'There is no such map; with `exist`, no such key.' },
      { status: 4, about: 'The map is frozen, or read-only for user space.' },
      { status: 5, about: 'With `noexist`: the key is there. The map is full.' },
      { status: 6, about: 'Maps of that type take no entries from netkit.' },
    ],
    examples: [
      { command: 'netkit map update fw/blocklist_v4 10.0.0.0/8 drop', about: 'Block a prefix.' },
      {
        command: `netkit map update id:12 7 '{"packets":0,"bytes":0}' exist`,
        about: 'Set the members of a struct, for a key that is there.',
      },
      {
        command: 'netkit map update id:13 port=443 1 --field port=be16',
        about: 'The type of a member does not say that it is in network byte order.',
      },
    ],
  },
  {
    name: 'map delete',
    summary: 'delete one entry',
    about: ['Deletes exactly that key.'],
    arguments: [anyMap, key],
    options: [field, keyType, typesOfKeys],
    changes: true,
    removes: true,
    exits: [
      { status: 3, about: 'There is no such map, or no such key in it.' },
      { status: 4, about: 'The map is frozen, or read-only for user space.' },
      { status: 6, about: 'Entries of such a map cannot be deleted: those of an array are always there.' },
    ],
    examples: [{ command: 'netkit map delete fw/blocklist_v4 10.0.0.0/8', about: 'Unblock a prefix.' }],
  },
  {
    name: 'map push',
    summary: 'put a value into a queue, stack or bloom filter',
    about: ['These maps have no keys. A full queue or stack refuses the value, unless `--evict` makes room.'],
    arguments: [anyMap, pushedValue],
    options: [
      { long: 'evict', about: 'When it is full, throw out the value that has been in it longest.' },
      field,
      valueType,
      typesOfValues,
    ],
    changes: true,
    exits: [
      { status: 4, about: 'The map is frozen, or read-only for user space.' },
      { status: 5, about: 'It is full.' },
      { status: 6, about: 'The map has keys.' },
    ],
    examples: [
      { command: 'netkit map push jobs/queue 7', about: 'Put a number at the end of a queue.' },
      { command: 'netkit map push jobs/queue 8 --evict', about: 'And again, even if the first one must go.' },
    ],
  },
  {
    name: 'map pop',
    summary: 'take a value out of a queue or stack',
    about: ['Prints the value and removes it: of a queue the oldest, of a stack the newest.'],
    arguments: [anyMap],
    options: [field, valueType, typesOfValues],
    changes: true,
    removes: true,
    exits: [
      { status: 3, about: 'There is no such map, or nothing in it.' },
      { status: 4, about: 'The map is frozen, or read-only for user space.' },
      { status: 6, about: 'The map is neither a queue nor a stack.' },
    ],
    examples: [{ command: 'netkit map pop jobs/queue', about: 'Take the oldest value.' }],
  },
  {
    name: 'map peek',
    summary: 'show the value that pop would take',
    about: ['Prints the next value of a queue or stack and leaves it there.'],
    arguments: [anyMap],
    options: [field, valueType, typesOfValues],
    exits: [
      { status: 3, about: 'There is no such map, or nothing in it.' },
      { status: 6, about: 'The map is neither a queue nor a stack.' },
    ],
    examples: [{ command: 'netkit map peek jobs/queue', about: 'Look at the oldest value.' }],
  },
] as const satisfies readonly CommandEntry[];
