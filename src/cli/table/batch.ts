import type { CommandEntry } from './types.js';

/** Many commands in one process. */
export const batchCommands = [] as const satisfies readonly CommandEntry[];
