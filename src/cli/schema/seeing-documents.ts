import { z } from 'zod';
import { netDocument } from './net-document.js';
import { count, flag, maybe, text } from './shapes.js';
import { verifyDocument } from './verify-document.js';

const source = maybe(
  z.strictObject({
    file: text('The source file, as the compiler was told.'),
    line: count('The line, from 1.'),
    column: count('The column, from 1; 0 when not known.'),
    text: text('The text of the line; empty when the program does not have it.'),
  }),
  'The source line that begins to be carried out here, when it is another one than before.',
);

/** Documents of the commands that show what runs where. */
export const seeingDocuments = {
  'prog dump': z.strictObject({
    program: z
      .strictObject({
        id: maybe(z.int().min(1), "The kernel's id of the program; null for one of an object file."),
        name: text('Its name.'),
      })
      .meta({ description: 'The program.' }),
    object: maybe(z.string(), 'The object file that it was read from; null for a loaded program.'),
    code: z.enum(['translated', 'native', 'compiled']).meta({
      description:
        'translated: instructions as the verifier left them; native: machine code; compiled: instructions of an object file.',
    }),
    functions: z
      .array(
        z.strictObject({
          name: text('The name of the function.'),
          declaration: maybe(z.string(), 'Its C declaration, when there is BTF.'),
          start: count('The index of its first eBPF instruction.'),
          address: maybe(z.string(), 'Of native code: where it lies in the kernel, in hexadecimal.'),
          instructions: z
            .array(
              z.strictObject({
                at: count(
                  'Its index, in units of 8 bytes; of native code its offset in the function in bytes.',
                ),
                bytes: text('Its bytes, in hexadecimal.'),
                text: text('What it does.'),
                target: maybe(count('The place.'), 'Where it may jump to, counted as `at` is.'),
                source,
              }),
            )
            .meta({ description: 'Its instructions.' }),
        }),
      )
      .meta({ description: "The program's own function, then those that it calls." }),
    graph: maybe(
      z.strictObject({
        format: z.enum(['dot', 'svg']).meta({ description: 'The language.' }),
        text: maybe(z.string(), 'The text; null when it was written to a file.'),
      }),
      'The control-flow graph, when it was asked for.',
    ),
    file: maybe(z.string(), 'The file that was written.'),
  }),
  'prog profile': z.strictObject({
    program: z
      .strictObject({ id: count("The kernel's id of the program."), name: text('Its name.') })
      .meta({ description: 'The program.' }),
    tier: z.enum(['counters', 'fentry', 'statistics', 'test-run']).meta({
      description:
        'How it was measured: hardware counters, entry and exit, the statistics of the kernel, runs on a packet.',
    }),
    seconds: z.number().min(0).meta({ description: 'How long it was observed.' }),
    runs: count('How often it ran meanwhile.'),
    nanoseconds: maybe(
      z.number().min(0),
      'The mean time of a run, without the cost of measuring; null without a run.',
    ),
    overheadNanoseconds: z.number().min(0).meta({
      description: 'What measuring costs a run, found with an empty program just before; taken off.',
    }),
    counters: z
      .array(
        z.strictObject({
          name: text('What was counted: cycles, instructions, …'),
          total: count('Over all runs.'),
          perRun: z
            .number()
            .min(0)
            .meta({ description: 'Of one run, without what measuring counts by itself.' }),
        }),
      )
      .meta({ description: 'Hardware counters; empty in other tiers.' }),
    passedOver: z
      .array(
        z.strictObject({
          tier: text('The tier.'),
          reason: text('Why it does not work here.'),
        }),
      )
      .meta({ description: 'Better tiers that do not work here; empty when one was asked for.' }),
  }),
  trace: z.strictObject({
    source: z.enum(['pipe', 'stdout', 'stderr', 'lost']).meta({
      description:
        'pipe: a line of the trace pipe; stdout, stderr: a line that a program wrote to its stream; lost: lines that found no room in the pipe.',
    }),
    text: maybe(z.string(), 'The line; null of lost.'),
    task: maybe(z.string(), 'Of the pipe: the task that was running, not the program.'),
    pid: maybe(count('The process id.'), 'Of the pipe: its id.'),
    cpu: maybe(count('The CPU.'), 'Of the pipe: the CPU that it ran on.'),
    seconds: maybe(z.number(), "Of the pipe: when, in seconds on the kernel's trace clock."),
    event: maybe(z.string(), 'Of the pipe: what wrote it, bpf_trace_printk for bpf_printk().'),
    program: maybe(
      z.strictObject({ id: count("The kernel's id of the program."), name: text('Its name.') }),
      'Of a stream: the program.',
    ),
    lost: maybe(count('How many.'), 'Of lost: how many lines.'),
  }),
  'btf list': z.strictObject({
    btf: z
      .array(
        z.strictObject({
          id: count("The kernel's id."),
          name: maybe(z.string(), 'vmlinux, or the name of a module; null for that of programs and maps.'),
          kernel: flag("Whether it is the kernel's own or a module's."),
          bytes: count('Its size.'),
          programIds: z
            .array(z.int().min(1))
            .meta({ description: 'The ids of the programs that came with it.' }),
          mapIds: z.array(z.int().min(1)).meta({ description: 'The ids of the maps that came with it.' }),
        }),
      )
      .meta({ description: 'What the kernel has, by id.' }),
  }),
  'btf dump': z.strictObject({
    id: maybe(z.int().min(1), "The kernel's id; null for a file."),
    name: maybe(z.string(), 'vmlinux, the name of a module, or the path of a file.'),
    count: count('How many types it has of its own.'),
    header: maybe(z.string(), 'The types in C; null with `--raw`, and when they were written to a file.'),
    types: maybe(
      z.array(
        z.strictObject({
          id: count('The id of the type.'),
          kind: text("The kernel's word for what it is, such as STRUCT."),
          name: text('Its name, empty when it has none.'),
          text: text('Its record in words.'),
        }),
      ),
      'The records, with `--raw`; null without it, and when they were written to a file.',
    ),
    file: maybe(z.string(), 'The file that was written.'),
  }),
  net: netDocument,
  verify: verifyDocument,
} as const;
