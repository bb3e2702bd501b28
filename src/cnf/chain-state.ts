/** What netkit remembers of a chain that a manifest declares. Its members are links of functions, which say so. */
import * as z from 'zod/mini';
import { isFunctionName } from './names.js';

export const chainState = z.strictObject({
  formatVersion: z.int(),
  name: z.string().check(z.refine(isFunctionName, 'no name of a chain')),
  /** The change that wrote this file. */
  change: z.string(),
  /** The absolute path of the manifest; null for standard input. */
  manifest: z.nullable(z.string()),
  /** The manifest's document, as it was read. */
  document: z.record(z.string(), z.unknown()),
  appliedAt: z.string(),
});

export type ChainState = z.infer<typeof chainState>;
