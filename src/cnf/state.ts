/** What netkit remembers of a function: one JSON file each in the state directory. */
import * as z from 'zod/mini';

/** The one format so far. A file with a higher number was written by a newer netkit and is left alone. */
export const stateFormat = 1;

export const hooks = ['xdp', 'tcx/ingress', 'tcx/egress', 'tc/ingress', 'tc/egress'] as const;
export type Hook = (typeof hooks)[number];

/** `auto` exists in plans only: what is recorded says which mode was taken. */
export const xdpModes = ['native', 'generic', 'auto'] as const;
export type XdpModeChoice = (typeof xdpModes)[number];

const linkState = z.strictObject({
  /** Its pin's name below `links/`; for a tc filter a name only. */
  name: z.string(),
  program: z.string(),
  hook: z.enum(hooks),
  ifname: z.string(),
  ifindex: z.int(),
  /** An ifindex means something only in its namespace. `ref` is what the user said, to open it again. */
  netns: z.strictObject({ inode: z.int(), ref: z.nullable(z.string()) }),
  mode: z.nullable(z.enum(xdpModes)),
  /** The place of a tc filter, which is no link, and whose program is in it: 0 in a plan. */
  filter: z.nullable(
    z.strictObject({ handle: z.int(), priority: z.int(), madeQdisc: z.boolean(), programId: z.int() }),
  ),
});

export const functionState = z.strictObject({
  formatVersion: z.literal(stateFormat),
  name: z.string(),
  /** The change that wrote this file: after a crash it tells whether that change was committed. */
  change: z.string(),
  /** The kernel's boot id: pins and links of another boot are gone. */
  bootId: z.string(),
  bpffs: z.string(),
  /** Brought back after a reboot. */
  persist: z.boolean(),
  object: z.strictObject({ path: z.string(), file: z.string(), sha256: z.string() }),
  options: z.strictObject({
    globals: z.record(z.string(), z.string()),
    mapSizes: z.record(z.string(), z.int()),
    only: z.nullable(z.array(z.string())),
    reuse: z.record(z.string(), z.string()),
  }),
  programs: z.array(z.strictObject({ name: z.string(), section: z.string(), type: z.string() })),
  maps: z.array(z.strictObject({ name: z.string(), type: z.string() })),
  links: z.array(linkState),
  loadedAt: z.string(),
});

export type LinkState = z.infer<typeof linkState>;
export type FunctionState = z.infer<typeof functionState>;
