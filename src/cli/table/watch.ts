import { anyMap, field, keyType, valueType } from './map-parts.js';
import type { CommandEntry } from './types.js';

/** Commands that show what happens in a map as it happens. */
export const watchCommands = [
  {
    name: 'map watch',
    summary: 'print records and changes as they come',
    about: [
      'Of a ring buffer or a perf event array it prints each record that programs write, by its C type, until Ctrl-C, `--count` or `--for`. Records that are printed are taken out of the buffer.',
      'The type is taken from the object of the function that the map belongs to, or from a program that uses the map: what the variable `MAP_record` points to (`NETKIT_EVENTS` of `netkit/events.h` makes one), else a struct named after the map, else a struct whose name ends in `event` that a global variable points to. `--type` names it where that is not clear; without any type records are shown as bytes.',
      'How many records were lost is said on standard error, with `--json` in lines of their own. The kernel counts for perf event arrays. For a ring buffer programs have to: into an array of one `__u64`, which is `MAP_lost` beside the map, or the map given with `--lost`.',
      'Of any other map it prints which entries were added, changed and removed, by reading all of it every `--interval`. That takes some 200 bytes of memory an entry, beside key and value. What changes twice between two readings is seen once. Of a per-CPU map sums are compared.',
      'With `--json` each record or change is one JSON document on a line. A map lives while it is watched, also when its function is unloaded meanwhile.',
    ],
    arguments: [anyMap],
    options: [
      {
        long: 'type',
        value: { name: 'TYPE', kind: 'text' },
        about:
          "The type of the records: a C type such as `'struct event'`, of `--types` or of the object that the map belongs to, or a word such as `u64`.",
      },
      {
        long: 'types',
        value: { name: 'OBJ', kind: 'object' },
        about: 'An object file whose C types `--type`, `--key-type` and `--value-type` may name.',
      },
      {
        long: 'lost',
        value: { name: 'REF', kind: 'map' },
        about: 'The map in which programs count the records that found no room in a ring buffer.',
      },
      {
        long: 'take-over',
        about:
          'Read also when another process reads the buffer: it then misses the records that are printed here, and of a perf event array gets none any more.',
      },
      {
        long: 'count',
        value: { name: 'N', kind: 'count', min: 1 },
        about: 'End after N records or changes.',
      },
      {
        long: 'for',
        value: { name: 'SECONDS', kind: 'seconds', max: 2_000_000 },
        about: 'End after this time.',
      },
      {
        long: 'interval',
        value: { name: 'SECONDS', kind: 'seconds', min: 0.01, max: 86_400 },
        default: 1,
        about: 'How often a map without records is read.',
      },
      keyType,
      valueType,
      field,
    ],
    exits: [{ status: 130, about: 'Ctrl-C ended it, as is usual without `--count` and `--for`.' }],
    examples: [
      { command: 'netkit map watch fw/drops', about: 'Print the records of a ring buffer of fw.' },
      {
        command: "netkit map watch id:7 --type 'struct event' --types fw.bpf.o --json",
        about: 'The same for a map of another tool, as one JSON document a line.',
      },
      {
        command: 'netkit map watch fw/stats --interval 0.5 --for 10',
        about: 'Print what changes in a map within ten seconds.',
      },
    ],
  },
] as const satisfies readonly CommandEntry[];
