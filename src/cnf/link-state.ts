/** What netkit remembers of one attachment: where it is, and what is needed to make it again just so. */
import * as z from 'zod/mini';
import { hookNames, netfilterProtocols, netfilterStages } from '../base/hook-names.js';
import { xdpVerdicts } from '../obj/xdp-dispatcher/actions.js';
import { priorityRange } from './order.js';

/** `auto` exists in plans only: what is recorded says which mode was taken. */
export const xdpModes = ['native', 'generic', 'offload', 'auto'] as const;
export type XdpModeChoice = (typeof xdpModes)[number];

/** The last part of a path, and no more: what these files say decides what root removes. */
export const fileName = z.string().check(z.regex(/^[^/\0]+$/, 'no name of a pin'));
const uint32 = z.int().check(z.gte(0), z.lte(0xffffffff));

/** `ref` is what the user said, to open the namespace again; null for the one that the command ran in. */
const netns = z.strictObject({ inode: z.int(), ref: z.nullable(z.string()) });

/** An ifindex means something only in its namespace. */
const interfaceTarget = z.strictObject({
  kind: z.literal('interface'),
  ifname: z.string(),
  ifindex: z.int().check(z.gte(1), z.lte(0x7fffffff)),
  netns,
});

/** A network namespace as a whole. */
const netnsTarget = z.strictObject({ kind: z.literal('netns'), netns });

/** `path` is below the root of the cgroup v2 tree, and begins with a slash; `id` is the kernel's, in decimal. */
const cgroupTarget = z.strictObject({
  kind: z.literal('cgroup'),
  path: z.string().check(z.regex(/^\//, 'no path of a cgroup')),
  id: z.string().check(z.regex(/^\d+$/, 'no id of a cgroup')),
});

/** What is known by its name alone: a function of the kernel, an event, `binary:function`. */
const textTarget = z.strictObject({ kind: z.literal('text'), text: z.string() });

/** A map, by the reference that names it, and its id: 0 in a plan. */
const mapTarget = z.strictObject({ kind: z.literal('map'), reference: z.string(), id: uint32 });

/** An entry of a map that redirects packets; what `holds` is the interface's name, or of a cpumap the length of its queue. */
const entryTarget = z.strictObject({
  kind: z.literal('map-entry'),
  reference: z.string(),
  id: uint32,
  key: uint32,
  holds: z.string(),
  netns,
});

/** A route, by where it leads; its programs are on it. */
const routeTarget = z.strictObject({
  kind: z.literal('route'),
  destination: z.string(),
  via: z.nullable(z.string()),
  table: z.int().check(z.gte(1), z.lte(0xffffffff)),
  ifname: z.string(),
  ifindex: z.int().check(z.gte(1), z.lte(0x7fffffff)),
  netns,
});

/** A socket that a process has open. Never recorded: nothing but that process keeps it. */
const socketTarget = z.strictObject({ kind: z.literal('socket'), pid: uint32, fd: uint32, inode: z.int() });

/** What `bpf_get_attach_cookie()` gives, in decimal. */
const cookie = z.nullable(z.string().check(z.regex(/^\d{1,20}$/, 'no cookie')));

const reference = z.string().check(z.minLength(1));

/** Where a program goes among others: by its priority, lower ones first, or where it was asked to be. */
const order = z.strictObject({
  priority: z.int().check(z.gte(priorityRange.least), z.lte(priorityRange.most)),
  /** References as on the command line; null when its priority alone decided. */
  place: z.nullable(
    z.union([
      z.enum(['first', 'last']),
      z.strictObject({ before: reference }),
      z.strictObject({ after: reference }),
    ]),
  ),
});

const filterPlace = z.strictObject({
  handle: uint32,
  priority: z.int().check(z.gte(1), z.lte(0xffff)),
  madeQdisc: z.boolean(),
  programId: uint32,
});

const common = { name: fileName, program: fileName, hook: z.enum(hookNames) };

const chainMember = {
  target: interfaceTarget,
  mode: z.enum(xdpModes),
  /** Lower ones run first. The chain itself has what counts. */
  priority: z.int().check(z.gte(0), z.lte(0xffffffff)),
  proceedOn: z.array(z.enum(xdpVerdicts)),
  /** Where among the others it was asked to be; its priority was chosen for that. */
  beside: order.shape.place,
  /** The kernel's id of the member: it tells whose it is when somebody has removed its pin. Not there in older files. */
  programId: z.optional(uint32),
};

/**
 * What is recorded of an attachment of each family. Built when a link of the family is read: a command reads few, and all
 * of them would cost every start some milliseconds.
 */
const families = {
  xdp: () =>
    z.strictObject({
      ...common,
      family: z.literal('xdp'),
      target: interfaceTarget,
      mode: z.enum(xdpModes),
    }),
  /** A member of the interface's chain, after libxdp's protocol. */
  'xdp-chain': () => z.strictObject({ ...common, ...chainMember, family: z.literal('xdp-chain') }),
  /** A member of a chain by tail calls, where there can be none after libxdp's protocol. */
  'xdp-tail-chain': () => z.strictObject({ ...common, ...chainMember, family: z.literal('xdp-tail-chain') }),
  tcx: () => z.strictObject({ ...common, family: z.literal('tcx'), target: interfaceTarget, order }),
  tc: () =>
    z.strictObject({
      ...common,
      family: z.literal('tc'),
      target: interfaceTarget,
      /** The place of the filter, which is no link, and whose program is in it: 0 in a plan. */
      filter: filterPlace,
    }),
  'tc-action': () =>
    z.strictObject({
      ...common,
      family: z.literal('tc-action'),
      target: interfaceTarget,
      /** The place of the filter that the action is behind. */
      filter: filterPlace,
    }),
  lwt: () => z.strictObject({ ...common, family: z.literal('lwt'), target: routeTarget, programId: uint32 }),
  'map-entry': () =>
    z.strictObject({
      ...common,
      family: z.literal('map-entry'),
      target: entryTarget,
      /** The entry was not there before. */
      made: z.boolean(),
      programId: uint32,
    }),
  socket: () =>
    z.strictObject({
      ...common,
      family: z.literal('socket'),
      target: z.discriminatedUnion('kind', [interfaceTarget, socketTarget]),
    }),
  'netkit-dev': () =>
    z.strictObject({ ...common, family: z.literal('netkit-dev'), target: interfaceTarget, order }),
  netfilter: () =>
    z.strictObject({
      ...common,
      family: z.literal('netfilter'),
      target: netnsTarget,
      protocol: z.enum(netfilterProtocols),
      stage: z.enum(netfilterStages),
      /** Lower ones run first; one program each. */
      priority: z.int().check(z.gte(-0x80000000), z.lte(0x7fffffff)),
      defrag: z.boolean(),
    }),
  netns: () => z.strictObject({ ...common, family: z.literal('netns'), target: netnsTarget }),
  cgroup: () => z.strictObject({ ...common, family: z.literal('cgroup'), target: cgroupTarget, order }),
  sockmap: () => z.strictObject({ ...common, family: z.literal('sockmap'), target: mapTarget }),
  tracepoint: () =>
    z.strictObject({ ...common, family: z.literal('tracepoint'), target: textTarget, cookie }),
  'raw-tracepoint': () =>
    z.strictObject({ ...common, family: z.literal('raw-tracepoint'), target: textTarget, cookie }),
  kprobe: () => z.strictObject({ ...common, family: z.literal('kprobe'), target: textTarget, cookie }),
  'kprobe-multi': () => z.strictObject({ ...common, family: z.literal('kprobe-multi'), target: textTarget }),
  uprobe: () =>
    z.strictObject({
      ...common,
      family: z.literal('uprobe'),
      target: textTarget,
      /** Only in this process; in all when null. */
      pid: z.nullable(z.int().check(z.gte(1))),
      cookie,
    }),
  'perf-event': () =>
    z.strictObject({ ...common, family: z.literal('perf-event'), target: textTarget, cookie }),
  tracing: () => z.strictObject({ ...common, family: z.literal('tracing'), target: textTarget }),
  iterator: () => z.strictObject({ ...common, family: z.literal('iterator'), target: textTarget }),
  freplace: () => z.strictObject({ ...common, family: z.literal('freplace'), target: textTarget }),
  // A table of callbacks, which has the place of the program; its target is the kernel's struct.
  'struct-ops': () => z.strictObject({ ...common, family: z.literal('struct-ops'), target: textTarget }),
  // One that is no link.
  'struct-ops-table': () =>
    z.strictObject({ ...common, family: z.literal('struct-ops-table'), target: textTarget }),
  lirc: () => z.strictObject({ ...common, family: z.literal('lirc'), target: textTarget, programId: uint32 }),
};

export type FamilyName = keyof typeof families;
/** The state of a link of one family. */
export type LinkOf<F extends FamilyName> = z.infer<ReturnType<(typeof families)[F]>>;
export type LinkState = { readonly [F in FamilyName]: LinkOf<F> }[FamilyName];

const built = new Map<FamilyName, z.ZodMiniType<LinkState>>();

function schemaOf(family: FamilyName): z.ZodMiniType<LinkState> {
  const present = built.get(family) ?? families[family]();
  built.set(family, present);
  return present;
}

/**
 * An attachment. `family` says which file of `hooks/` knows about it, and with that what it is attached to and what else
 * belongs to it. `name` is its pin's name below `links/`, or of a chain's member below `chain/`; for what is no link a name
 * only.
 */
export const linkState: z.ZodMiniType<LinkState> = z.pipe(
  z.looseObject({ family: z.enum(Object.keys(families) as FamilyName[]) }),
  z.transform((link, context) => {
    const read = schemaOf(link.family).safeParse(link);
    if (read.success) return read.data;
    for (const { path, message } of read.error.issues)
      context.issues.push({ code: 'custom', path: [...path], message, input: link });
    return z.NEVER;
  }),
);

export type Target = LinkState['target'];
export type TargetKindName = Target['kind'];
export type TargetOf<K extends TargetKindName> = Extract<Target, { readonly kind: K }>;
/** What tells a recorded network namespace. */
export type NetnsState = z.infer<typeof netns>;
