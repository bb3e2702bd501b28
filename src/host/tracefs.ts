/** The file system of the kernel's tracing, and who reads from it. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { type Mount, readMounts } from './mountinfo.js';

/**
 * Where tracefs is mounted. Below debugfs the kernel mounts it by itself.
 * @throws NetkitError `not-found` when it is mounted nowhere
 */
export function tracefs(mounts: readonly Mount[] = readMounts()): string {
  const own = mounts.findLast(({ type, root }) => type === 'tracefs' && root === '/')?.mountPoint;
  if (own !== undefined) return own;
  for (const { type, root, mountPoint } of mounts) {
    const inside = join(mountPoint, 'tracing');
    if (type === 'debugfs' && root === '/' && existsSync(join(inside, 'trace_pipe'))) return inside;
  }
  throw new NetkitError('not-found', 'tracefs is not mounted, and the trace pipe is in it', {
    hint: 'mount -t tracefs tracefs /sys/kernel/tracing',
  });
}

/** A process that reads the trace pipe. */
export interface PipeReader {
  readonly pid: number;
  /** Its name, as `ps` shows it. */
  readonly command: string;
}

/** The processes, apart from this one, that have the trace pipe open, as far as this user may look. */
export function tracePipeReaders(): PipeReader[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && hasPipeOpen(name))
    .map((pid) => ({ pid: Number(pid), command: commandOf(pid) }));
}

function hasPipeOpen(pid: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) =>
      /(^|\/)trace_pipe(_raw)?$/.test(readlinkSync(`/proc/${pid}/fd/${fd}`)),
    );
  } catch {
    // It ended, or is not ours to look at.
    return false;
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}
