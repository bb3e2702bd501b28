import { z } from 'zod';
import { change, count, flag, loadedFunction, maybe, pendingChange, returnedChange, text } from './shapes.js';

/** Documents of the commands that take changes back. */
export const wayBackDocuments = {
  off: z.strictObject({
    dryRun: flag('True when nothing was done.'),
    attachments: z
      .array(
        z.strictObject({
          hook: text("The hook, or the kernel's word for the kind of link."),
          ifname: maybe(z.string(), 'The interface; null for what is on none.'),
          netns: maybe(count('The inode of its network namespace.'), 'Null for what is on no interface.'),
          programId: count("The kernel's id of the program that ran there."),
          pin: text('The pin of the link, or of the program where there is no link.'),
          problem: maybe(z.string(), 'Why it could not be taken off.'),
        }),
      )
      .meta({ description: 'What was attached, and is taken off unless there is a problem.' }),
  }),
  adopt: z.strictObject({
    function: loadedFunction,
    programId: count("The kernel's id of the program that was taken over."),
    left: z
      .array(z.string())
      .meta({ description: 'Attachments of the program that could not be taken over, and why.' }),
    pins: z
      .array(z.string())
      .meta({ description: "The other tool's pins; they stay, unless `--take-pins` has removed them." }),
    ...change,
  }),
  confirm: z.strictObject({
    kept: z.array(pendingChange).meta({ description: 'What stays from now on.' }),
    returned: z
      .array(returnedChange)
      .meta({ description: 'What came too late: it had been taken back, and nobody was told of that yet.' }),
    ...change,
  }),
} as const;
