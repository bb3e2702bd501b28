import type { CommandEntry } from './types.js';

/** Commands that show what runs where, and how. */
export const seeingCommands = [] as const satisfies readonly CommandEntry[];
