import { hookNames, netfilterProtocols, netfilterStages } from '../../base/hook-names.js';
import { confirmOption } from './confirm.js';
import type { CommandEntry } from './types.js';

const hook = { long: 'hook', value: { name: 'HOOK', kind: 'choice', choices: hookNames } } as const;

/** Commands on functions: an object file loaded under a name. */
export const functionCommands = [
  {
    name: 'load',
    summary: 'load an object file as a function',
    about: [
      'Loads the programs and creates the maps of an object file, pins them below `netkit/NAME` in the bpffs, and remembers the function. Nothing is attached yet.',
      'Of two programs for one function of the kernel, `fentry` and `kprobe` or `fexit` and `kretprobe`, the first that this kernel takes is loaded, and a note says which; `--only` decides otherwise.',
      'Global variables can be set only now, since the verifier builds on them. `netkit inspect` lists them, with their types.',
      'A command that fails leaves nothing behind.',
    ],
    arguments: [
      {
        name: 'object',
        shown: 'OBJ',
        kind: 'object',
        required: true,
        about:
          'An eBPF object file, or `builtin:NAME` for a function that comes with netkit, such as `builtin:firewall`.',
      },
    ],
    options: [
      {
        long: 'name',
        value: { name: 'NAME', kind: 'text' },
        about: "The function's name; without it, the file's name up to `.bpf.o`.",
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
        about: 'Use a map that exists in place of a new one; it must have the same type, sizes and flags.',
      },
      {
        long: 'target',
        value: { name: 'PROGRAM=FUNCTION', kind: 'text' },
        repeatable: true,
        about:
          'What a tracing program is loaded for, in place of what its section says: a function of the kernel, or `FUNCTION@REF`, one of another program. `freplace` programs need it: `PROGRAM=@REF` takes the function from the section.',
      },
      {
        long: 'only',
        value: { name: 'PROGRAM', kind: 'text' },
        repeatable: true,
        about: 'Load this program, and no other but those named likewise.',
      },
      {
        long: 'replace',
        about:
          'Put the object in the place of a loaded function of that name: its links get the new programs without a gap, its maps are new and empty, but for those reused: `netkit replace` keeps them. When there is none, it is loaded.',
      },
      {
        long: 'allow-gap',
        about:
          'With `--replace`, replace also what the kernel cannot swap (netfilter): for a moment no program is there.',
      },
      { long: 'persist', about: 'Bring the function back after a reboot.' },
      { ...confirmOption, about: `With \`--replace\`: ${confirmOption.about}` },
    ],
    changes: true,
    exits: [
      { status: 1, about: 'The file is not an eBPF object, or is damaged.' },
      { status: 5, about: 'A function of that name is loaded already.' },
      {
        status: 7,
        about:
          'The verifier refused a program; `--json` carries its whole log, `--log-level debug` prints it.',
      },
    ],
    examples: [
      { command: 'netkit load firewall.bpf.o --name fw', about: 'Load the function fw.' },
      {
        command: 'netkit load firewall.bpf.o --set default_action=drop --map-size blocklist_v4=100000',
        about: 'Set a global variable and the size of a map.',
      },
    ],
  },
  {
    name: 'attach',
    summary: 'attach programs of a function',
    about: [
      'Attaches one program, or every program of the function whose hook takes this target: all of them, or none. What is attached stays when the command has ended.',
      "The hook comes from the program's section, such as `xdp`, `cgroup/connect4` or `tracepoint/sched/sched_switch`, and the target too where the section names one; `--hook` and TARGET override them, where the program has not been loaded for just that. `docs/hooks.md` lists the hooks.",
      'TARGET is an interface, a cgroup (its directory, or its path below the root of the cgroup v2 tree), a function of the kernel, a tracepoint as `CATEGORY/EVENT`, a place in a binary as `BINARY:FUNCTION`, a map of sockets as `FUNCTION/MAP`, an entry of a devmap or cpumap as `FUNCTION/MAP[KEY]`, a route as `PREFIX dev INTERFACE` in one word, or a socket as `PID:FD`. Hooks of a whole network namespace take none: `--netns` names it.',
      'A kernel without tcx gets a tc filter in its place, and a note says so. A program that is attached in just that way already is left alone, and a note says so.',
    ],
    arguments: [
      {
        name: 'program',
        shown: 'FUNCTION[/PROGRAM]',
        kind: 'program',
        required: true,
        about: 'A function, or one of its programs.',
      },
      {
        name: 'target',
        kind: 'target',
        required: false,
        about: "What to attach to; without it, what the program's section names.",
      },
    ],
    options: [
      { ...hook, about: "Where to attach, instead of what the program's section says." },
      {
        long: 'mode',
        value: { name: 'MODE', kind: 'choice', choices: ['native', 'generic', 'offload', 'auto'] },
        default: 'auto',
        about:
          'For XDP: in the driver, in the network stack, on the card, or whichever of the first two works first.',
      },
      {
        long: 'priority',
        value: { name: 'N', kind: 'text' },
        about:
          "Where several programs run, lower ones run first: 1 to 65535 among netkit's, 50 when left out; a tc filter gets it as its own. For netfilter any, 0 when left out.",
      },
      {
        long: 'proceed-on',
        value: { name: 'VERDICT,...', kind: 'text' },
        about:
          'For XDP: the verdicts upon which the next program of the chain runs: aborted, drop, pass, tx, redirect, or none. What the object says when left out, or else pass.',
      },
      {
        long: 'direct',
        about: 'For XDP: alone on the interface, through a link, without a chain.',
      },
      { long: 'first', about: 'In front of all other programs on the hook.' },
      { long: 'last', about: 'Behind all other programs on the hook.' },
      {
        long: 'before',
        value: { name: 'REF', kind: 'program' },
        about:
          "In front of that program on the hook, whoever attached it: `FUNCTION/PROGRAM`, `id:N` of a program or link, `name:TEXT`, or a pin's path.",
      },
      {
        long: 'after',
        value: { name: 'REF', kind: 'program' },
        about: 'Behind that program, named likewise.',
      },
      {
        long: 'stage',
        value: { name: 'STAGE', kind: 'choice', choices: netfilterStages },
        about: 'For netfilter: where on its way through the machine a packet is looked at.',
      },
      {
        long: 'family',
        value: { name: 'FAMILY', kind: 'choice', choices: netfilterProtocols },
        about: 'For netfilter: the packets of which protocol; ipv4 when left out.',
      },
      { long: 'defrag', about: 'For netfilter: the program gets whole packets, never fragments.' },
      {
        long: 'cookie',
        value: { name: 'N', kind: 'text' },
        about: 'For probes and tracepoints: the number that `bpf_get_attach_cookie()` gives there.',
      },
      {
        long: 'pid',
        value: { name: 'PID', kind: 'count', min: 1, max: 4194304 },
        about: 'For probes in programs and libraries: only in this process.',
      },
      {
        long: 'take-over',
        about:
          'For `sk_reuseport`: in the place of the program that the sockets have, or may have, which is gone for good.',
      },
      {
        long: 'hold',
        about:
          'Stay in the foreground, and detach when stopped. What only a process can hold, on this kernel, needs it.',
        conflicts: ['confirm'],
      },
      confirmOption,
    ],
    changes: true,
    exits: [
      {
        status: 5,
        about: 'Another program has the place, or this one is attached there with other options.',
      },
      {
        status: 6,
        about:
          'This kernel or driver has no such hook, or only a process can hold the attachment: see `--hold`.',
      },
    ],
    examples: [
      { command: 'netkit attach fw eth0', about: 'Attach every program of fw that goes on an interface.' },
      {
        command: 'netkit attach fw/count eth0 --hook tcx/egress',
        about: 'Attach one program, on a hook of your choice.',
      },
      {
        command: 'netkit attach fw eth0 --mode generic --netns blue',
        about: 'Attach without help from the driver, in the namespace blue.',
      },
      {
        command: 'netkit attach counter eth0 --before name:policer',
        about: "Attach in front of another tool's program.",
      },
      {
        command: 'netkit attach guard /system.slice/web.service',
        about: 'Attach programs for cgroups to the one of a service.',
      },
      { command: 'netkit attach trace', about: 'Attach programs to what their sections name.' },
      {
        command: "netkit attach shaper '10.1.0.0/24 dev eth0'",
        about: 'Make a route whose packets go through a program (lwt).',
      },
      {
        command: "netkit attach spread/arriving 'spread/processors[0]=512'",
        about: 'Make an entry of a cpumap, with a program for what is redirected there.',
      },
      { command: 'netkit attach mycc/cubic_like', about: 'Attach a table of callbacks (struct_ops).' },
      {
        command: 'netkit attach count/filter eth0 --hold',
        about: 'Run a socket filter on what an interface sees, until it is stopped.',
      },
    ],
  },
  {
    name: 'detach',
    summary: 'detach programs of a function',
    about: [
      'Detaches the programs of a function, from one target or from all of them. The function stays loaded, and its maps keep their entries.',
      'Only what netkit attached is touched, or the one link that `id:N` names.',
    ],
    arguments: [
      {
        name: 'program',
        shown: 'FUNCTION[/PROGRAM]|id:N',
        kind: 'program',
        required: true,
        about: 'A function, one of its programs, or the id of a link.',
      },
      {
        name: 'target',
        kind: 'target',
        required: false,
        about: 'The target, as `attach` takes it; without it, every target.',
      },
    ],
    options: [{ ...hook, about: 'Only from this hook.' }, confirmOption],
    changes: true,
    removes: true,
    exits: [{ status: 3, about: 'Nothing of the kind is attached.' }],
    examples: [
      { command: 'netkit detach fw', about: 'Detach fw everywhere.' },
      {
        command: 'netkit detach fw/count eth0 --hook tcx/egress',
        about: 'Detach one program from one hook.',
      },
    ],
  },
  {
    name: 'unload',
    summary: 'detach and remove a function',
    about: [
      'Detaches every program of the function, removes its pins and forgets it. Its maps, with their entries, are gone unless something else holds them.',
      'Works also when the state of the function is damaged: the pins tell what to remove.',
    ],
    arguments: [{ name: 'function', kind: 'function', required: false, about: 'The function.' }],
    options: [{ long: 'all', about: 'Unload every function.' }, confirmOption],
    changes: true,
    removes: true,
    asks: 'with `--all`',
    examples: [
      { command: 'netkit unload fw', about: 'Remove fw.' },
      { command: 'netkit unload --all --yes', about: 'Remove every function, without being asked.' },
    ],
  },
  {
    name: 'list',
    summary: 'list functions with their programs, maps and links',
    about: ['Lists what netkit has loaded, and where it is attached.'],
    arguments: [{ name: 'function', kind: 'function', required: false, about: 'Only this function.' }],
    options: [],
    examples: [
      { command: 'netkit list', about: 'List all functions.' },
      { command: 'netkit list --json | jq -r ".functions[].name"', about: 'Their names, for a script.' },
    ],
  },
  {
    name: 'recover',
    summary: 'clear up after a killed command or a reboot',
    about: [
      'Every command that changes something writes down its steps first. When one was killed half-way, the next one that changes anything undoes those steps, or finishes them when the state was recorded already; `recover` does only that, and says what it found.',
      'It also brings back what was loaded with `--persist` before a reboot, attached where it was.',
    ],
    arguments: [],
    options: [],
    changes: true,
    examples: [{ command: 'netkit recover --dry-run', about: 'Show what is left of killed commands.' }],
  },
] as const satisfies readonly CommandEntry[];
