import { adoptCommand } from './adopt.js';
import { confirmCommand } from './confirm.js';
import { offCommand } from './off.js';
import type { CommandEntry } from './types.js';

/** Commands that take changes back, and take over from other tools. */
export const wayBackCommands = [
  confirmCommand,
  offCommand,
  adoptCommand,
] as const satisfies readonly CommandEntry[];
