import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Writes generated files, and removes those that are no longer made: `files` are all that belong to `owned`. With
 * `--check` on the command line it writes nothing, names what is out of date, and ends with status 1.
 */
export function writeGenerated(
  files: ReadonlyMap<string, string>,
  owned: { folder: string; suffix: string },
): void {
  const check = process.argv.includes('--check');
  const stale: string[] = [];
  for (const [path, text] of files) {
    if (textOf(path) === text) continue;
    stale.push(path);
    if (check) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  for (const name of namesIn(owned.folder)) {
    const path = join(owned.folder, name);
    if (!name.endsWith(owned.suffix) || files.has(path)) continue;
    stale.push(path);
    if (!check) rmSync(path);
  }
  for (const path of stale) console.log(check ? `out of date: ${path}` : `written: ${path}`);
  if (check && stale.length > 0) process.exitCode = 1;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
