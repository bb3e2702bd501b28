import { z } from 'zod';
import { count, maybe, text } from './shapes.js';

const place = {
  file: text('The source file, as the compiler was told.'),
  line: count('The line, from 1.'),
  source: text('The text of the line; empty when the object does not have it.'),
};

const statistics = z
  .strictObject({
    instructions: maybe(
      count('Instructions.'),
      'How many instructions the verifier went through, on all ways together.',
    ),
    limit: maybe(count('Instructions.'), 'How many it goes through before it gives up.'),
    stackBytes: maybe(count('Bytes.'), 'Stack of the program and all the functions that it calls, added up.'),
    stackDepths: z
      .array(count('Bytes.'))
      .meta({ description: 'Stack of the program, then of each function that it calls.' }),
    peakStates: maybe(count('States.'), 'The largest number of states that were kept at a time.'),
    totalStates: maybe(count('States.'), 'How many states were kept in all.'),
    maxStatesPerInstruction: maybe(
      count('States.'),
      'The largest number of states kept for one instruction.',
    ),
    microseconds: maybe(count('Microseconds.'), 'How long the verification took.'),
  })
  .meta({ description: 'What the verification took; null where the kernel does not tell.' });

const refusal = z.strictObject({
  rule: maybe(
    z.string(),
    'The rule that was broken; null when the refusal is none of those that netkit explains.',
  ),
  message: text('What is wrong.'),
  mend: maybe(z.string(), 'How such code is usually mended.'),
  reason: text("The verifier's own sentence."),
  place: maybe(z.strictObject(place), 'The line to look at.'),
  registers: z
    .array(
      z.strictObject({
        name: text('R0 to R10.'),
        state: text('What the verifier knows of it, as it prints it.'),
        words: text('The same in words.'),
      }),
    )
    .meta({ description: 'The registers that matter.' }),
  related: z
    .array(z.strictObject({ ...place, about: text('What is there.') }))
    .meta({ description: 'Further lines that have to do with it.' }),
  hint: maybe(z.string(), 'What the user lacks, when the program itself may be right.'),
});

/** Of `verify`. */
export const verifyDocument = z.strictObject({
  object: text('The object file.'),
  kernel: text("The running kernel's release."),
  programs: z
    .array(
      z.strictObject({
        name: text('Its name.'),
        section: text('Its section in the object file.'),
        type: text("The kernel's word for its type: xdp, sched_cls, …"),
        outcome: z.enum(['accepted', 'refused', 'not-verified']).meta({
          description: 'not-verified: the kernel turned the program down before its verifier saw it.',
        }),
        statistics: maybe(statistics, 'What the verification took; null when there was none.'),
        refusal: maybe(refusal, 'Why it was refused.'),
        error: maybe(
          z.strictObject({
            code: text('The error code.'),
            message: text('Why.'),
            hint: maybe(z.string(), 'What to do.'),
          }),
          'Why it was not verified.',
        ),
        log: maybe(z.string(), 'What the verifier said, with `--log` and for a refusal.'),
      }),
    )
    .meta({ description: 'The programs that were shown to the verifier, in the order of the file.' }),
  leftOut: z
    .array(z.strictObject({ name: text('Its name.'), reason: text('Why.') }))
    .meta({ description: 'The programs that were not shown, since `load` would not load them here either.' }),
});
