import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { compile } from '../../src/build/clang.js';
import { load } from '../../src/ebpf/load.js';
import type { LoadedObject } from '../../src/ebpf/loaded-object.js';
import { packageRoot } from '../../src/host/package-root.js';
import { ObjectSpec } from '../../src/obj/spec.js';

/**
 * Compiles a C file of the project (its path from the root), as `netkit build` does, and loads it with these globals.
 * @throws Error when clang has a warning to give: the project's own sources are clean
 */
export async function loadSource(
  source: string,
  globals: Readonly<Record<string, string>> = {},
  defines: readonly string[] = [],
): Promise<LoadedObject> {
  const folder = await mkdtemp(join(tmpdir(), 'netkit-test-'));
  try {
    const output = join(folder, basename(source).replace(/\.c$/, '.o'));
    const { warnings } = await compile({ sources: [source], output, cwd: packageRoot(), defines });
    if (warnings.length > 0) throw new Error(`${source}: ${JSON.stringify(warnings)}`);
    const spec = await ObjectSpec.read(output);
    for (const [name, value] of Object.entries(globals)) spec.globals.set(name, value);
    return load(spec);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
