import { anyMap, keyType, perCpu, types, valueType } from './map-parts.js';
import type { CommandEntry } from './types.js';

/** Commands on all entries of a map at once, and on files of entries. */
export const entryFileCommands = [
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
