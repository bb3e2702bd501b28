import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NetkitError } from '../base/errors.js';
import { tryFlock } from '../sys/libc.js';
import { fileError } from './file-errors.js';

const firstPauseMs = 2;
const longestPauseMs = 50;

/** Who holds a lock, as it wrote itself into the lock file. */
export interface LockHolder {
  readonly pid: number;
  /** Its command line: «netkit load x». */
  readonly command: string;
  /** When it took the lock, in milliseconds since 1970. */
  readonly since: number;
}

export interface LockOptions {
  /** How long to wait for another holder; 0 tries once. */
  readonly timeoutMs: number;
  /** What others are told of this holder. */
  readonly command: string;
  /** Ends the waiting with 'interrupted'. */
  readonly signal?: AbortSignal | undefined;
  /** Called once, when it has to wait, with a phrase for a message: «'netkit load x' (pid 123, for 4 s)». */
  readonly onWait?: ((holder: string) => void) | undefined;
}

/** A held lock. Disposing releases it, and so does the end of the process, however that comes. */
export class Lock implements Disposable {
  readonly path: string;
  #fd: number | undefined;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /** One attempt, without waiting; `undefined` when somebody else holds the lock. */
  static try(path: string, command: string): Lock | undefined {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    let lock: Lock | undefined;
    try {
      // A lock on a file that was removed between opening and locking excludes nobody.
      if (tryFlock(fd) && isStillAt(path, fd)) {
        writeHolder(fd, { pid: process.pid, command, since: Date.now() });
        lock = new Lock(path, fd);
      }
      return lock;
    } finally {
      if (lock === undefined) closeSync(fd);
    }
  }

  [Symbol.dispose](): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#fd = undefined;
    try {
      ftruncateSync(fd);
    } finally {
      closeSync(fd);
    }
  }
}

/**
 * Takes the exclusive lock `path`, waiting for other holders; makes the file (0600) and its directory (0700).
 * It is not re-entrant: a second one in the same process waits for the first like anybody else.
 *
 * Throws 'locked' after `timeoutMs`, 'interrupted' when `signal` is aborted, 'not-permitted' when the file may not be
 * written.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<Lock> {
  const { timeoutMs, command, signal, onWait } = options;
  const deadline = monotonicMs() + timeoutMs;
  let announced = false;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    if (signal?.aborted) throw interrupted();
    const lock = tryLock(path, command);
    if (lock !== undefined) return lock;
    const leftMs = deadline - monotonicMs();
    if (leftMs <= 0) throw lockedError(path);
    if (!announced) {
      announced = true;
      onWait?.(describeHolder(readHolder(path)));
    }
    await sleep(Math.min(pauseMs, leftMs), undefined, signal === undefined ? {} : { signal }).catch(
      (error: unknown) => {
        if (signal?.aborted) throw interrupted();
        throw error;
      },
    );
  }
}

/** As performance.now(), whose module would cost every command a millisecond to load. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Reads what a holder wrote; `undefined` for anything else, such as the moment before it wrote. */
export function parseHolder(text: string): LockHolder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('pid' in value) || !('command' in value) || !('since' in value)) return undefined;
  const { pid, command, since } = value;
  if (typeof pid !== 'number' || typeof command !== 'string' || typeof since !== 'number') return undefined;
  return { pid, command, since };
}

/** «'netkit load x' (pid 123, for 4 s)», or «another netkit command» when it is not known. `now` as `Date.now()`. */
export function describeHolder(holder: LockHolder | undefined, now: number = Date.now()): string {
  if (holder === undefined) return 'another netkit command';
  const seconds = Math.max(0, Math.round((now - holder.since) / 1000));
  return `'${holder.command}' (pid ${holder.pid}, for ${seconds} s)`;
}

function tryLock(path: string, command: string): Lock | undefined {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return Lock.try(path, command);
  } catch (error) {
    throw fileError(error, 'lock', path);
  }
}

function writeHolder(fd: number, holder: LockHolder): void {
  try {
    ftruncateSync(fd);
    writeSync(fd, `${JSON.stringify(holder)}\n`, 0);
  } catch {
    // Only information for others: a full disk must not keep anybody from taking programs off.
  }
}

function readHolder(path: string): LockHolder | undefined {
  try {
    return parseHolder(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function isStillAt(path: string, fd: number): boolean {
  try {
    const [there, opened] = [statSync(path), fstatSync(fd)];
    return there.ino === opened.ino && there.dev === opened.dev;
  } catch {
    return false;
  }
}

function lockedError(path: string): NetkitError {
  const holder = readHolder(path);
  const who = holder === undefined ? '' : `: ${describeHolder(holder)}`;
  return new NetkitError('locked', `another netkit command holds the lock${who}`, {
    hint: 'wait for it to end, or give --lock-timeout more time',
    details: { lock: path, ...(holder === undefined ? {} : { holder }) },
  });
}

function interrupted(): NetkitError {
  return new NetkitError('interrupted', 'interrupted while waiting for the lock');
}
