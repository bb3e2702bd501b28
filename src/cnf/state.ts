/** What netkit remembers of a function: one JSON file each in the state directory. */
import * as z from 'zod/mini';
import { fileName, linkState } from './link-state.js';
import { isFunctionName } from './names.js';

/** The format that is written; those before it are read too. A file with a higher number was written by a newer netkit. */
export const stateFormat = 2;

const functionName = z.string().check(z.refine(isFunctionName, 'no name of a function'));
const objectFile = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9_-]{0,62}-[0-9a-f]{12}\.bpf\.o$/, 'no name of a stored object'));
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
  /** Null for what another tool had loaded, and netkit took over. */
  object: z.nullable(z.strictObject({ path: z.string(), file: objectFile, sha256: z.string() })),
  options: z.strictObject({
    globals: z.record(z.string(), z.string()),
    mapSizes: z.record(z.string(), z.int()),
    only: z.nullable(z.array(z.string())),
    reuse: z.record(z.string(), z.string()),
    /** What tracing programs were loaded for, as `load --target` has it; not there when no program was named. */
    targets: z.optional(z.record(z.string(), z.string())),
  }),
  programs: z.array(
    z.strictObject({
      name: fileName,
      section: z.string(),
      type: z.string(),
      /** What it was loaded for, where that is not what its section says. */
      target: z.optional(z.string()),
    }),
  ),
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

/** What the journal holds: a plan of actions, each with such paths only as its kind may touch. Built when one is read, which is rare. */
export const changePlan = () =>
  z.object({
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
          'migrate',
          'test',
          'catch-up',
          'carry-over',
          'rearrange',
          'move',
          'await-confirmation',
          'adopt',
          'drop-pins',
          'record',
          'unpin',
          'set-aside',
          'drop-object',
        ]),
        function: functionName,
        file: z.optional(objectFile),
        folder: z.optional(z.union([pinsFolder, asideFolder])),
        link: z.optional(linkState),
        next: z.optional(linkState),
        from: z.optional(pinsPath),
        to: z.optional(z.union([pinsPath, asideFolder])),
        displaced: z.optional(pinsPath),
        forMs: z.optional(z.int()),
        objects: z.optional(
          z.array(
            z.strictObject({ folder: z.enum(['progs', 'maps', 'links']), name: fileName, id: z.int() }),
          ),
        ),
        pins: z.optional(
          z.array(
            z.strictObject({ path: z.string(), kind: z.enum(['program', 'map', 'link']), id: z.int() }),
          ),
        ),
        before: z.optional(z.nullable(functionState)),
        after: z.optional(z.nullable(functionState)),
      }),
    ),
  });

export type FunctionState = z.infer<typeof functionState>;
