/** What the tests of `netkit replace` share: two releases of one object, and what is left of a replacement that is refused. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { documentOf, errorOf, type Ground } from './ground.js';
import type { Objects } from './objects.js';

export const packet = '00'.repeat(14);

export function compileRelease(objects: Objects, release: 1 | 2, ...defines: string[]): Promise<string> {
  return objects.compile('test/fixtures/upgrade.bpf.c', [`RELEASE=${release}`, ...defines]);
}

/** The second release, with a map that has more entries and values with one field more. */
export function compileGrown(objects: Objects): Promise<string> {
  return compileRelease(objects, 2, 'ENTRIES=60000', 'APPENDED=1');
}

/** Loads some programs of a release as the function `f`. */
export function load(
  ground: Ground,
  object: string,
  programs: readonly string[],
  ...more: readonly string[]
): void {
  // Its table of programs asks for the one that it holds.
  const only = ['tail', ...programs].flatMap((program) => ['--only', program]);
  ground.does('load', object, '--name', 'f', ...only, ...more);
}

type Replaced = ReturnType<typeof documents.replace.parse>;

/** Replaces, and gives what the document says. */
export function replaces(ground: Ground, object: string, ...more: readonly string[]): Replaced {
  return documentOf(documents.replace, ground.does('replace', 'f', object, '--json', ...more));
}

/** Replaces, and gives what became of each map. */
export function fates(ground: Ground, object: string, ...more: readonly string[]): Record<string, string> {
  const { maps } = replaces(ground, object, ...more);
  return Object.fromEntries(maps.map(({ name, fate }) => [name, fate]));
}

export function mapPin(ground: Ground, name: string): string {
  return join(ground.bpffs.root.path, 'netkit/f/maps', name);
}

export function mapId(ground: Ground, name: string): number | null | undefined {
  return ground.listed('f').maps.find((map) => map.name === name)?.id;
}

/** What stands in all places where a refused replacement could have left something. */
export function picture(ground: Ground): unknown {
  return [
    ground.list(),
    ground.bpffs.pins(),
    readdirSync(ground.bpffs.stateDir).sort(),
    ground.netkit('map', 'dump', 'f/kept').stdout,
  ];
}

/** A command that must fail, and change nothing. */
export function refuses(
  ground: Ground,
  status: number,
  ...args: readonly string[]
): ReturnType<typeof errorOf> {
  const before = picture(ground);
  const error = errorOf(ground.refuses(status, ...args, '--json'));
  expect(picture(ground)).toEqual(before);
  return error;
}
