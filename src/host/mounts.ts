import { closeSync, openSync, statfsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { mount, tryFlock } from '../sys/libc.js';
import { capabilityHint } from './capabilities.js';
import { fileError } from './file-errors.js';
import { type Mount, readMounts } from './mountinfo.js';

/** Where the bpf file system belongs. */
export const defaultBpffs = '/sys/fs/bpf';

// linux/magic.h
const BPF_FS_MAGIC = 0xcafe4a11;
// linux/mount.h; the same options as systemd uses.
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;
const MS_RELATIME = 1 << 21;
const mountWaitMs = 2000;

/** Whether `path` lies in a bpf file system; false when it does not exist or may not be looked at. */
export function isBpffs(path: string): boolean {
  try {
    return statfsSync(path).type === BPF_FS_MAGIC;
  } catch {
    return false;
  }
}

/** The mount points of all bpf file systems of this mount namespace. */
export function bpffsMounts(mounts: readonly Mount[] = readMounts()): string[] {
  return mounts.filter((entry) => entry.type === 'bpf').map((entry) => entry.mountPoint);
}

/**
 * A bpf file system that is mounted: /sys/fs/bpf when it is one, otherwise the first that is not hidden by another
 * mount, or `undefined`.
 */
export function findBpffs(): string | undefined {
  return [defaultBpffs, ...bpffsMounts()].find(isBpffs);
}

/**
 * Absolute path of the bpffs to read pins from, without mounting anything: `dir` (the value of --bpffs), or
 * /sys/fs/bpf. `undefined` when none is mounted at /sys/fs/bpf: then there are no pins. Throws 'usage' when `dir` is
 * given and is no bpffs.
 */
export function existingBpffs(dir: string | undefined): string | undefined {
  if (dir !== undefined) return givenBpffs(dir);
  return isBpffs(defaultBpffs) ? defaultBpffs : undefined;
}

/**
 * Absolute path of the bpffs to pin in: `dir` (the value of --bpffs), which must be one already, or /sys/fs/bpf, where
 * one is mounted when it is missing. A mount made here stays.
 *
 * Throws 'usage' when `dir` is no bpffs; 'not-permitted' without CAP_SYS_ADMIN, and in a mount namespace other than
 * that of process 1, where the mount would end with the command; 'unsupported' on a kernel without bpf.
 */
export function mountedBpffs(dir: string | undefined): string {
  const existing = existingBpffs(dir);
  if (existing !== undefined) return existing;
  const hint = capabilityHint('mount');
  if (hint !== undefined) {
    throw new NetkitError(
      'not-permitted',
      `no bpf file system is mounted at ${defaultBpffs}, and mounting it is not allowed`,
      {
        hint,
      },
    );
  }
  if (!inFirstMountNamespace()) throw hiddenPins();
  mountDefaultBpffs();
  return defaultBpffs;
}

/**
 * The directory to read pins from: `dir` (the value of --bpffs), or /sys/fs/bpf, where there are none when nothing is
 * mounted. Throws 'usage' when `dir` is no bpffs; 'not-permitted' where a mount namespace of its own hides the pins.
 */
export function visibleBpffs(dir: string | undefined): string {
  const existing = existingBpffs(dir);
  if (existing === undefined && !inFirstMountNamespace()) throw hiddenPins();
  return existing ?? defaultBpffs;
}

function hiddenPins(): NetkitError {
  return new NetkitError(
    'not-permitted',
    `no bpf file system is mounted at ${defaultBpffs} in this mount namespace, and one mounted here would vanish with it`,
    {
      hint: "instead of 'ip netns exec' use --netns NAME, or name a mounted bpf file system with --bpffs DIR",
    },
  );
}

/**
 * Whether this process shares the mount namespace of process 1, told by the identifiers of their mounts: no mount
 * belongs to two namespaces. (/proc/1/ns/mnt may be barred even to root, where process 1 has more capabilities.)
 */
export function inFirstMountNamespace(): boolean {
  const own = new Set(readMounts().map((entry) => entry.id));
  try {
    return readMounts('/proc/1/mountinfo').some((entry) => own.has(entry.id));
  } catch (error) {
    throw fileError(error, 'read', '/proc/1/mountinfo');
  }
}

function givenBpffs(dir: string): string {
  if (isBpffs(dir)) return resolve(dir);
  throw new NetkitError('usage', `'${dir}' is not in a bpf file system`, {
    hint: existingDirectory(dir)
      ? `mount one there: mount -t bpf bpf ${resolve(dir)}`
      : 'there is no such directory',
    details: { bpffs: dir },
  });
}

function existingDirectory(dir: string): boolean {
  try {
    return statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    throw fileError(error, 'read', dir);
  }
}

function mountDefaultBpffs(): void {
  let directory: number;
  try {
    directory = openSync(defaultBpffs, 'r');
  } catch (error) {
    throw new NetkitError(
      'unsupported',
      `this kernel has no ${defaultBpffs}: it is built without bpf(2), or sysfs is not mounted`,
      {
        cause: error,
      },
    );
  }
  try {
    // Two first commands with different state directories share no other lock, and a second mount over the first
    // one would hide its pins.
    const deadline = Date.now() + mountWaitMs;
    while (!tryFlock(directory)) {
      if (Date.now() > deadline)
        throw new NetkitError('locked', `another process holds the lock on ${defaultBpffs}`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
    if (!isBpffs(defaultBpffs)) {
      mount('bpf', defaultBpffs, 'bpf', MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME, 'mode=0700');
    }
  } finally {
    closeSync(directory);
  }
  if (!isBpffs(defaultBpffs))
    throw new NetkitError('failed', `the bpf file system mounted at ${defaultBpffs} is not visible there`);
}
