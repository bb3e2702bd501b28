/** The lock that libxdp's tools and netkit share: `flock` on the folder of all chains. */
import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { fileError, fileErrorCode } from '../../host/file-errors.js';
import { tryFlock } from '../../sys/libc.js';
import { chainsFolder } from './place.js';

const firstPauseMs = 2;
const longestPauseMs = 50;

/** A held lock. Disposing releases it, and so does the end of the process. */
export class ChainLock implements Disposable {
  #fd: number | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Takes the lock, and makes the folder, which stays, as libxdp's tools leave it too.
   * @throws NetkitError `locked` after `timeoutMs`, naming the process that holds it; `not-permitted`
   */
  static acquire(bpffs: string, timeoutMs: number): ChainLock {
    const folder = chainsFolder(bpffs);
    const fd = openFolder(folder);
    try {
      const deadline = now() + timeoutMs;
      for (let pause = firstPauseMs; !tryFlock(fd); pause = Math.min(2 * pause, longestPauseMs)) {
        if (now() >= deadline) throw held(folder, fd);
        sleep(pause);
      }
      return new ChainLock(fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function openFolder(folder: string): number {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (fileErrorCode(error) !== 'EEXIST') throw fileError(error, 'make', folder);
  }
  try {
    return openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    throw fileError(error, 'open', folder);
  }
}

function held(folder: string, fd: number): NetkitError {
  const pid = holderOf(fd);
  const who = pid === undefined ? 'another process' : `process ${pid}`;
  return new NetkitError(
    'locked',
    `${who} is changing a chain of XDP programs: it holds the lock on ${folder}`,
    {
      hint: 'wait for it to end',
      details: { folder, ...(pid === undefined ? {} : { pid }) },
    },
  );
}

/** From /proc/locks: `1: FLOCK ADVISORY WRITE 1234 00:2d:5678 0 EOF`. */
function holderOf(fd: number): number | undefined {
  try {
    const { ino } = fstatSync(fd);
    const lines = readFileSync('/proc/locks', 'utf8').split('\n');
    const line = lines.find(
      (each) => / FLOCK /.test(each) && !each.includes('->') && each.includes(`:${ino} `),
    );
    const pid = Number(line?.trim().split(/\s+/)[4]);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Changes are synchronous, so that nothing of this process comes between. */
function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
