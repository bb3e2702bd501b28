import { type Mount, readMounts } from './mountinfo.js';

/** Where the cgroup v2 tree is mounted, preferring a mount of the whole tree; `undefined` when it is not. */
export function cgroupRoot(mounts: readonly Mount[] = readMounts()): string | undefined {
  const trees = mounts.filter((entry) => entry.type === 'cgroup2');
  return (trees.find((entry) => entry.root === '/') ?? trees[0])?.mountPoint;
}
