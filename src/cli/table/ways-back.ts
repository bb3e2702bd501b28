import { offCommand } from './off.js';
import type { CommandEntry } from './types.js';

/** Commands that take changes back, and take over from other tools. */
export const wayBackCommands = [offCommand] as const satisfies readonly CommandEntry[];
