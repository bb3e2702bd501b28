import type { CommandEntry } from './types.js';

/** Commands on what this kernel offers and whether an object can run on it. */
export const featureCommands = [] as const satisfies readonly CommandEntry[];
