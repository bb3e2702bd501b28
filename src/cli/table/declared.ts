import { confirmOption } from './confirm.js';
import type { ArgumentEntry, CommandEntry, OptionEntry } from './types.js';

/** Functions and chains that manifests declare. */

const names = {
  name: 'name',
  kind: 'function',
  required: false,
  variadic: true,
  about:
    'Functions and chains that are meant; all of the manifest when left out. Without `-f` the manifests are those that they were applied from.',
} as const satisfies ArgumentEntry;

const fileOption = {
  long: 'file',
  short: 'f',
  value: { name: 'FILE', kind: 'file' },
  repeatable: true,
  about: 'A manifest (YAML or JSON, one or several documents), a folder of them, or `-` for standard input.',
} as const satisfies OptionEntry;

const takeOver = {
  long: 'take-over',
  about: 'Take over functions of the same name that another manifest declares, or that were loaded by hand.',
} as const satisfies OptionEntry;

const prune = {
  long: 'prune',
  about: 'Remove functions and chains that were applied from the same manifests, which have them no more.',
} as const satisfies OptionEntry;

const allowGap = {
  long: 'allow-gap',
  about:
    'Change also what the kernel cannot change in place, such as the mode of an XDP program: for a moment the program does not run there.',
} as const satisfies OptionEntry;

const keep = {
  long: 'keep',
  value: { name: 'N', kind: 'count', min: 1, max: 100 },
  default: 2,
  about: 'How many generations are kept, the one that runs included.',
} as const satisfies OptionEntry;

/** Who goes back a generation may want to go back further. */
const keepAsMany = {
  long: keep.long,
  value: keep.value,
  about: 'How many generations are kept, the one that runs included; as many as are kept now when left out.',
} as const satisfies OptionEntry;

const problemsExit = {
  status: 1,
  about: 'A manifest is wrong: every mistake is listed with its place.',
} as const;
const absentExit = {
  status: 3,
  about: 'A manifest, interface or namespace is not there, or nobody knows a function of that name.',
} as const;
const takenExit = {
  status: 5,
  about:
    'A name belongs to another manifest or to a function loaded by hand, or a map can neither be kept nor migrated.',
} as const;
const verifierExit = {
  status: 7,
  about: 'The verifier refused a program: what ran before runs on.',
} as const;

const planCommand = {
  name: 'plan',
  summary: 'show what `apply` would change',
  about: [
    'Compares manifests with what was applied last and with what is in the kernel, and says which fields have changed, what somebody changed by hand, and what `apply` would do about it. A source is compiled when it has changed; nothing is loaded, written or locked.',
  ],
  arguments: [names],
  options: [fileOption, prune, takeOver],
  exits: [
    { status: 0, about: 'There is nothing to do.' },
    { status: 8, about: 'Something would change.' },
    problemsExit,
    absentExit,
    takenExit,
  ],
  examples: [{ command: 'netkit plan -f edge.yaml', about: 'What would change.' }],
} as const satisfies CommandEntry;

const applyCommand = {
  name: 'apply',
  summary: 'make everything as manifests say',
  about: [
    'Loads, attaches, fills and upgrades what manifests declare, all of it or nothing: when one step fails, those before it are undone. What is as it should be is not touched; to apply twice does nothing the second time.',
    'A changed program, global or size of a map is an upgrade: the new generation is loaded beside the old one, shares or migrates its maps, and takes its place on every hook between two packets. Where the manifest has a health check, the new generation is watched for the settle time, and the old one comes back by itself when it is not healthy, or when this command is killed.',
    'Entries are merged three ways: what is declared is there afterwards, what was declared and is no more goes, what others added stays (unless `exact: true`).',
    'What was applied comes back after a reboot with `netkit reconcile`; `netkit service install` sees to that.',
  ],
  arguments: [names],
  options: [fileOption, prune, takeOver, keep, allowGap, confirmOption],
  changes: true,
  asks: 'whether what `--prune` finds is to be removed',
  exits: [problemsExit, absentExit, takenExit, verifierExit],
  examples: [
    { command: 'netkit apply -f edge.yaml', about: 'Make it so.' },
    {
      command: 'netkit apply -f edge.yaml --confirm 60s',
      about: 'The same, unless nobody says within a minute that all is well.',
    },
  ],
} as const satisfies CommandEntry;

const upgradeCommand = {
  name: 'upgrade',
  summary: 'upgrade declared functions, with tests and a settle time',
  about: [
    'As `apply`, for functions that run already: the new generation is loaded beside the old one, tested with packets, takes its place on every hook between two packets, and is watched. When a test fails or it is not healthy, the old generation is there as before, and goes on with its maps.',
    'A map that both generations have is one object: what the new one wrote stays when it goes. Of a map whose definition has changed each generation has its own.',
  ],
  arguments: [names],
  options: [
    fileOption,
    {
      long: 'test',
      value: { name: 'FILE', kind: 'file' },
      about:
        'Run packets through the new programs before they take over, and stop when a verdict is not the expected one: JSON or NDJSON, see `docs/replace.md`. For one function.',
    },
    {
      long: 'settle',
      value: { name: 'DURATION', kind: 'text' },
      about:
        'How long the new generation is watched, in place of what the manifest says, such as `10s`. Without a health check in the manifest: that everything stays attached.',
    },
    takeOver,
    keep,
    allowGap,
    confirmOption,
  ],
  changes: true,
  exits: [
    { status: 1, about: 'A test failed, or the new generation is not healthy: the old one runs.' },
    { status: 3, about: 'A function is not there yet: `netkit apply` makes it.' },
    takenExit,
    verifierExit,
  ],
  examples: [
    { command: 'netkit upgrade edge-firewall', about: 'After its source, object or manifest has changed.' },
    {
      command: 'netkit upgrade edge-firewall --test packets.json --settle 30s',
      about: 'Only if the packets get the expected verdicts and it is healthy for half a minute.',
    },
  ],
} as const satisfies CommandEntry;

const rollbackCommand = {
  name: 'rollback',
  summary: 'bring back a former generation of a declared function',
  about: [
    'Loads the object of the former generation, which netkit has kept, and puts it in the place of the one that runs, as an upgrade does; attachments and declared entries become those of that generation. It gets a number of its own. Maps keep what is in them.',
    'The manifest is not changed: the next `apply` upgrades again. Health is not watched: what comes back has run before, and `--confirm` has a person look.',
  ],
  arguments: [
    { name: 'name', kind: 'function', required: true, about: 'The function.' },
    {
      name: 'generation',
      kind: 'text',
      required: false,
      about: 'The number of the generation, as `netkit status` shows it; the one before when left out.',
    },
  ],
  options: [keepAsMany, allowGap, confirmOption],
  changes: true,
  exits: [
    { status: 3, about: 'There is no such function, or no such generation is kept.' },
    { status: 5, about: 'A map can neither be kept nor migrated: nothing has changed.' },
  ],
  examples: [
    { command: 'netkit rollback edge-firewall', about: 'Back to what ran before.' },
    { command: 'netkit rollback edge-firewall 7', about: 'Back to generation 7.' },
  ],
} as const satisfies CommandEntry;

const deleteCommand = {
  name: 'delete',
  summary: 'remove declared functions and chains',
  about: [
    'Detaches, unpins and forgets functions, with all of their generations, entries and kept contents; of a chain it takes the members out, which stay. Nothing is left. All of it is done, or nothing.',
  ],
  arguments: [names],
  options: [fileOption, confirmOption],
  changes: true,
  removes: true,
  asks: 'whether the functions and chains are to be removed',
  exits: [
    { status: 3, about: 'There is no such function or chain.' },
    { status: 5, about: 'A function is a member of a chain that stays.' },
  ],
  examples: [
    { command: 'netkit delete edge-firewall --yes', about: 'Remove one function.' },
    { command: 'netkit delete -f edge.yaml', about: 'Remove all that a manifest declares.' },
  ],
} as const satisfies CommandEntry;

const reconcileCommand = {
  name: 'reconcile',
  summary: 'bring the kernel to what was applied last',
  about: [
    'Brings back what manifests declare and a reboot or somebody else has taken away: functions with their maps, kept contents, declared entries, attachments and their order. It goes by what was applied last, not by manifests and sources, which may have changed since. What was loaded with `--persist` comes back too.',
    'Each function comes back as a whole or not at all, and one that cannot does not keep the others. Where an interface or a cgroup is not there, all else is done: `--watch` attaches when an interface appears.',
    'With `--watch` it goes on: interfaces that appear, come back, or match a pattern get what is declared for them; what somebody took off meanwhile stays off until `reconcile` is called without it. Contents of maps with `keep: true` are saved now and then.',
  ],
  arguments: [
    {
      name: 'name',
      kind: 'function',
      required: false,
      variadic: true,
      about: 'Functions, and chains for their members; all when left out.',
    },
  ],
  options: [
    { long: 'watch', about: 'Follow interfaces until it is stopped.' },
    {
      long: 'save-every',
      value: { name: 'DURATION', kind: 'text' },
      default: '60s',
      about: 'With `--watch`, how often contents that are to be kept are saved.',
    },
    allowGap,
  ],
  changes: true,
  exits: [
    { status: 3, about: 'An interface or something else is not there; the rest was done.' },
    {
      status: 1,
      about:
        'A function could not be brought back, or only without contents that were damaged; the rest was done.',
    },
  ],
  examples: [
    { command: 'netkit reconcile', about: 'After a reboot, or when something was taken off by mistake.' },
    { command: 'netkit reconcile --watch', about: 'As a service: see `netkit service install`.' },
  ],
} as const satisfies CommandEntry;

const snapshotCommand = {
  name: 'snapshot',
  summary: 'save contents of maps for after a reboot',
  about: [
    'Saves what is in the maps with `keep: true`, each into one file of the state directory. `netkit reconcile` puts it back when the function comes back after a reboot; upgrades keep the contents of maps anyhow.',
  ],
  arguments: [
    {
      name: 'name',
      kind: 'function',
      required: false,
      variadic: true,
      about: 'Functions; all when left out.',
    },
  ],
  options: [],
  exits: [{ status: 3, about: 'There is no such function.' }],
  examples: [{ command: 'netkit snapshot', about: 'Save all of them now.' }],
} as const satisfies CommandEntry;

export const declaredCommands = [
  planCommand,
  applyCommand,
  upgradeCommand,
  rollbackCommand,
  deleteCommand,
  reconcileCommand,
  snapshotCommand,
] as const;
