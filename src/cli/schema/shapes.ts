import { z } from 'zod';

/** Parts that several documents share. Every field is always there: `null` or an empty list where there is nothing. */

export const text = (about: string) => z.string().meta({ description: about });
export const count = (about: string) => z.int().min(0).meta({ description: about });
export const flag = (about: string) => z.boolean().meta({ description: about });
export const maybe = <T extends z.ZodType>(type: T, about: string) =>
  type.nullable().meta({ description: about });
export const id = (of: string) =>
  maybe(z.int().min(1), `The kernel's id of the ${of}; null while it does not exist, as in a dry run.`);

/** A value decoded through its type: a number, text, object or array. */
export const decoded = (about: string) => z.unknown().meta({ description: about });

const pin = maybe(z.string(), "The path of its pin in the bpffs; null when it has none that is netkit's.");
const owner = maybe(z.string(), 'The function that it belongs to; null when netkit did not load it.');

export const program = z
  .strictObject({
    name: text(
      "Its name: as in the object file for netkit's own, else as the kernel has it, cut to 15 characters.",
    ),
    id: id('program'),
    type: text("The kernel's word for its type: xdp, sched_cls, …"),
    function: owner,
    section: maybe(z.string(), 'The section of the object file that it comes from, when netkit loaded it.'),
    tag: maybe(z.string(), "The kernel's hash over its instructions, in hexadecimal."),
    gplCompatible: maybe(z.boolean(), 'Whether it may call helpers that are for GPL programs only.'),
    translatedBytes: maybe(z.int().min(0), 'Size of its instructions after the verifier.'),
    jitedBytes: maybe(z.int().min(0), 'Size of its machine code; 0 when it is interpreted.'),
    verifiedInstructions: maybe(z.int().min(0), 'How many instructions the verifier walked through.'),
    mapIds: z.array(z.int().min(1)).meta({ description: 'The ids of the maps that it uses.' }),
    btfId: maybe(z.int().min(1), 'The id of its BTF.'),
    loadedAt: maybe(z.iso.datetime(), 'When it was loaded.'),
    pin,
  })
  .meta({ description: 'A program in the kernel.' });

export const map = z
  .strictObject({
    name: text(
      "Its name: as in the object file for netkit's own, else as the kernel has it, cut to 15 characters.",
    ),
    id: id('map'),
    type: text("The kernel's word for its type: hash, lpm_trie, percpu_array, …"),
    function: owner,
    keySize: count('Bytes of a key.'),
    valueSize: count('Bytes of a value.'),
    maxEntries: count('How many entries it can hold.'),
    flags: z
      .array(z.string())
      .meta({ description: "The kernel's words for its flags, such as no_prealloc." }),
    keyType: maybe(z.string(), 'The C type of its keys, when it has BTF.'),
    valueType: maybe(z.string(), 'The C type of its values, when it has BTF.'),
    btfId: maybe(z.int().min(1), 'The id of its BTF.'),
    memoryBytes: maybe(z.int().min(0), 'The memory that the kernel charges for it.'),
    frozen: maybe(z.boolean(), 'Whether it is read-only for user space.'),
    pin,
  })
  .meta({ description: 'A map in the kernel.' });

export const namespace = z
  .strictObject({
    inode: count('What identifies the namespace.'),
    name: maybe(z.string(), 'Its name below /run/netns.'),
  })
  .meta({ description: 'A network namespace.' });

export const link = z
  .strictObject({
    name: maybe(z.string(), 'The name of its pin.'),
    id: maybe(
      z.int().min(1),
      "The kernel's id of the link; null for a tc filter, which is none, and in a dry run.",
    ),
    type: text("The kernel's word for its type: xdp, tcx, …; tc for a filter of a clsact qdisc."),
    function: owner,
    program: z
      .strictObject({
        id: id('program'),
        name: maybe(z.string(), 'The name of the program.'),
      })
      .meta({ description: 'What runs there.' }),
    hook: maybe(z.string(), 'The hook: xdp, tcx/ingress, tc/egress, …'),
    attachType: maybe(z.string(), "The kernel's word for how it is attached: xdp, tcx_ingress, …"),
    mode: maybe(z.enum(['native', 'generic', 'offload']), 'For XDP: where it runs.'),
    detail: maybe(z.string(), 'What else tells the place, in words: native, or ipv4 input, priority 0.'),
    target: maybe(
      z.string(),
      'What it is attached to, as `attach` takes it: an interface, a cgroup, a kernel function, …; null where only a network namespace tells, and for what netkit did not attach.',
    ),
    ifname: maybe(z.string(), 'The interface; null for other targets, and for an interface that is gone.'),
    ifindex: maybe(z.int().min(0), 'The index of the interface in its namespace.'),
    netns: maybe(namespace, 'The namespace of the interface, as far as it is known.'),
    dead: flag('Whether what it was attached to is gone.'),
    pin,
  })
  .meta({ description: 'An attachment: a link in the kernel, or a tc filter.' });

export const loadedFunction = z
  .strictObject({
    name: text('The name of the function.'),
    object: maybe(z.string(), 'The object file that it was loaded from.'),
    loadedAt: maybe(z.iso.datetime(), 'When it was loaded.'),
    persist: flag('Whether it comes back after a reboot.'),
    problem: maybe(z.string(), 'Why what netkit recorded of it cannot be read.'),
    programs: z.array(program).meta({ description: 'Its programs.' }),
    maps: z.array(map).meta({ description: 'Its maps.' }),
    links: z.array(link).meta({ description: 'Where it is attached.' }),
  })
  .meta({ description: 'A function: an object file loaded under a name.' });

/** What a command that changes something did, or under `--dry-run` would do. */
export const change = {
  dryRun: flag('True when nothing was done, and `actions` is what would be.'),
  actions: z
    .array(
      z.strictObject({
        kind: text('The kind of step, such as load, pin, attach or detach.'),
        about: text('What it does, in words.'),
      }),
    )
    .meta({ description: 'The steps, in order; empty when nothing was to be done.' }),
};

/** A map as documents about its entries name it. */
export const mapName = z
  .strictObject({
    id: count("The kernel's id of the map."),
    name: text('Its name.'),
  })
  .meta({ description: 'The map.' });

export const diagnostic = z
  .strictObject({
    file: maybe(z.string(), 'The source file.'),
    line: maybe(z.int().min(1), 'The line, from 1.'),
    column: maybe(z.int().min(1), 'The column, from 1.'),
    severity: z.enum(['error', 'warning', 'note']).meta({ description: 'How bad it is.' }),
    message: text('What the compiler says.'),
  })
  .meta({ description: 'A remark of the compiler.' });

/** A change that waits for its confirmation, as documents show it. */
export const pendingChange = z
  .strictObject({
    function: text('The function that was changed.'),
    command: text('The command that changed it.'),
    startedAt: text('When it was started.'),
    returnsAt: z.iso.datetime().meta({ description: 'When it is, or was to be, taken back.' }),
    secondsLeft: z.number().min(0).meta({ description: 'How long until then; 0 when it is overdue.' }),
    settling: flag('Whether netkit itself finds out whether it may stay: its health is watched.'),
    problem: maybe(z.string(), 'Why it could not be taken back, where that was tried.'),
  })
  .meta({ description: 'A change that is taken back unless `netkit confirm` keeps it.' });

/** A change that was taken back since nobody confirmed it. */
export const returnedChange = z
  .strictObject({
    function: text('The function that was changed.'),
    command: text('The command that changed it.'),
    startedAt: text('When it was started.'),
    returnedAt: maybe(z.iso.datetime(), 'When it was taken back; null in a dry run.'),
    reason: maybe(
      z.enum(['time', 'reboot', 'health', 'abandoned']),
      'Whether its time was over, or the machine was started anew, or it was not healthy, or the process that was to find that out had ended; null in a dry run.',
    ),
  })
  .meta({ description: 'A change that was taken back, since nobody confirmed it.' });

/** What the commands say that take `--confirm`. */
export const awaitsConfirmation = {
  returnsAt: maybe(
    z.iso.datetime(),
    'When the change is taken back unless `netkit confirm` keeps it; null without `--confirm`, and where nothing was changed.',
  ),
};
