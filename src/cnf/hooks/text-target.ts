/** What hooks have in common whose targets are names: functions of the kernel, events, places in binaries. */
import { NetkitError } from '../../base/errors.js';
import { KernelSymbols } from '../../host/kernel-symbols.js';
import { readTracefs } from '../../host/tracefs-file.js';
import type { TargetReader } from './family.js';

export const symbolReader: TargetReader = {
  need: 'required',
  noun: 'a function of the kernel',
  couldBe: (text) => /^[A-Za-z_][\w.]*(\+(0x[0-9a-f]+|\d+))?$/i.test(text),
  exists: (text) => KernelSymbols.read().address(placeOf(text).name) !== undefined,
};

export const patternReader: TargetReader = {
  need: 'required',
  noun: "a list of functions of the kernel, with commas and '*'",
  couldBe: (text) => /^[\w.*?,]+$/.test(text),
  exists: () => true,
};

export const syscallReader: TargetReader = {
  need: 'required',
  noun: 'a system call',
  couldBe: (text) => /^[a-z_]\w*$/.test(text),
  exists: () => true,
};

export const eventReader: TargetReader = {
  need: 'required',
  noun: 'a tracepoint, as CATEGORY/EVENT',
  couldBe: (text) => /^[\w-]+\/[\w-]+$/.test(text),
  exists(text) {
    try {
      return readTracefs(`events/${text}/id`) !== undefined;
    } catch (error) {
      // Whoever may not look may be able to attach all the same.
      if (error instanceof NetkitError) return true;
      throw error;
    }
  },
};

export const rawEventReader: TargetReader = {
  need: 'required',
  noun: 'a tracepoint, as EVENT',
  couldBe: (text) => /^\w+$/.test(text),
  exists: () => true,
};

export const binaryReader: TargetReader = {
  need: 'required',
  noun: 'a place in a program or library, as BINARY:FUNCTION',
  couldBe: (text) => /^[^:]+:[^:/]+$/.test(text),
  exists: () => true,
};

export const usdtReader: TargetReader = {
  need: 'required',
  noun: 'a probe of a program or library, as BINARY:PROVIDER:NAME',
  couldBe: (text) => /^[^:]+:[^:/]+:[^:/]+$/.test(text),
  exists: () => true,
};

/** What the program was loaded for. */
export const loadedReader: TargetReader = {
  need: 'fixed',
  noun: 'what its section names',
  couldBe: () => false,
  exists: () => false,
};

/** A name and the bytes behind it: `vfs_read+0x10`. */
export interface NamedPlace {
  readonly name: string;
  readonly offset: number | undefined;
}

export function placeOf(text: string): NamedPlace {
  const [, name = text, offset] = /^(.+?)\+(0x[0-9a-f]+|\d+)$/i.exec(text) ?? [];
  return { name, offset: offset === undefined ? undefined : Number(offset) };
}

/** @throws NetkitError `usage` when the words do not have the form */
export function textNamed(
  text: string,
  reader: TargetReader,
): { readonly kind: 'text'; readonly text: string } {
  if (reader.couldBe(text)) return { kind: 'text', text };
  throw new NetkitError('usage', `'${text}' is not ${reader.noun}`);
}

/** A cookie as it is recorded. */
export function cookieText(cookie: bigint | undefined): string | null {
  return cookie === undefined ? null : String(cookie);
}

export function cookieOf(recorded: string | null): bigint | undefined {
  return recorded === null ? undefined : BigInt(recorded);
}

/** @throws NetkitError `conflict` when it is attached with another cookie */
export function refuseOtherCookie(
  present: { readonly program: string; readonly hook: string; readonly cookie: string | null },
  cookie: bigint | undefined,
): void {
  if (cookie === undefined || present.cookie === String(cookie)) return;
  const other = present.cookie === null ? 'without a cookie' : `with the cookie ${present.cookie}`;
  throw new NetkitError(
    'conflict',
    `${present.program} is attached to ${present.hook} there already, ${other}`,
    { hint: 'detach it first' },
  );
}
