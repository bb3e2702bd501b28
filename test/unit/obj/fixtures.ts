import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ObjectSpec } from '../../../src/obj/spec.js';

export const objectNames = [
  'bigendian',
  'globals',
  'legacy',
  'many',
  'maps',
  'nobtf',
  'oob',
  'pass',
  'pinned',
  'subprograms',
  'tc',
  'tcx',
  'ulong',
] as const;
export type ObjectName = (typeof objectNames)[number];

/** The path of a compiled fixture. */
export function objectPath(name: ObjectName): string {
  return fileURLToPath(new URL(`../../fixtures/objects/${name}.bpf.o`, import.meta.url));
}

/** The bytes of a compiled fixture: a copy, free to be damaged. */
export function objectBytes(name: ObjectName): Uint8Array {
  return new Uint8Array(readFileSync(objectPath(name)));
}

export function objectSpec(name: ObjectName): ObjectSpec {
  return ObjectSpec.parse(objectBytes(name), { path: `${name}.bpf.o` });
}
