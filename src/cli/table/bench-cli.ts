import { measuringExits, measuringOptions, method, programMissing } from './bench-measuring.js';
import type { CommandEntry } from './types.js';

/** What commands take. */
export const benchCli = {
  name: 'bench cli',
  summary: 'measure what commands take, from start to end',
  about: [
    'Runs commands of this netkit and of the tools that do the same, each in a process of its own, and measures the time from start to end, the CPU time, and the most memory: starting, loading an object and unloading it, attaching to an interface and detaching, looking up an entry, listing maps. What bpftool does is what the others are compared with; Node alone is shown beside.',
    'Before, every command has to do what it should: what is loaded is pinned, what is attached is on the interface, and gone afterwards. All of it is done in a network namespace, a bpf file system and a state directory of the benchmark, which are gone with the command, however that ends. A tool that is not installed is left out and named.',
    method,
  ],
  arguments: [],
  options: [
    {
      long: 'only',
      value: { name: 'TASK,…', kind: 'text' },
      repeatable: true,
      about: 'Measure these tasks alone: `start`, `load`, `attach`, `map-get`, `map-list`.',
    },
    ...measuringOptions,
  ],
  exits: [programMissing, ...measuringExits],
  examples: [
    { command: 'sudo netkit bench cli --report cli.html', about: 'All tasks, in five minutes.' },
    { command: 'sudo netkit bench cli --quick --only start,map-get', about: 'What short commands take.' },
  ],
} as const satisfies CommandEntry;
