import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clangArguments, compile } from '../../src/build/clang.js';
import { packageRoot } from '../../src/host/package-root.js';

/** Both are tried: what a program looks like to the verifier is the compiler's doing. */
export const compilers = ['clang-14', 'clang-19'] as const;
export type Compiler = (typeof compilers)[number];

const sources = join(packageRoot(), 'test/refusals');
const cache = join(packageRoot(), '.cache/refusals');
const headers = join(packageRoot(), 'bpf/include/netkit');

/** The text of a program of test/refusals. */
export function refusalSource(name: string): string {
  return readFileSync(join(sources, `${name}.bpf.c`), 'utf8');
}

/**
 * Compiles all programs of test/refusals, as `netkit build` does. The objects stay in .cache until something changes that
 * goes into them: a virtual machine, which reads this checkout and takes minutes to compile them, finds them there.
 * @returns the folder of `NAME.bpf.o`
 */
export async function refusalObjects(compiler: Compiler): Promise<string> {
  const kept = join(cache, `${compiler}-${fingerprint(compiler)}`);
  const names = readdirSync(sources).filter((name) => name.endsWith('.bpf.c'));
  if (names.every((name) => existsSync(join(kept, name.replace(/c$/, 'o'))))) return kept;
  const output = canWrite(packageRoot()) ? kept : mkdtempSync(join(tmpdir(), 'netkit-refusals-'));
  if (output === kept) removeOlder(compiler);
  mkdirSync(output, { recursive: true });
  const before = process.env.NETKIT_CLANG;
  process.env.NETKIT_CLANG = compiler;
  try {
    const paths = names.map((name) => join('test/refusals', name));
    await compile({ sources: paths, output, cwd: packageRoot() });
  } finally {
    if (before === undefined) delete process.env.NETKIT_CLANG;
    else process.env.NETKIT_CLANG = before;
  }
  return output;
}

/** Of everything that goes into the objects, but for the system's headers. */
function fingerprint(compiler: Compiler): string {
  const hash = createHash('sha256');
  hash.update(spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout ?? '');
  hash.update(clangArguments({ cwd: packageRoot() }).join('\n'));
  for (const folder of [sources, headers]) {
    for (const name of readdirSync(folder).filter((file) => /\.[ch]$/.test(file))) {
      hash.update(`\0${name}\0`).update(readFileSync(join(folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

function removeOlder(compiler: Compiler): void {
  const names = existsSync(cache) ? readdirSync(cache) : [];
  for (const name of names.filter((each) => each.startsWith(`${compiler}-`))) {
    rmSync(join(cache, name), { recursive: true });
  }
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
