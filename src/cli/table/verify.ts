import type { CommandEntry } from './types.js';

/** Asking the verifier. */
export const verifyCommand = {
  name: 'verify',
  summary: 'ask the verifier about an object, and explain what it refuses',
  about: [
    'Loads each program of the object by itself, with the maps that it needs, prints what its verification took, and drops everything again: nothing is pinned, attached or remembered. Programs that are off by default are left out unless `--only` names them; so is, of two programs for one function of the kernel (`fentry` and `kprobe`, `fexit` and `kretprobe`), the one that `load` would not load here.',
    'When a program is refused, the page says which rule it breaks, shows the line of the source, puts the registers that matter into words, and says how such code is usually mended. `docs/verify.md` has an example of each of the twenty rules.',
    'Nothing has to exist that the program would be attached to. Where the kernel does not let a program of that type as far as the verifier, the page says so.',
  ],
  arguments: [
    {
      name: 'object',
      shown: 'OBJ',
      kind: 'object',
      required: true,
      about: 'An eBPF object file, or `builtin:NAME` for a function that comes with netkit.',
    },
  ],
  options: [
    {
      long: 'only',
      value: { name: 'PROGRAM', kind: 'text' },
      repeatable: true,
      about: 'Verify this program, and no other but those named likewise.',
    },
    {
      long: 'set',
      value: { name: 'VAR=VALUE', kind: 'text' },
      repeatable: true,
      about: 'Set a global variable first.',
    },
    {
      long: 'map-size',
      value: { name: 'MAP=N', kind: 'text' },
      repeatable: true,
      about: 'Make a map with N entries.',
    },
    { long: 'log', about: 'Print what the verifier says, whole.' },
  ],
  exits: [
    { status: 1, about: 'The file is not an eBPF object, or is damaged.' },
    {
      status: 6,
      about: 'This kernel does not verify programs of such a type, and refused none of the others.',
    },
    { status: 7, about: 'The verifier refused a program.' },
  ],
  examples: [
    { command: 'netkit verify firewall.bpf.o', about: 'Verify every program.' },
    {
      command: 'netkit verify firewall.bpf.o --only firewall --log',
      about: 'Verify one, and see what the verifier says.',
    },
  ],
} as const satisfies CommandEntry;
