import type { CommandEntry } from './types.js';

/** Commands on hooks and the order on them. */
export const hookCommands = [] as const satisfies readonly CommandEntry[];
