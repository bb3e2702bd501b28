import type { z } from 'zod';
import type { change, link, loadedFunction, map, pendingChange, program, returnedChange } from './shapes.js';

/** A program as documents show it. */
export type ProgramInfo = z.infer<typeof program>;
/** A map as documents show it. */
export type MapInfo = z.infer<typeof map>;
/** An attachment as documents show it. */
export type LinkInfo = z.infer<typeof link>;
/** A function as documents show it. */
export type LoadedFunctionInfo = z.infer<typeof loadedFunction>;
/** A step that was done, or would be. */
export type ChangeAction = z.infer<typeof change.actions>[number];
/** A change that waits for its confirmation. */
export type PendingInfo = z.infer<typeof pendingChange>;
/** A change that was taken back. */
export type ReturnedInfo = z.infer<typeof returnedChange>;
