import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { messageOf, NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { isErrno } from '../sys/errno.js';
import { setNetns, unshareNetns } from '../sys/libc.js';
import { capabilityHint } from './capabilities.js';
import { fileError, fileErrorCode } from './file-errors.js';

/** Where `ip netns add` keeps its namespaces. */
export const netnsDirectory = '/run/netns';

// linux/magic.h
const NSFS_MAGIC = 0x6e736673;
// Not /proc/self: the thread that a setns moved is not always the one that gives the process its view.
const ownNetnsPath = '/proc/thread-self/ns/net';
const firstNetnsPath = '/proc/1/ns/net';

/**
 * A network namespace, kept open. Disposing closes the descriptor; the namespace itself lives on while a process, a
 * mount or another descriptor holds it.
 */
export class Netns implements Disposable {
  /** Its descriptor, open until this is disposed of. */
  readonly fd: number;
  /** Identifies the namespace until it is gone: the number in `net:[4026531833]`. */
  readonly inode: number;
  /** The file it was opened from. */
  readonly path: string;
  /** Its name under /run/netns when it was opened by that. */
  readonly name: string | undefined;
  #open = true;

  private constructor(fd: number, path: string, name: string | undefined) {
    this.fd = fd;
    this.inode = fstatSync(fd).ino;
    this.path = path;
    this.name = name;
  }

  /** Opens a namespace file, such as /proc/1/ns/net; `name` is what errors call it. Throws 'not-found', 'not-permitted', or 'usage' when it is something else. */
  static open(path: string, name?: string): Netns {
    let fd: number;
    try {
      refuseOtherFiles(path);
      fd = openSync(path, 'r');
    } catch (error) {
      throw fileError(error, 'open the network namespace', path);
    }
    return new Netns(fd, path, name);
  }

  /** Closes the descriptor; doing it twice is fine. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.fd);
  }
}

/**
 * Opens the namespace that a user names: a name under /run/netns, a path (with a slash), or a process id. A name of
 * digits alone wins over a process id, as with `ip`.
 *
 * Throws 'not-found' (with the name that was probably meant), 'not-permitted', or 'usage' when a path is no network
 * namespace.
 */
export function openNetns(ref: string): Netns {
  if (ref.includes('/')) return Netns.open(ref);
  if (ref !== '' && ref !== '.' && ref !== '..') {
    const path = join(netnsDirectory, ref);
    if (isNamespaceFile(path)) return Netns.open(path, ref);
    if (/^[1-9][0-9]*$/.test(ref)) return netnsOfProcess(ref);
  }
  throw new NetkitError('not-found', `no network namespace '${ref}'`, {
    hint: suggestion(
      ref,
      listNetns().map((entry) => entry.name),
    ),
    details: { netns: ref },
  });
}

/** The network namespace that this thread is in. */
export function currentNetns(): Netns {
  return Netns.open(ownNetnsPath);
}

/**
 * A new network namespace without a name: it is gone with the last descriptor and process, however those end.
 * @throws NetkitError `not-permitted` without CAP_SYS_ADMIN
 */
export function newNetns(): Netns {
  using home = currentNetns();
  unshareNetns();
  try {
    return currentNetns();
  } finally {
    returnTo(home);
  }
}

/** Another descriptor of a namespace, which lives as long as its owner wants; of the current one for `undefined`. */
export function openSameNetns(netns: Netns | undefined): Netns {
  return netns === undefined ? currentNetns() : Netns.open(`/proc/self/fd/${netns.fd}`, netns.name);
}

/** The inode of the network namespace that this thread is in. */
export function currentNetnsInode(): number {
  return statSync(ownNetnsPath).ino;
}

/** The inode of process 1's network namespace; `undefined` when it may not be looked at, which can happen to root too. */
export function firstNetnsInode(): number | undefined {
  return inodeOf(firstNetnsPath);
}

/**
 * Runs `work` inside `netns`, or right here when that is `undefined` or the current one, and returns what it returns.
 *
 * Only this thread moves, and only until `work` returns: asynchronous work would run somewhere else, so a promise is
 * refused (TypeError). Programs started inside stay there. Throws 'not-permitted' without CAP_SYS_ADMIN, 'usage' when
 * the file that was opened is a namespace of another kind. Should the way back be barred, the process is aborted:
 * whatever it did next would hit the wrong namespace.
 */
export function withNetns<T>(netns: Netns | undefined, work: () => T): T {
  if (netns === undefined) return refusePromise(work());
  using home = currentNetns();
  if (home.inode === netns.inode) return refusePromise(work());
  enter(netns);
  try {
    return refusePromise(work());
  } finally {
    returnTo(home);
  }
}

/** Whatever the process did next would hit the wrong namespace, if this did not work. */
function returnTo(home: Netns): void {
  try {
    setNetns(home.fd);
  } catch (error) {
    writeSync(2, `netkit: cannot return to its own network namespace, aborting: ${messageOf(error)}\n`);
    process.abort();
  }
}

/** The namespaces under /run/netns, by name. Files there that are no namespaces are left out. */
export function listNetns(): { readonly name: string; readonly inode: number }[] {
  let names: string[];
  try {
    names = readdirSync(netnsDirectory).sort();
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const path = join(netnsDirectory, name);
    const inode = isNamespaceFile(path) ? inodeOf(path) : undefined;
    return inode === undefined ? [] : [{ name, inode }];
  });
}

/**
 * What to call the namespace with this inode, in a form that --netns takes: its name under /run/netns, or
 * «/proc/1/ns/net» for the one of process 1. `undefined` when neither is it or may be looked at.
 */
export function netnsName(inode: number): string | undefined {
  const named = listNetns().find((entry) => entry.inode === inode);
  if (named !== undefined) return named.name;
  return firstNetnsInode() === inode ? firstNetnsPath : undefined;
}

function enter(netns: Netns): void {
  const ref = netns.name ?? netns.path;
  try {
    setNetns(netns.fd);
  } catch (error) {
    if (isErrno(error, 'EINVAL')) {
      throw new NetkitError('usage', `'${ref}' is not a network namespace`, {
        details: { netns: ref },
        cause: error,
      });
    }
    if (!isErrno(error, 'EPERM')) throw error;
    throw new NetkitError('not-permitted', `not allowed to enter the network namespace '${ref}'`, {
      hint: capabilityHint('netns'),
      details: { netns: ref },
      cause: error,
    });
  }
}

function netnsOfProcess(pid: string): Netns {
  const path = `/proc/${pid}/ns/net`;
  try {
    return Netns.open(path);
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'not-found') throw error;
    throw new NetkitError('not-found', `no network namespace and no process '${pid}'`, {
      details: { netns: pid },
    });
  }
}

function refuseOtherFiles(path: string): void {
  const refused = (what: string) =>
    new NetkitError('usage', `'${path}' is ${what}, not a network namespace`, { details: { netns: path } });
  if (statfsSync(path).type !== NSFS_MAGIC) throw refused('an ordinary file');
  // The links under /proc/PID/ns tell which kind; a bound one only fails later, in setns.
  const kind = /^(\w+):\[/.exec(linkText(path))?.[1];
  if (kind !== undefined && kind !== 'net') throw refused(`a namespace of the kind '${kind}'`);
}

function linkText(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (fileErrorCode(error) === 'EINVAL') return '';
    throw error;
  }
}

function isNamespaceFile(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch {
    return false;
  }
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

function refusePromise<T>(result: T): T {
  if (typeof result === 'object' && result !== null && 'then' in result) {
    throw new TypeError('asynchronous work cannot run inside another network namespace');
  }
  return result;
}
