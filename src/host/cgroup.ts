import { statfsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { fileError } from './file-errors.js';
import { type Mount, readMounts } from './mountinfo.js';

// linux/magic.h
const CGROUP2_SUPER_MAGIC = 0x63677270;

/** A directory of the cgroup v2 tree. */
export interface Cgroup {
  /** Absolute path of its directory. */
  readonly path: string;
  /** What `bpf_get_current_cgroup_id()` gives: the inode number of the directory. */
  readonly id: bigint;
}

/** Where the cgroup v2 tree is mounted, preferring a mount of the whole tree; `undefined` when it is not. */
export function cgroupRoot(mounts: readonly Mount[] = readMounts()): string | undefined {
  const trees = mounts.filter((entry) => entry.type === 'cgroup2');
  return (trees.find((entry) => entry.root === '/') ?? trees[0])?.mountPoint;
}

/**
 * The cgroup at `path`: an absolute path of a directory in the tree, or one relative to the tree's root (with or
 * without a leading slash, as /proc/PID/cgroup prints it).
 *
 * Throws 'unsupported' when no cgroup v2 tree is mounted, 'not-found' when there is no such cgroup.
 */
export function findCgroup(path: string): Cgroup {
  const root = cgroupRoot();
  if (root === undefined) {
    throw new NetkitError('unsupported', 'no cgroup v2 tree is mounted', {
      hint: 'mount one: mount -t cgroup2 none /sys/fs/cgroup',
    });
  }
  for (const candidate of [...(path.startsWith('/') ? [resolve(path)] : []), resolve(join(root, path))]) {
    if (!isCgroupDirectory(candidate)) continue;
    try {
      return { path: candidate, id: statSync(candidate, { bigint: true }).ino };
    } catch (error) {
      throw fileError(error, 'read', candidate);
    }
  }
  throw new NetkitError('not-found', `no cgroup '${path}'`, {
    hint: `the cgroup v2 tree is at ${root}`,
    details: { cgroup: path, root },
  });
}

function isCgroupDirectory(path: string): boolean {
  try {
    return statfsSync(path).type === CGROUP2_SUPER_MAGIC && statSync(path).isDirectory();
  } catch {
    return false;
  }
}
