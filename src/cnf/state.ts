/** What netkit remembers of a function: one JSON file each in the state directory. */
import * as z from 'zod/mini';
import { isFunctionName } from './names.js';

/** The one format so far. A file with a higher number was written by a newer netkit and is left alone. */
export const stateFormat = 1;

export const hooks = ['xdp', 'tcx/ingress', 'tcx/egress', 'tc/ingress', 'tc/egress'] as const;
export type Hook = (typeof hooks)[number];

/** `auto` exists in plans only: what is recorded says which mode was taken. */
export const xdpModes = ['native', 'generic', 'auto'] as const;
export type XdpModeChoice = (typeof xdpModes)[number];

const functionName = z.string().check(z.refine(isFunctionName, 'no name of a function'));
/** The last part of a path, and no more: what these files say decides what root removes. */
const fileName = z.string().check(z.regex(/^[^/\0]+$/, 'no name of a pin'));
const objectFile = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9_-]{0,62}-[0-9a-f]{12}\.bpf\.o$/, 'no name of a stored object'));
const uint32 = z.int().check(z.gte(0), z.lte(0xffffffff));

const linkState = z.strictObject({
  /** Its pin's name below `links/`; for a tc filter a name only. */
  name: fileName,
  program: fileName,
  hook: z.enum(hooks),
  ifname: z.string(),
  ifindex: z.int().check(z.gte(1), z.lte(0x7fffffff)),
  /** An ifindex means something only in its namespace. `ref` is what the user said, to open it again. */
  netns: z.strictObject({ inode: z.int(), ref: z.nullable(z.string()) }),
  mode: z.nullable(z.enum(xdpModes)),
  /** The place of a tc filter, which is no link, and whose program is in it: 0 in a plan. */
  filter: z.nullable(
    z.strictObject({
      handle: uint32,
      priority: z.int().check(z.gte(1), z.lte(0xffff)),
      madeQdisc: z.boolean(),
      programId: uint32,
    }),
  ),
});

export const functionState = z.strictObject({
  formatVersion: z.literal(stateFormat),
  name: functionName,
  /** The change that wrote this file: after a crash it tells whether that change was committed. */
  change: z.string(),
  /** The kernel's boot id: pins and links of another boot are gone. */
  bootId: z.string(),
  bpffs: z.string(),
  /** Brought back after a reboot. */
  persist: z.boolean(),
  object: z.strictObject({ path: z.string(), file: objectFile, sha256: z.string() }),
  options: z.strictObject({
    globals: z.record(z.string(), z.string()),
    mapSizes: z.record(z.string(), z.int()),
    only: z.nullable(z.array(z.string())),
    reuse: z.record(z.string(), z.string()),
  }),
  programs: z.array(z.strictObject({ name: fileName, section: z.string(), type: z.string() })),
  maps: z.array(z.strictObject({ name: fileName, type: z.string() })),
  links: z.array(linkState),
  loadedAt: z.string(),
});

const pinsFolder = z
  .string()
  .check(z.regex(/^\/(.*\/)?netkit\/\+?[a-z0-9][a-z0-9_-]{0,62}$/, "no folder of netkit's pins"));
const pinsPath = z
  .string()
  .check(
    z.regex(
      /^\/(.*\/)?netkit\/\+?[a-z0-9][a-z0-9_-]{0,62}\/(old_)?(progs|maps|links)(\/[^/\0]+)?$/,
      "no path of netkit's pins",
    ),
  );

const asideFolder = z
  .string()
  .check(
    z.regex(/^\/(.*\/)?netkit\/~\d{1,9}-[a-z0-9][a-z0-9_-]{0,62}$/, "no folder of netkit's pins put aside"),
  );

/** What the journal holds: a plan of actions, each with such paths only as its kind may touch. */
export const changePlan = z.object({
  change: z.string(),
  bootId: z.string(),
  command: z.string(),
  startedAt: z.string(),
  function: functionName,
  actions: z.array(
    z.object({
      kind: z.enum([
        'store-object',
        'load',
        'attach',
        'detach',
        'swap',
        'move',
        'record',
        'unpin',
        'set-aside',
        'drop-object',
      ]),
      function: functionName,
      file: z.optional(objectFile),
      folder: z.optional(z.union([pinsFolder, asideFolder])),
      link: z.optional(linkState),
      from: z.optional(pinsPath),
      to: z.optional(z.union([pinsPath, asideFolder])),
      displaced: z.optional(pinsPath),
      before: z.optional(z.nullable(functionState)),
      after: z.optional(z.nullable(functionState)),
    }),
  ),
});

export type LinkState = z.infer<typeof linkState>;
export type FunctionState = z.infer<typeof functionState>;
