import type { CommandEntry } from './types.js';

/** Many commands in one process. */
export const batchCommands = [
  {
    name: 'batch',
    summary: 'do many commands in one process',
    about: [
      'Reads commands, one a line, and does them in their order: `map update fw/blocklist_v4 10.0.0.0/8 drop`, with or without `netkit` before it. Words are quoted as in a shell, with single quotes, double quotes and backslashes; nothing is expanded. A backslash at the end of a line carries it on to the next one; `#` begins a comment.',
      'All of it takes one start of netkit and one lock, which the first command that needs it takes and the end of the batch releases; while a change made with --confirm waits, a batch that is not --atomic lets go of it between two commands. Neighbouring updates of one map are written together: a hundred thousand lines take less than half a second.',
      'The first failure ends the batch, with the line, the error and the exit status of the command that failed. What was done before stays done, unless `--atomic` is given.',
      'Results are printed as the commands print them; words about what was done are left out. With `--json` there is one document a line for each command.',
    ],
    arguments: [
      {
        name: 'file',
        shown: 'FILE|-',
        kind: 'file',
        required: false,
        about: 'The file with the commands; `-`, or nothing, for standard input.',
      },
    ],
    options: [
      {
        long: 'atomic',
        conflicts: ['continue'],
        about:
          'All or nothing: when a command fails, or on Ctrl-C, everything is taken back. Commands that cannot be taken back are refused before anything is done. Others see the changes as they are made.',
      },
      {
        long: 'continue',
        about: 'Go on after a failure, report all of them, and end with the status of the first.',
      },
    ],
    changes: true,
    exits: [
      {
        status: 2,
        about: 'A line is no command, or none for a batch; or the status of the command that failed.',
      },
      { status: 3, about: 'The file is not there; or the status of the command that failed.' },
    ],
    examples: [
      { command: 'netkit batch setup.netkit', about: 'Do what a file says.' },
      {
        command: 'generate-blocklist | netkit batch -',
        about: 'Take commands from a program as they come.',
      },
      {
        command: 'netkit batch --atomic deploy.netkit',
        about: 'Load, fill and attach a function, or leave everything as it was.',
      },
      { command: 'netkit batch --dry-run setup.netkit', about: 'Show what would be done.' },
    ],
  },
] as const satisfies readonly CommandEntry[];
