import { z } from 'zod';
import { count, decoded, flag, link, maybe, pendingChange, text } from './shapes.js';

const generation = z
  .strictObject({
    number: count('Its number.'),
    since: text('When its programs took over, ISO 8601.'),
    from: maybe(z.int().min(1), 'The generation that a rollback brought back as this one.'),
  })
  .meta({ description: 'A generation.' });

const order = z
  .strictObject({
    priority: maybe(z.int().min(0), 'Lower ones run first; null for what netkit did not attach.'),
    place: z.int().min(1).meta({ description: 'Its place among them, from 1.' }),
    of: z.int().min(1).meta({ description: 'How many programs are on the hook.' }),
  })
  .meta({ description: 'A place in an order.' });

const attachment = z
  .strictObject({
    link,
    alive: flag('Whether it really is attached.'),
    declared: flag('Whether the manifest asked for it; else somebody attached it by hand.'),
    chain: maybe(z.string(), 'The chain that asked for it.'),
    order: maybe(order, 'Where it stands; null where there is no order, and for what this user may not see.'),
  })
  .meta({ description: 'An attachment of the function.' });

const openPlace = z
  .strictObject({
    program: text('The program.'),
    hook: maybe(z.string(), 'The hook; null where the section of the program decides.'),
    target: maybe(z.string(), 'The interface or pattern, or another target; null where there is none.'),
    netns: maybe(z.string(), 'The network namespace as the manifest names it; null for the own one.'),
    reason: z.enum(['waiting', 'missing', 'open', 'detached']).meta({
      description:
        'Why nothing is attached: the interface is waited for; it is missing, which is a mistake; it has come, and nothing was attached yet; somebody detached it.',
    }),
  })
  .meta({ description: 'A place that is declared, and where nothing is attached.' });

const metric = z
  .strictObject({
    name: text('The name of the metric.'),
    type: z.enum(['counter', 'gauge']).meta({ description: 'Whether it only grows.' }),
    help: maybe(z.string(), 'What it counts.'),
    map: text('The map that has the numbers.'),
    samples: z
      .array(
        z
          .strictObject({
            labels: z
              .record(z.string(), z.string())
              .meta({ description: "The members of the entry's key, by their labels." }),
            value: decoded('The number; of a per-CPU map the sum over the CPUs.'),
          })
          .meta({ description: 'A number.' }),
      )
      .meta({ description: 'Its numbers, by their labels.' }),
    problem: maybe(z.string(), 'Why it cannot be read.'),
  })
  .meta({ description: 'A metric.' });

const functionStatus = z
  .strictObject({
    name: text('The function.'),
    condition: z.enum(['running', 'partly', 'absent', 'unknown']).meta({
      description:
        'Whether everything is attached, or something is not, or it is not in the kernel, or what is recorded of it cannot be read.',
    }),
    labels: z.record(z.string(), z.string()).meta({ description: "The manifest's labels." }),
    manifest: maybe(z.string(), 'The manifest that it was applied from; null for standard input.'),
    generation: maybe(generation, 'The one that runs; null when that cannot be read.'),
    former: z
      .array(generation)
      .meta({ description: 'Those that a rollback can bring back, the latest last.' }),
    object: maybe(
      z
        .strictObject({
          path: text('The source, object or built-in function that it was made from.'),
          sha256: text('Of the object.'),
        })
        .meta({ description: 'The object that its programs were loaded from.' }),
      'What runs; null when that cannot be read.',
    ),
    programs: z
      .array(
        z
          .strictObject({
            name: text('Its name.'),
            id: maybe(z.int().min(1), "The kernel's id; null when it is not there."),
            tag: maybe(z.string(), "The kernel's hash over its instructions, in hexadecimal."),
          })
          .meta({ description: 'A program.' }),
      )
      .meta({ description: 'Its programs.' }),
    links: z.array(attachment).meta({ description: 'Where it is attached, or was.' }),
    places: z
      .array(openPlace)
      .meta({ description: 'Places that are declared, and where nothing is attached.' }),
    chains: z.array(z.string()).meta({ description: 'The chains that it is a member of.' }),
    pending: maybe(pendingChange, 'The change that is taken back unless it is confirmed.'),
    settling: maybe(z.string(), 'What of that change is being watched before it is kept, such as `health`.'),
    metrics: z.array(metric).meta({ description: 'Its metrics.' }),
    problems: z.array(z.string()).meta({ description: 'What cannot be read.' }),
  })
  .meta({ description: 'A function that a manifest declares.' });

const chainStatus = z
  .strictObject({
    name: text('The chain.'),
    labels: z.record(z.string(), z.string()).meta({ description: "The manifest's labels." }),
    manifest: maybe(z.string(), 'The manifest that it was applied from; null for standard input.'),
    appliedAt: maybe(z.string(), 'When it was applied last, ISO 8601; null when that cannot be read.'),
    hook: maybe(z.string(), 'The hook.'),
    interface: maybe(z.string(), 'The interface.'),
    netns: maybe(z.string(), 'The network namespace as the manifest names it; null for the own one.'),
    form: maybe(
      z.enum(['dispatcher', 'tail-calls', 'tcx', 'netkit-device', 'tc', 'cgroup', 'alone', 'mixed']),
      'What makes its members run one after another: a dispatcher after the protocol of libxdp, tail calls, or the order that the kernel has on the hook; null where none is attached.',
    ),
    members: z
      .array(
        z
          .strictObject({
            function: text('The function.'),
            program: maybe(z.string(), 'Its program in the chain; null while it is not attached.'),
            link: maybe(z.string(), 'The name of its link.'),
            alive: flag('Whether it really is attached.'),
            priority: maybe(z.int().min(0), 'Lower ones run first.'),
            place: maybe(
              z.int().min(0),
              'Where the kernel has it among all programs on the hook; of a tc filter its priority; null where nobody tells.',
            ),
          })
          .meta({ description: 'A member.' }),
      )
      .meta({ description: 'Its members in the declared order.' }),
    inOrder: maybe(
      z.boolean(),
      'Whether all members run, in the declared order; null where this user may not see that.',
    ),
    problem: maybe(z.string(), 'Why it cannot be read.'),
  })
  .meta({ description: 'A chain that a manifest declares.' });

const driftRow = z
  .strictObject({
    field: text('The field of the manifest, or the attachment or program that is meant.'),
    declared: maybe(z.string(), 'As the manifest has it now; null where it says nothing, or cannot be read.'),
    recorded: maybe(z.string(), 'As it was applied last; null where nothing is recorded of it.'),
    kernel: maybe(z.string(), 'As the kernel has it; null where nothing in it stands for the field.'),
    differs: flag('Whether that is a difference: variables that programs write may differ.'),
    samples: z
      .array(
        z
          .strictObject({
            kind: z.enum(['added', 'changed', 'removed']).meta({
              description: 'Whether `apply` would add, change or remove the entry.',
            }),
            key: text('The key.'),
            from: maybe(z.string(), 'What the map has; null for an entry that is missing.'),
            to: maybe(z.string(), 'What is declared; null for an entry that is too many.'),
          })
          .meta({ description: 'An entry that is not as it was declared.' }),
      )
      .meta({ description: 'Of entries that differ, the first five of each kind.' }),
  })
  .meta({ description: 'A field.' });

const drift = z
  .strictObject({
    kind: z.enum(['function', 'chain']).meta({ description: 'What it is.' }),
    name: text('Its name.'),
    rows: z.array(driftRow).meta({ description: 'The fields that differ; with `--all` every one.' }),
    problems: z.array(z.string()).meta({ description: 'What cannot be read, and so not be compared.' }),
  })
  .meta({ description: 'A function or chain.' });

/** Documents of the commands that show declared functions. */
export const declaredViewDocuments = {
  diff: z.strictObject({
    subjects: z.array(drift).meta({ description: 'Every function and chain that was compared.' }),
    differences: count('How many fields differ.'),
    unread: z.array(z.string()).meta({ description: 'Manifests that cannot be read, with the reason.' }),
  }),
  status: z.strictObject({
    functions: z.array(functionStatus).meta({ description: 'The functions, by name.' }),
    chains: z.array(chainStatus).meta({ description: 'The chains, by name.' }),
  }),
  export: z.strictObject({
    documents: z
      .array(z.record(z.string(), z.unknown()))
      .meta({ description: 'The documents of the manifest, after `manifest.schema.json`.' }),
    notes: z
      .array(
        z
          .strictObject({ name: text('The function.'), text: text('The remark.') })
          .meta({ description: 'A remark about a document.' }),
      )
      .meta({ description: 'What is not as it was, and why; comments in the manifest.' }),
    files: z.array(z.string()).meta({ description: 'Files that were written, by their paths.' }),
    left: z.array(z.string()).meta({ description: 'What could not be exported, with the reason.' }),
  }),
} as const;
