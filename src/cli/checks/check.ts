import type { DocumentOf } from '../schema/index.js';

/** One line of `doctor`: `missing` is something that netkit cannot load and attach without. */
export type Check = DocumentOf<'doctor'>['checks'][number];
export type CheckStatus = Check['status'];

export function check(name: string, status: CheckStatus, message: string, hint?: string): Check {
  return { name, status, message, hint: hint ?? null };
}
