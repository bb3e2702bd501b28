import { declaredCommands } from './declared.js';
import type { ArgumentEntry, CommandEntry } from './types.js';

/** How declared functions are seen. */

const names = {
  name: 'name',
  kind: 'function',
  required: false,
  variadic: true,
  about: 'Functions and chains; all that are declared when left out.',
} as const satisfies ArgumentEntry;

const unknownExit = { status: 3, about: 'Nothing of that name is declared.' } as const;

const statusCommand = {
  name: 'status',
  summary: 'show declared functions and chains as they are',
  about: [
    'Shows what manifests declare and what has become of it: the generation that runs and those that a rollback can bring back, where each program is attached and which number it has in the order there, places that are waited for, a change that waits for its confirmation or whose health is being watched, and the metrics with their values.',
    'Of a chain it says what makes its members run one after another, and whether they do so in the declared order.',
    'Whether anything differs from what is declared is told by `netkit diff`; what `apply` would do, by `netkit plan`. Takes no lock and changes nothing. What cannot be read is said, and the rest is shown.',
  ],
  arguments: [names],
  options: [],
  exits: [unknownExit],
  examples: [
    { command: 'netkit status', about: 'Everything that is declared.' },
    { command: 'netkit status edge-firewall', about: 'One function, with its metrics.' },
    {
      command: 'netkit status --json | jq \'.functions[] | select(.condition != "running") | .name\'',
      about: 'What does not run as a whole.',
    },
  ],
} as const satisfies CommandEntry;

const diffCommand = {
  name: 'diff',
  summary: 'show where manifests, what was applied and the kernel differ',
  about: [
    'Compares three things field by field: what the manifest says now, what was applied last, and what is in the kernel. Shows the fields in which they differ, each with all three.',
    'From the kernel it reads which programs are loaded and attached, variables, sizes and entries of maps, and how each attachment stands: its mode, its priority, upon which verdicts the next program runs, and its place in the order. Variables that programs write are shown with `--all` and are no difference; of entries only those count that are declared, unless the map is declared `exact`.',
    'A manifest that is gone or wrong is said, and its column is empty; one that is named with `-f` must be right. A source is compiled when it has changed; nothing is loaded, written or locked. What `apply` would do about it is shown by `netkit plan`.',
  ],
  arguments: [names],
  options: [
    {
      long: 'file',
      short: 'f',
      value: { name: 'FILE', kind: 'file' },
      repeatable: true,
      about: 'A manifest to compare with, in place of those that were applied; `-` for standard input.',
    },
    { long: 'all', about: 'Show also the fields that do not differ.' },
  ],
  exits: [
    { status: 0, about: 'There is no difference.' },
    { status: 8, about: 'Something differs, or cannot be read.' },
    { status: 1, about: 'A manifest that is named with `-f` is wrong.' },
    unknownExit,
  ],
  examples: [
    { command: 'netkit diff', about: 'What somebody changed by hand, or in the manifests.' },
    { command: 'netkit diff edge-firewall --all', about: 'Every field of one function.' },
  ],
} as const satisfies CommandEntry;

const exportCommand = {
  name: 'export',
  summary: 'write a manifest from what is running',
  about: [
    'Writes a manifest that makes with `netkit apply` what is there now. Of a declared function it is the document that was applied last, with what was changed by hand since: attachments, programs that were replaced. Of a function that was loaded by hand it is made from what is recorded and attached. Chains follow as they were applied. Paths are absolute.',
    'An object that is no longer the file that was loaded is copied with `--output-dir`; without, the manifest names the copy that netkit keeps, which goes with the function. `--entries` declares also what is in the maps: up to 10,000 entries of a map in the manifest, more in a CSV file in DIR.',
    'With `--output-dir` the manifest is written into DIR too, as `manifest.yaml`, with paths relative to DIR, so that the folder can be moved.',
    'A function that was adopted from another tool has no object, and no manifest can make it.',
  ],
  arguments: [{ ...names, about: 'Functions and chains; everything when left out.' }],
  options: [
    { long: 'entries', about: 'Declare the contents of maps as they are now.' },
    {
      long: 'output-dir',
      value: { name: 'DIR', kind: 'folder' },
      about:
        'Where files beside the manifest are written: objects, large maps, the manifest itself. It is made when it is not there.',
    },
  ],
  exits: [
    { status: 3, about: 'There is no such function or chain.' },
    { status: 2, about: 'A map has more than 10,000 entries, and there is no `--output-dir`.' },
  ],
  examples: [
    { command: 'netkit export > edge.yaml', about: 'Everything as a manifest.' },
    {
      command: 'netkit export edge-firewall --entries --output-dir saved',
      about: 'One function with all that belongs to it.',
    },
  ],
} as const satisfies CommandEntry;

const [planRow, applyRow, ...furtherRows] = declaredCommands;

/** All commands about declared functions, in the order in which help lists them. */
export const allDeclaredCommands = [
  planRow,
  applyRow,
  diffCommand,
  statusCommand,
  ...furtherRows,
  exportCommand,
] as const;
