import { readlinkSync, statSync } from 'node:fs';
import { NetkitError } from '../base/errors.js';
import { isBpffs } from '../host/mounts.js';
import { openPinned, pinObject } from '../sys/bpf.js';
import { isErrno } from '../sys/errno.js';
import type { Fd } from '../sys/fd.js';

/**
 * What programs, maps and links have in common: an owned descriptor that can be pinned. Minimum kernel 4.4. They come
 * from `load`, `attach`, `fromPin` and `fromId`, never from `new`.
 */
export abstract class KernelObject implements Disposable {
  /** @internal Owned; layers above `ebpf` have no use for it. */
  readonly fd: Fd;

  /** @internal */
  constructor(fd: Fd) {
    this.fd = fd;
  }

  /**
   * Pins the object: it then lives as long as the pin. bpffs names may not contain a dot.
   * @param path on a mounted bpffs, in a directory that exists
   * @throws NetkitError `conflict` when the path is taken, `not-found`, `not-permitted`
   */
  pin(path: string): void {
    pinObject(this.fd, path);
  }

  /** Closes the descriptor. What is pinned, attached through a pinned link, or used by a loaded program lives on. */
  [Symbol.dispose](): void {
    this.fd[Symbol.dispose]();
  }
}

/** @internal */
export type PinKind = 'program' | 'map' | 'link';

const linkTargets: Record<string, PinKind> = {
  'anon_inode:bpf-prog': 'program',
  'anon_inode:bpf-map': 'map',
  'anon_inode:bpf_link': 'link',
  'anon_inode:bpf-link': 'link',
  'anon_inode:[bpf_link]': 'link',
};

/** What kind of object a descriptor is, as /proc names it. */
function kindOf(fd: Fd): PinKind | undefined {
  return linkTargets[readlinkSync(`/proc/self/fd/${fd.value}`)];
}

/**
 * Opens a pin and makes sure of its kind.
 * @internal
 * @throws NetkitError `not-found` when there is no such pin, `usage` when it is something else
 */
export function openPinOfKind(path: string, wanted: PinKind): Fd {
  const { fd, kind } = openAnyPin(path);
  if (kind === wanted) return fd;
  fd[Symbol.dispose]();
  throw new NetkitError(
    'usage',
    `${path} is a pinned ${kind ?? 'object of an unknown kind'}, not a ${wanted}`,
  );
}

/**
 * Opens a pin, whatever it is; the kind is undefined for what netkit has no word for.
 * @internal
 * @throws NetkitError as {@link openPinOfKind}
 */
export function openAnyPin(path: string): { readonly fd: Fd; readonly kind: PinKind | undefined } {
  try {
    const fd = openPinned(path);
    return { fd, kind: kindOf(fd) };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR'))
      throw new NetkitError('not-found', `there is no pin ${path}`, { cause: error });
    // Of a file elsewhere the kernel says that it is not permitted, even to root.
    if (isErrno(error, 'EINVAL') || (isErrno(error, 'EACCES') && cannotBePin(path)))
      throw new NetkitError('usage', `${path} is not a pinned BPF object`, { cause: error });
    throw error;
  }
}

/** A folder, or a file of another file system. */
function cannotBePin(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && (found.isDirectory() || !isBpffs(path));
}

/** The name under which netkit pins an object: bpffs keeps dots for itself. */
export function pinName(name: string): string {
  return name.replaceAll('.', '_');
}
