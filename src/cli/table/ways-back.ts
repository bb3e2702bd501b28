import type { CommandEntry } from './types.js';

/** Commands that take changes back, and take over from other tools. */
export const wayBackCommands = [] as const satisfies readonly CommandEntry[];
