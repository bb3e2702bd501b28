import { mapTypes } from '../../base/kernel-words.js';
import { anyMap, types } from './map-parts.js';
import type { CommandEntry } from './types.js';

const pin = {
  name: 'path',
  kind: 'file',
  required: true,
  about: 'Where to pin it: an absolute path on a mounted bpffs, without a dot in its last part.',
} as const;

/** Commands on maps as a whole. */
export const mapCommands = [
  {
    name: 'map list',
    summary: 'list maps',
    about: [
      "Lists the maps of netkit's functions. What `netkit map create` and other tools made belongs to no function: `--all` lists every map that the kernel has.",
    ],
    arguments: [
      { name: 'function', kind: 'function', required: false, about: 'Only those of this function.' },
    ],
    options: [{ long: 'all', about: 'Every map in the kernel, whoever made it.' }],
    examples: [{ command: 'netkit map list fw', about: 'List the maps of fw.' }],
  },
  {
    name: 'map show',
    summary: 'show one map',
    about: [
      'Shows what the kernel knows of a map: its type and size, how its keys and values are written, whether it can be written, and which commands work on it.',
    ],
    arguments: [anyMap],
    options: [],
    examples: [{ command: 'netkit map show fw/blocklist_v4', about: 'Show a map of fw.' }],
  },
  {
    name: 'map create',
    summary: 'make a map and pin it',
    about: [
      'A map belongs to no program until one uses it: `netkit load OBJ --reuse MAP=PIN` gives it to a function in place of its own. It lives as long as its pin, or a program that uses it; `rm PIN` removes the pin.',
      'What a type prescribes can be left out: the indices of an array are `u32`, a queue has no keys, a map of prefixes gets its `no_prealloc`. The kernel keeps the types of keys and values for later commands, except for queues, stacks and some others, where each command needs `--value-type`.',
    ],
    arguments: [{ ...pin, name: 'pin' }],
    options: [
      {
        long: 'type',
        value: { name: 'TYPE', kind: 'choice', choices: mapTypes.slice(1) },
        about: 'What kind of map.',
      },
      {
        long: 'key-type',
        value: { name: 'TYPE', kind: 'text' },
        about:
          'The type of the keys: `u8` … `s64`, `be16` … `be64`, `ipv4`, `ipv6`, `prefix4`, `prefix6`, `mac`, `string:N`, `bytes:N`, or a C type (`--types`).',
      },
      {
        long: 'value-type',
        value: { name: 'TYPE', kind: 'text' },
        about: 'The type of the values, likewise.',
      },
      types,
      {
        long: 'key-size',
        value: { name: 'BYTES', kind: 'count', max: 2 ** 28 },
        conflicts: ['key-type'],
        about: 'In place of `--key-type`: so many bytes without a type.',
      },
      {
        long: 'value-size',
        value: { name: 'BYTES', kind: 'count', max: 2 ** 28 },
        conflicts: ['value-type'],
        about: 'Likewise for the values.',
      },
      {
        long: 'max-entries',
        value: { name: 'N', kind: 'count', max: 2 ** 32 - 1 },
        about: 'How many entries fit; of a ring buffer its bytes.',
      },
      {
        long: 'flag',
        value: {
          name: 'FLAG',
          kind: 'choice',
          choices: [
            'no_prealloc',
            'no_common_lru',
            'zero_seed',
            'rdonly_prog',
            'wronly_prog',
            'clone',
            'mmapable',
            'preserve_elems',
            'inner_map',
          ],
        },
        repeatable: true,
        about: 'A flag of the kernel, `BPF_F_…` in lower case.',
      },
      {
        long: 'inner',
        value: { name: 'REF', kind: 'map' },
        about: 'For a map of maps: a map like those that will be in it.',
      },
      {
        long: 'name',
        value: { name: 'NAME', kind: 'text' },
        about: "Its name in the kernel, at most 15 characters; the pin's name when left out.",
      },
    ],
    changes: true,
    exits: [
      { status: 2, about: 'The sizes do not fit the type, or the path is on no bpffs.' },
      { status: 5, about: 'Something is at that path already.' },
      { status: 6, about: 'This kernel has no maps of that type.' },
    ],
    examples: [
      {
        command:
          'netkit map create /sys/fs/bpf/shared/hosts --type hash --key-type ipv4 --value-type u64 --max-entries 1000',
        about: 'Numbers by address.',
      },
      {
        command:
          'netkit map create /sys/fs/bpf/nets --type lpm_trie --key-type prefix4 --value-type u32 --max-entries 1000',
        about: 'Numbers by prefix.',
      },
      {
        command:
          "netkit map create /sys/fs/bpf/rules --type hash --key-type u32 --value-type 'struct rule' --types fw.bpf.o --max-entries 100",
        about: 'Values of a C type of an object file.',
      },
    ],
  },
  {
    name: 'map pin',
    summary: 'pin a map at a path of your own',
    about: [
      'The map then lives as long as that pin, also when its function is unloaded. `rm PATH` removes it. Other programs find the map there: `bpftool map dump pinned PATH`.',
    ],
    arguments: [anyMap, pin],
    options: [],
    changes: true,
    exits: [
      { status: 2, about: 'The path is on no bpffs, or in a folder that netkit keeps for its functions.' },
      { status: 5, about: 'Something else is at that path already.' },
    ],
    examples: [
      { command: 'netkit map pin fw/stats /sys/fs/bpf/fw_stats', about: 'Keep the counters of fw.' },
    ],
  },
  {
    name: 'map freeze',
    summary: 'make a map read-only for user space, for good',
    about: [
      'From then on nobody can write the map from user space, root included: not netkit, not other tools, not through another pin. Programs still write it, unless it was made with `rdonly_prog`. There is no way back; it ends with the map.',
    ],
    arguments: [anyMap],
    options: [],
    changes: true,
    exits: [
      { status: 4, about: 'It may not be frozen by this user.' },
      { status: 5, about: 'A process has it mapped for writing.' },
      { status: 6, about: 'Maps of that type cannot be frozen.' },
    ],
    examples: [
      { command: 'netkit map freeze fw/blocklist_v4', about: 'Nobody is to change the list any more.' },
    ],
  },
] as const satisfies readonly CommandEntry[];
