import { anyMap } from './map-parts.js';
import type { CommandEntry } from './types.js';

/** Commands on maps as a whole. */
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
] as const satisfies readonly CommandEntry[];
