/** What an attachment is, whoever keeps it. */

/**
 * Who keeps an attachment in place. `link`: a kernel object that can be pinned. `kernel`: the place itself, such as a map,
 * a route or a tc filter, until somebody takes it away. `process`: an open file of this process, or the socket.
 */
export type Holder = 'link' | 'kernel' | 'process';

/** A program in its place. Disposing takes it away again, unless it was pinned or kept. */
export interface Attachment extends Disposable {
  readonly holder: Holder;
  /** Takes the program away now. @throws NetkitError `unsupported` for kinds of links that end only with their last descriptor and pin */
  detach(): void;
}

/** An attachment that is no link: it is known by its place alone. */
export class HeldAttachment implements Attachment {
  readonly holder: 'kernel' | 'process';
  readonly #takeAway: () => void;
  readonly #needed: readonly Disposable[];
  #present = true;

  /**
   * @internal
   * @param takeAway finds a place that is gone by itself in order
   * @param needed for taking it away only, owned
   */
  constructor(holder: 'kernel' | 'process', takeAway: () => void, needed: readonly Disposable[] = []) {
    this.holder = holder;
    this.#takeAway = takeAway;
    this.#needed = needed;
  }

  /** Leaves the program in its place when this is disposed of; what a process holds ends with the process all the same. */
  keep(): void {
    if (!this.#present) return;
    this.#present = false;
    this.#release();
  }

  /** Takes the program away; doing it twice is fine. @throws NetkitError */
  detach(): void {
    if (!this.#present) return;
    this.#present = false;
    try {
      this.#takeAway();
    } finally {
      this.#release();
    }
  }

  #release(): void {
    for (const each of this.#needed) each[Symbol.dispose]();
  }

  /** Takes the program away unless it was kept. */
  [Symbol.dispose](): void {
    this.detach();
  }
}
