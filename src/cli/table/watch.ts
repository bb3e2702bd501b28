import type { CommandEntry } from './types.js';

/** Commands that show what happens in a map as it happens. */
export const watchCommands = [] as const satisfies readonly CommandEntry[];
