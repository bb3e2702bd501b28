import { measuringExits, measuringOptions, method } from './bench-measuring.js';
import type { CommandEntry } from './types.js';

/** What entries of maps cost. */
export const benchMaps = {
  name: 'bench maps',
  summary: 'measure what entries of maps cost',
  about: [
    'Measures looking up, updating and deleting entries from user space, one by one and in batches, and looking up and updating in a program, on maps of the process alone: hash, lru_hash, percpu_hash, array, percpu_array and lpm_trie, of several sizes. Before, every map is read and has to hold what was written.',
    'From user space a figure has the system call in it, through the library of netkit. In a program it has the loop and the choice of a key, whose cost is shown as «nothing».',
    method,
  ],
  arguments: [],
  options: [
    {
      long: 'only',
      value: { name: 'TYPE,…', kind: 'text' },
      repeatable: true,
      about: 'Measure maps of these types alone.',
    },
    {
      long: 'entries',
      value: { name: 'N', kind: 'count', min: 1, max: 4_000_000 },
      repeatable: true,
      about: 'Measure maps with so many entries; without it 1,000, 10,000 and 100,000.',
    },
    ...measuringOptions,
  ],
  exits: [...measuringExits],
  examples: [
    { command: 'sudo netkit bench maps --report maps.html', about: 'All types and sizes, in five minutes.' },
    {
      command: 'sudo netkit bench maps --only hash,lpm_trie --entries 1000000',
      about: 'Two types, with a million entries.',
    },
  ],
} as const satisfies CommandEntry;
