import { z } from 'zod';
import { count, flag, maybe, text } from './shapes.js';

const since = maybe(z.string(), 'The Linux version that brought it; null when netkit does not know.');
const available = maybe(
  z.boolean(),
  'Whether this kernel has it; null when that cannot be told, as without the right to ask.',
);
const reason = maybe(z.string(), 'Why it does not, or why that is unknown.');
const answer = { since, available, reason };

const words = (about: string) => z.array(z.string()).meta({ description: about });
const section = <T extends z.ZodType>(type: T, about: string) =>
  maybe(z.array(type), `${about}; null when it was not asked for.`);
const named = (about: string) => z.strictObject({ name: text(about), ...answer });

const channels = z
  .strictObject({
    rx: count('Queues for what is received.'),
    tx: count('Queues for what is sent.'),
    combined: count('Queues for both.'),
    maxRx: count('How many there can be.'),
    maxTx: count('How many there can be.'),
    maxCombined: count('How many there can be.'),
  })
  .meta({ description: 'The queues of the interface.' });

const xdp = z
  .strictObject({
    native: flag('Programs run in the driver; they pass, drop, abort, and send back out.'),
    redirect: flag('Programs may send packets on, to other interfaces, CPUs and sockets.'),
    redirectTarget: flag('Programs of other interfaces may send packets here.'),
    zeroCopy: flag('AF_XDP sockets share memory with the card.'),
    offload: flag('Programs run on the card.'),
    frags: flag('Packets in several buffers reach programs that take them.'),
    fragsTarget: flag('Programs of other interfaces may send packets in several buffers here.'),
    zeroCopySegments: maybe(
      z.int().min(0),
      'How many buffers a packet on a zero-copy socket may take; null without such sockets.',
    ),
    rxMetadata: maybe(
      z.array(z.enum(['timestamp', 'hash', 'vlan-tag'])),
      'What the card tells programs of a received packet; null from kernels that do not tell.',
    ),
    txMetadata: maybe(
      z.array(z.enum(['timestamp', 'checksum', 'launch-time'])),
      'What the card does for packets of AF_XDP sockets; null from kernels that do not tell.',
    ),
  })
  .meta({ description: 'What its driver can do with XDP.' });

const networkInterface = z
  .strictObject({
    ifname: text('Its name.'),
    ifindex: count('Its index in its network namespace.'),
    driver: maybe(z.string(), 'Its driver; null for interfaces without one.'),
    mtu: count('Bytes that a packet may have beside its link-layer header.'),
    channels: maybe(channels, 'Its queues; null when the driver does not tell.'),
    lro: maybe(z.boolean(), 'Whether received packets are put together (large receive offload).'),
    xdp: maybe(xdp, 'What its driver can do with XDP; null from kernels that do not tell.'),
    reason: maybe(z.string(), 'Why `xdp` is null.'),
  })
  .meta({ description: 'A network interface.' });

const helper = z.strictObject({
  name: text('The function, with `bpf_`.'),
  ...answer,
  programTypes: words('The types of programs that may call it.'),
  whenSleepable: words('The types of which only programs that may sleep can call it.'),
});

const setup = z
  .strictObject({
    jit: maybe(z.enum(['on', 'debug', 'off']), 'Whether programs become machine code.'),
    jitHardening: maybe(
      z.enum(['off', 'unprivileged', 'all']),
      'Whose constants are hidden from attackers in machine code.',
    ),
    jitSymbols: maybe(z.boolean(), 'Whether machine code of programs is named in /proc/kallsyms.'),
    jitLimit: maybe(z.int().min(0), 'Bytes of machine code that users without rights may take up.'),
    unprivileged: maybe(
      z.enum(['allowed', 'disabled', 'disabled-for-good']),
      'Whether users without rights may load programs.',
    ),
    lockdown: z.enum(['none', 'integrity', 'confidentiality']).meta({ description: 'The lockdown mode.' }),
    statistics: maybe(z.boolean(), 'Whether runs of programs are counted and timed.'),
  })
  .meta({ description: 'How the kernel is set up; null is what it does not tell here.' });

const kernel = z
  .strictObject({
    release: text('What `uname -r` says.'),
    machine: text('What `uname -m` says.'),
  })
  .meta({ description: 'The kernel that runs.' });

const check = z.strictObject({
  name: text('What was looked at.'),
  status: z.enum(['ok', 'warning', 'missing', 'taken', 'unknown']).meta({
    description:
      'missing: it is needed; taken: somebody else is in the way; warning: something goes without; unknown: this user cannot tell.',
  }),
  blocks: maybe(
    z.enum(['kernel', 'user', 'owner']),
    'Who has to change for the object to run: the kernel, the rights of the user, or the owner of what is in the way. Null when it does not stand in the way.',
  ),
  message: text('What was found.'),
  hint: maybe(z.string(), 'What to do about it.'),
});

const checkedObject = z
  .strictObject({
    file: text('The object file.'),
    ifname: maybe(z.string(), 'The interface that it is to run on.'),
    since: maybe(z.string(), 'The Linux version that has all that it needs, as far as versions tell.'),
    programs: words('The programs that were looked at.'),
    verdict: z.enum(['runs', 'kernel', 'user', 'owner']).meta({
      description: 'runs: it can; otherwise who stands in the way first.',
    }),
  })
  .meta({ description: 'The object.' });

/** Documents of the commands on what this kernel offers. */
export const featureDocuments = {
  doctor: z.strictObject({
    kernel,
    object: maybe(checkedObject, 'The object; null when none was given.'),
    checks: z.array(check).meta({ description: 'What netkit needs; with an object, what that needs.' }),
    hooks: z
      .array(named('The hook.'))
      .meta({ description: 'Where programs can be attached; empty when an object is looked at.' }),
  }),
  feature: z.strictObject({
    kernel,
    programTypes: section(named("The kernel's word for the type."), 'The types of programs'),
    mapTypes: section(named("The kernel's word for the type."), 'The types of maps'),
    hooks: section(named('The hook, as in section names.'), 'Where programs can be attached'),
    helpers: section(helper, 'The helper functions'),
    kfuncs: section(
      z.strictObject({
        name: text('The function.'),
        ...answer,
        module: maybe(z.string(), 'The kernel module that has it; null for the kernel itself.'),
      }),
      'The functions of the kernel that programs may call (kfuncs)',
    ),
    misc: section(
      z.strictObject({ name: text('Its name.'), about: text('What it is.'), ...answer }),
      'What else there is: instructions, limits, commands of bpf(2)',
    ),
    setup: maybe(setup, 'How the kernel is set up; null when it was not asked for.'),
    build: section(
      z.strictObject({
        name: text('The setting: CONFIG_BPF, …'),
        about: text('What it is for.'),
        value: maybe(z.string(), 'Its value, such as y or m; null when it is not set.'),
      }),
      "The settings of the kernel's build; empty when neither the kernel nor its package tells",
    ),
    interfaces: section(networkInterface, 'The network interfaces'),
  }),
} as const;
