/**
 * Waiting for kernel buffers: one epoll descriptor and one native call for all of this process, on a thread of libuv's
 * pool, so that the event loop goes on meanwhile.
 */
import { Epoll } from './epoll.js';
import type { Fd } from './fd.js';

/**
 * How long a wait lasts at most. Programs may write records without a wake-up (BPF_RB_NO_WAKEUP): these are seen after
 * this time. It also bounds how long a worker thread that is terminated while waiting takes to end.
 */
const heartbeatMilliseconds = 1000;
/** How long it lasts for what always tells, so that an idle process sleeps; a terminated worker may take that long. */
const longestMilliseconds = 10_000;

/** Descriptors that can be waited for together. Disposing ends the wait. */
export class Readiness implements Disposable {
  readonly #fds: readonly Fd[];
  readonly #poller: Poller;
  readonly #token: number;
  #hasHeartbeat = true;
  #open = true;

  /** @param fds stay the caller's, and open longer than this. @throws SysError */
  constructor(...fds: Fd[]) {
    this.#fds = fds;
    this.#poller = shared ??= new Poller();
    this.#token = this.#poller.add(fds);
  }

  /** For descriptors that never have something to read untold, such as sockets: a wait lasts until then. @throws SysError */
  static withoutHeartbeat(...fds: Fd[]): Readiness {
    const made = new Readiness(...fds);
    made.#hasHeartbeat = false;
    return made;
  }

  /**
   * Resolves when there may be something to read, at the latest after a second, or when this is disposed or `signal`
   * aborted. The caller looks whether there is something before it waits, and again afterwards. While it waits, the
   * process does not end by itself, as with a socket.
   */
  async wait(signal?: AbortSignal): Promise<void> {
    if (!this.#open || signal?.aborted) return;
    const end = (): void => this.#poller.end(this.#token);
    signal?.addEventListener('abort', end, { once: true });
    try {
      await this.#poller.wait(this.#token, this.#hasHeartbeat);
    } finally {
      signal?.removeEventListener('abort', end);
    }
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#poller.remove(this.#fds, this.#token);
  }
}

let shared: Poller | undefined;

interface Waiter {
  readonly hasHeartbeat: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

class Poller {
  readonly #epoll = new Epoll();
  readonly #waiting = new Map<number, readonly Waiter[]>();
  #users = 0;
  #lastToken = 0;
  #running = false;
  /** Node joins the pool's threads when the process ends by process.exit(): a wait must not hold that up. */
  readonly #onExit = (): void => this.#epoll.wake();

  constructor() {
    process.on('exit', this.#onExit);
  }

  add(fds: readonly Fd[]): number {
    this.#lastToken += 1;
    this.#users += 1;
    try {
      for (const fd of fds) this.#epoll.add(fd, this.#lastToken);
    } catch (error) {
      // The descriptors leave the epoll when the caller closes them.
      this.#release();
      throw error;
    }
    return this.#lastToken;
  }

  remove(fds: readonly Fd[], token: number): void {
    for (const fd of fds) this.#epoll.remove(fd);
    this.end(token);
    this.#release();
  }

  #release(): void {
    this.#users -= 1;
    if (this.#users === 0 && !this.#running) this.#close();
  }

  wait(token: number, hasHeartbeat: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const isFirst = hasHeartbeat && !this.#isBeating();
      this.#waiting.set(token, [...(this.#waiting.get(token) ?? []), { resolve, reject, hasHeartbeat }]);
      if (!this.#running) void this.#run();
      // A longer wait may be under way.
      else if (isFirst) this.#epoll.wake();
    });
  }

  /** Resolves the waits for one descriptor. */
  end(token: number): void {
    const waited = this.#settle(token, ({ resolve }) => resolve());
    if (waited && this.#running && this.#waiting.size === 0) this.#epoll.wake();
  }

  /** Goes on while somebody waits. */
  async #run(): Promise<void> {
    this.#running = true;
    let lastBeat = performance.now();
    try {
      while (this.#waiting.size > 0) {
        const ready = await this.#epoll.wait(this.#isBeating() ? heartbeatMilliseconds : longestMilliseconds);
        const now = performance.now();
        const beat = now - lastBeat >= heartbeatMilliseconds;
        if (beat) lastBeat = now;
        for (const token of ready) this.#settle(token, ({ resolve }) => resolve());
        if (beat) for (const token of this.#beating()) this.#settle(token, ({ resolve }) => resolve());
      }
    } catch (error) {
      for (const token of [...this.#waiting.keys()]) this.#settle(token, ({ reject }) => reject(error));
    } finally {
      this.#running = false;
      if (this.#users === 0) this.#close();
    }
  }

  /** The tokens of waits that end with the next heartbeat. */
  #beating(): number[] {
    return [...this.#waiting.keys()].filter((token) =>
      this.#waiting.get(token)?.some(({ hasHeartbeat }) => hasHeartbeat),
    );
  }

  #isBeating(): boolean {
    return this.#beating().length > 0;
  }

  #settle(token: number, how: (waiter: Waiter) => void): boolean {
    const waiters = this.#waiting.get(token);
    if (waiters === undefined) return false;
    this.#waiting.delete(token);
    for (const waiter of waiters) how(waiter);
    return true;
  }

  /** Not while a wait is under way: it may even find new users when it ends. */
  #close(): void {
    shared = undefined;
    process.off('exit', this.#onExit);
    this.#epoll[Symbol.dispose]();
  }
}
