import { type BigIntStats, readdirSync, statfsSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { fileError, fileErrorCode } from './file-errors.js';
import { type Mount, readMounts } from './mountinfo.js';

/** Where the cgroup v2 tree is mounted, preferring a mount of the whole tree; `undefined` when it is not. */
export function cgroupRoot(mounts: readonly Mount[] = readMounts()): string | undefined {
  const trees = mounts.filter((entry) => entry.type === 'cgroup2');
  return (trees.find((entry) => entry.root === '/') ?? trees[0])?.mountPoint;
}

/** A cgroup of the v2 tree. */
export interface Cgroup {
  /** Its directory. */
  readonly directory: string;
  /** Its path below the root of the tree, beginning with a slash: as /proc/PID/cgroup has it. */
  readonly path: string;
  /** What the kernel knows it by. */
  readonly id: bigint;
}

/** linux/magic.h */
const CGROUP2_SUPER_MAGIC = 0x63677270;

/**
 * The cgroup that a user names: by its directory, or by its path below the root of the tree, with or without the slash
 * in front.
 * @throws NetkitError `not-found`, `unsupported` when the tree is mounted nowhere, `usage` for something else
 */
export function findCgroup(text: string, mounts: readonly Mount[] = readMounts()): Cgroup {
  const root = cgroupRoot(mounts);
  if (root === undefined) {
    throw new NetkitError('unsupported', 'the cgroup v2 tree is not mounted', {
      hint: 'mount it: mount -t cgroup2 none /sys/fs/cgroup',
    });
  }
  const hint = `the cgroup v2 tree is at ${root}`;
  const whole = text.startsWith('/') ? cgroupAt(resolve(text)) : undefined;
  const path = cgroupPath(text, mounts);
  if (whole !== undefined) return { ...whole, path };
  const below = cgroupAt(join(root, path));
  if (below !== undefined) return { ...below, path };
  if (text.startsWith('/') && path !== '/' && statOf(text) !== undefined)
    throw new NetkitError('usage', `'${text}' is no cgroup of the v2 tree`, { hint });
  throw new NetkitError('not-found', `there is no cgroup '${text}'`, { hint, details: { cgroup: text } });
}

/** The cgroup that the kernel knows by that id: looked for in the whole tree. Undefined when there is none. */
export function findCgroupById(id: bigint): Cgroup | undefined {
  const root = cgroupRoot();
  return root === undefined ? undefined : searchBelow(root, root, id);
}

function searchBelow(root: string, directory: string, id: bigint): Cgroup | undefined {
  if (statOf(directory)?.ino === id) return { directory, path: `/${relative(root, directory)}`, id };
  for (const entry of entriesOf(directory)) {
    const found = entry.isDirectory() ? searchBelow(root, join(directory, entry.name), id) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    // Gone meanwhile.
    return [];
  }
}

/** What a cgroup's path below the root of the tree is, whether or not there is one: see {@link findCgroup}. */
export function cgroupPath(text: string, mounts: readonly Mount[] = readMounts()): string {
  const path = resolve('/', text);
  if (!text.startsWith('/')) return path;
  const mountPoint = mounts
    .filter(({ type, mountPoint: point }) => type === 'cgroup2' && isBelow(path, point))
    .reduce((longest, { mountPoint: point }) => (point.length > longest.length ? point : longest), '');
  return mountPoint === '' ? path : resolve('/', relative(mountPoint, path));
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? folder : `${folder}/`);
}

function cgroupAt(directory: string): Omit<Cgroup, 'path'> | undefined {
  const stat = statOf(directory);
  if (stat === undefined || !stat.isDirectory()) return undefined;
  if (statfsSync(directory).type !== CGROUP2_SUPER_MAGIC) return undefined;
  return { directory, id: stat.ino };
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch (error) {
    const code = fileErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw fileError(error, 'look at', path);
  }
}
