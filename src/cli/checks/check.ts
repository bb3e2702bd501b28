import type { DocumentOf } from '../schema/index.js';

/** One line of `doctor`: `missing` is something that netkit cannot load and attach without. */
export type Check = DocumentOf<'doctor'>['checks'][number];
export type CheckStatus = Check['status'];

export function check(name: string, status: CheckStatus, message: string, hint?: string): Check {
  return { name, status, blocks: null, message, hint: hint ?? null };
}

/** One that stands in the way of an object. */
export function blocking(
  name: string,
  blocks: NonNullable<Check['blocks']>,
  message: string,
  hint?: string,
): Check {
  return { name, status: blocks === 'owner' ? 'taken' : 'missing', blocks, message, hint: hint ?? null };
}
