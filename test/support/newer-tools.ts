import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/host/package-root.js';
import { emulated } from './known-kernels.js';
import { run, type TestNetns } from './netns.js';

let found: { readonly folder: string } | { readonly reason: string } | undefined;

/** Where the tools of the next Debian release are; fetched the first time, which takes a network and some seconds. */
function look(): { readonly folder: string } | { readonly reason: string } {
  const script = join(packageRoot(), 'scripts/newer-tools.mjs');
  // A virtual machine has the host's cache and no network.
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [script, ...(emulated ? ['--cached'] : [])],
    {
      encoding: 'utf8',
      timeout: 120_000,
    },
  );
  return status === 0 ? { folder: stdout.trim() } : { reason: stderr.trim().split('\n')[0] ?? '' };
}

/** Why the newer tools cannot be had, for {@link Requirements.check}; undefined when they are there. */
export function newerToolsMissing(): string | undefined {
  found ??= look();
  return 'reason' in found ? `the tools of a newer Debian (${found.reason})` : undefined;
}

/** Where they are unpacked. @throws Error when they cannot be had */
export function newerToolsFolder(): string {
  found ??= look();
  if ('reason' in found) throw new Error(found.reason);
  return found.folder;
}

/** Runs bpftool 7.5 or `xdp-loader` 1.5, in `netns` when given. @returns its standard output */
export function newerTool(
  name: 'bpftool' | 'xdp-loader',
  args: readonly string[],
  netns?: TestNetns,
): string {
  const folder = newerToolsFolder();
  const libraries = join(folder, 'usr/lib/x86_64-linux-gnu');
  const loader = join(folder, 'usr/lib64/ld-linux-x86-64.so.2');
  return run(loader, ['--library-path', libraries, join(folder, 'usr/sbin', name), ...args], '', netns);
}
