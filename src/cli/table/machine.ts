import type { CommandEntry } from './types.js';

/** Commands on the machine and on netkit itself. */
export const machineCommands = [
  {
    name: 'doctor',
    summary: 'check what this machine offers and what is missing',
    about: [
      'Checks the kernel, its BTF, bpffs, capabilities, the tools that netkit calls, and cgroup v2, and lists the hooks that this kernel offers. Changes nothing; to find out about hooks it loads programs of two instructions, which are gone again at once.',
    ],
    arguments: [],
    options: [],
    exits: [{ status: 1, about: 'Something is missing that loading and attaching need.' }],
    examples: [{ command: 'sudo netkit doctor', about: 'Check everything; some checks need root.' }],
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
