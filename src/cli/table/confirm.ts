import type { CommandEntry, OptionEntry } from './types.js';

/** For whatever changes what happens to traffic. */
export const confirmOption = {
  long: 'confirm',
  value: { name: 'DURATION', kind: 'text' },
  about:
    'Take the change back when `netkit confirm` does not follow within that time, such as `60s` or `5m` (1s to 24h), also when this terminal or process is gone by then.',
} as const satisfies OptionEntry;

/** Keeping what was changed with `--confirm`. */
export const confirmCommand = {
  name: 'confirm',
  summary: 'keep a change made with `--confirm`',
  about: [
    'What was changed with `--confirm`, by hand (`attach`, `replace`, `unload`, …) or by manifest (`apply`, `upgrade`, `rollback`, `delete`), is taken back when its time is over. This command keeps it: of one function, or of all. A change of several functions is kept as a whole, by the name of the one that the command named when it was made.',
    'The way back is taken by a process of its own, which needs neither the terminal nor the command that made the change. Should that process be killed too, the next netkit command that changes anything takes the change back first; after a reboot it does so in what is recorded.',
    'Until then nothing else can be changed about the function. `netkit list` shows what waits, and how long.',
  ],
  arguments: [
    {
      name: 'function',
      kind: 'function',
      required: false,
      about: 'The function; without it, whatever waits.',
    },
  ],
  options: [],
  changes: true,
  exits: [
    { status: 0, about: 'It is kept, or nothing waits.' },
    { status: 5, about: 'It came too late: the change has been taken back.' },
  ],
  examples: [
    { command: 'netkit confirm', about: 'Keep whatever waits.' },
    {
      command: 'netkit confirm fw',
      about: 'Keep what `netkit replace fw firewall.bpf.o --confirm 60s` did less than a minute ago.',
    },
  ],
} as const satisfies CommandEntry;
