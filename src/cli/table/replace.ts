import { confirmOption } from './confirm.js';
import type { CommandEntry } from './types.js';

/** Upgrading a function in place. */
export const replaceCommand = {
  name: 'replace',
  summary: 'upgrade a function in place, with its maps',
  about: [
    'Loads the object beside the function, puts its programs into every link of the function by compare-and-swap, and lets the old programs go. Nothing is detached, and the order on each hook stays. When one link cannot be swapped, those before it are swapped back.',
    'A map of the same name and definition stays the same map. One whose definition has changed is migrated where that is possible: it may be larger, or have new members at the end of its values, which begin as zeros; what the old programs write meanwhile is carried over after the swap. One that cannot be migrated is refused, with what is different, unless `--new-map` says that it may begin empty.',
    'What was chosen at `load` (`--set`, `--map-size`, `--reuse`, `--target`, `--only`) is taken over unless it is given anew.',
    '`load --replace` does the same with new maps.',
  ],
  arguments: [
    { name: 'function', kind: 'function', required: true, about: 'The function.' },
    {
      name: 'object',
      shown: 'OBJ',
      kind: 'object',
      required: true,
      about: 'The new object file, or `builtin:NAME`.',
    },
  ],
  options: [
    {
      long: 'test',
      value: { name: 'FILE', kind: 'file' },
      about:
        'Run packets through the new programs before anything is swapped, and stop when a verdict is not the expected one: JSON or NDJSON, see `docs/replace.md`.',
    },
    {
      long: 'new-map',
      value: { name: 'MAP', kind: 'text' },
      repeatable: true,
      about: 'Let this map begin empty, whatever the old one has.',
    },
    {
      long: 'set',
      value: { name: 'VAR=VALUE', kind: 'text' },
      repeatable: true,
      about: 'Set a global variable of the object.',
    },
    {
      long: 'map-size',
      value: { name: 'MAP=N', kind: 'text' },
      repeatable: true,
      about: 'Make a map of N entries at most.',
    },
    {
      long: 'reuse',
      value: { name: 'MAP=REF', kind: 'text' },
      repeatable: true,
      about:
        "Use a map that exists; it must have the same type, sizes and flags. `MAP=FUNCTION/MAP`, the function's own, keeps one whose members have other names.",
    },
    {
      long: 'target',
      value: { name: 'PROGRAM=FUNCTION', kind: 'text' },
      repeatable: true,
      about: 'What a tracing program is loaded for, as `load` takes it.',
    },
    {
      long: 'only',
      value: { name: 'PROGRAM', kind: 'text' },
      repeatable: true,
      about: 'Load this program, and no other but those named likewise.',
    },
    {
      long: 'allow-gap',
      about: 'Replace also what the kernel cannot swap (netfilter): for a moment no program is there.',
    },
    confirmOption,
  ],
  changes: true,
  exits: [
    { status: 1, about: 'A test failed, or the file is not an eBPF object; nothing has changed.' },
    { status: 3, about: 'There is no such function, or no such map or program in the object.' },
    {
      status: 5,
      about: 'A map can be neither kept nor migrated, or somebody else changed a link: nothing has changed.',
    },
    { status: 6, about: 'The kernel cannot swap the program of a link: see `--allow-gap`.' },
    { status: 7, about: 'The verifier refused a program.' },
  ],
  examples: [
    { command: 'netkit replace fw firewall.bpf.o', about: 'Upgrade fw, with everything in its maps.' },
    {
      command: 'netkit replace fw firewall.bpf.o --test fw.tests.json',
      about: 'The same, unless a packet of the tests gets another verdict than it should.',
    },
    {
      command: 'netkit replace fw firewall.bpf.o --dry-run',
      about: 'Show what becomes of each map and link.',
    },
  ],
} as const satisfies CommandEntry;
