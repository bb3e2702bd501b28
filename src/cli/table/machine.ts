import type { CommandEntry } from './types.js';

/** Commands on the machine and on netkit itself. */
export const machineCommands = [
  {
    name: 'doctor',
    summary: 'check what this machine offers, or what an object needs of it',
    about: [
      'Checks the kernel, its BTF, bpffs, capabilities, the tools that netkit calls, and cgroup v2, and lists the hooks that this kernel offers. Changes nothing; to find out about hooks it loads programs of two instructions, which are gone again at once.',
      'With an object it says instead whether this object can run here: whether the kernel has the types of programs and maps, hooks, helpers, kfuncs and instructions that it uses, with the version that brought what is missing; whether this user may load and attach it; and on an interface whether its driver, MTU, offloads and queues suit XDP, and whether somebody else is in the way. At last it loads the object and drops it at once: what a program avoids on kernels without it is no hindrance. Warnings are no hindrance either, and of two ways in to a function of the kernel, `fentry` and `kprobe`, only the one counts that this kernel takes.',
    ],
    arguments: [
      {
        name: 'object',
        shown: 'OBJ',
        kind: 'object',
        required: false,
        about: 'An eBPF object file, or `builtin:NAME` for a function that comes with netkit.',
      },
      {
        name: 'interface',
        shown: 'IFNAME',
        kind: 'interface',
        required: false,
        about: 'The interface that it is to run on.',
      },
    ],
    options: [
      {
        long: 'only',
        value: { name: 'PROG', kind: 'text' },
        repeatable: true,
        about: 'Look at this program alone, as `load --only` loads it.',
      },
    ],
    exits: [
      { status: 1, about: 'Without an object: something is missing that loading and attaching need.' },
      { status: 3, about: 'There is no such object or interface.' },
      { status: 4, about: 'This user may not run the object.' },
      { status: 5, about: "Somebody else's program or qdisc is in its way." },
      { status: 6, about: 'This kernel cannot run the object.' },
    ],
    examples: [
      { command: 'sudo netkit doctor', about: 'Check everything; some checks need root.' },
      { command: 'sudo netkit doctor firewall.bpf.o eth0', about: 'Whether the firewall can run on eth0.' },
    ],
  },
  {
    name: 'completion',
    summary: 'print a completion script for a shell',
    about: [
      'Prints a script that completes commands, options, files, functions, their programs and maps, interfaces and namespaces. It never starts netkit.',
    ],
    arguments: [
      {
        name: 'shell',
        shown: 'bash|zsh|fish',
        kind: 'choice',
        choices: ['bash', 'zsh', 'fish'],
        required: true,
        about: 'The shell.',
      },
    ],
    options: [],
    examples: [
      { command: 'source <(netkit completion bash)', about: 'For this session of bash.' },
      {
        command: 'netkit completion zsh > "${fpath[1]}/_netkit"',
        about: 'For every session of zsh.',
      },
      {
        command: 'netkit completion fish > ~/.config/fish/completions/netkit.fish',
        about: 'For every session of fish.',
      },
    ],
  },
  {
    name: 'version',
    summary: 'show the versions of netkit and of what it runs on',
    about: ['Shows the versions of netkit, Node, koffi, libbpf and the kernel, for a bug report.'],
    arguments: [],
    options: [],
    examples: [{ command: 'netkit version --json', about: 'The versions as JSON.' }],
  },
] as const satisfies readonly CommandEntry[];
