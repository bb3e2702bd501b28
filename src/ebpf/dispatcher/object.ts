/** The dispatcher that netkit ships, and which version of it a new chain gets. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { packageRoot } from '../../host/package-root.js';
import { ObjectSpec } from '../../obj/spec.js';
import { dispatcherName, type WritableVersion } from '../../obj/xdp-dispatcher/config.js';
import { versionInTypes } from '../../obj/xdp-dispatcher/version.js';

/** What libxdp 1.3 to 1.5 make, and change no other: of the releases that are around, most have one of these. */
const usualVersion: WritableVersion = 2;

/** @throws NetkitError `unsupported` in a checkout that was built without clang */
export function dispatcherObject(version: WritableVersion): ObjectSpec {
  const path = join(packageRoot(), `dist/bpf/parts/xdp-dispatcher-${version}.bpf.o`);
  if (existsSync(path)) return ObjectSpec.readSync(path);
  throw new NetkitError('unsupported', 'this netkit was built without its dispatcher of XDP programs', {
    hint: "'--direct' attaches a lone program without it; a build with clang installed has it",
    details: { path },
  });
}

/**
 * The version for a new chain: that of the libxdp that is installed here, since libraries change chains of their own
 * version only, newer and older ones refused alike.
 */
export function newChainVersion(): WritableVersion {
  for (const folder of objectFolders()) {
    const version = versionOf(join(folder, 'xdp-dispatcher.o'));
    if (version !== undefined) return version;
  }
  return usualVersion;
}

/** Where libxdp keeps its objects, in the order of preference; the variable is libxdp's own. */
function objectFolders(): string[] {
  const given = process.env['LIBXDP_OBJECT_PATH'];
  if (given !== undefined && given !== '') return [given];
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  return ['/usr/local/lib', '/usr/local/lib64', `/usr/lib/${triplet}`, '/usr/lib64', '/usr/lib'].map(
    (folder) => join(folder, 'bpf'),
  );
}

function versionOf(path: string): WritableVersion | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const spec = ObjectSpec.readSync(path);
    if (!spec.programs.some(({ name }) => name === dispatcherName)) return undefined;
    const version = versionInTypes(spec.btf);
    return version === 2 || version === 3 ? version : undefined;
  } catch (error) {
    if (error instanceof NetkitError) return undefined;
    throw error;
  }
}
