import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NetkitError } from '../../../../src/base/errors.js';
import { problemLines } from '../../../../src/base/problem-line.js';
import { readManifests } from '../../../../src/cnf/manifest/read.js';
import type { Document } from '../../../../src/cnf/manifest/schema.js';

/** Gives a folder to `work`, and takes it away afterwards. */
export async function inFolder<T>(work: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'netkit-manifest-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Reads one text as the file `fw.yaml`, or under another name. */
export function read(text: string | Uint8Array, name = 'fw.yaml'): Promise<readonly Document[]> {
  return inFolder(async (folder) => {
    writeFileSync(join(folder, name), text);
    const { documents } = await readManifests([join(folder, name)]);
    return documents.map(({ document }) => document);
  });
}

/** Everything that is said of a text, line by line, without the folder; empty when it is right. */
export async function problemsOf(text: string | Uint8Array, name = 'fw.yaml'): Promise<string[]> {
  try {
    await read(text, name);
    return [];
  } catch (error) {
    return linesOf(error);
  }
}

/** The lines of a `bad-manifest`, with the names of files alone. */
export function linesOf(error: unknown): string[] {
  if (!(error instanceof NetkitError) || error.code !== 'bad-manifest') throw error;
  return problemLines(error.details).map((line) => line.replaceAll(/\/\S*\//g, ''));
}

/** A function with what is given of its spec. */
export function functionWith(spec: string): string {
  return `apiVersion: netkit/v1\nkind: NetworkFunction\nmetadata: {name: fw}\nspec:\n  program: {object: fw.o}\n${spec}\n`;
}
