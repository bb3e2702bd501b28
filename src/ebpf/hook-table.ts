export { type HookName, type HookProbe, type HookRow, hookTable } from './feature/hook-table.js';
