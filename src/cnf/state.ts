/** What netkit remembers of a function: one JSON file each in the state directory. */
import * as z from 'zod/mini';
import { chainState } from './chain-state.js';
import { declaration, loadOptions, storedFile, storedObject } from './declaration.js';
import { oldEntries } from './entries/old-entries.js';
import { fileName, linkState } from './link-state.js';
import { isFunctionName } from './names.js';

/** The format that is written; those before it are read too. A file with a higher number was written by a newer netkit. */
export const stateFormat = 3;

const functionName = z.string().check(z.refine(isFunctionName, 'no name of a function'));
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
  object: z.nullable(storedObject),
  options: loadOptions,
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
  /** For what a manifest declares. */
  declared: z.optional(declaration),
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

const recorded = z.union([functionState, chainState]);

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
          'store-entries',
          'drop-entries',
          'write-entries',
          'record-chain',
          'adopt',
          'drop-pins',
          'record',
          'unpin',
          'set-aside',
          'drop-object',
        ]),
        function: functionName,
        file: z.optional(storedFile),
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
        before: z.optional(z.nullable(recorded)),
        after: z.optional(z.nullable(recorded)),
        map: z.optional(pinsPath),
        old: z.optional(z.nullable(oldEntries)),
      }),
    ),
  });

export type FunctionState = z.infer<typeof functionState>;
