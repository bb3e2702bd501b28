import { acquireLock, type Lock } from '../host/lock.js';
import { visibleBpffs } from '../host/mounts.js';
import { clearLeftovers, type EnvironmentOptions, lockOptions, noteProblems } from './environment.js';
import type { Stage } from './perform.js';
import { StateStore } from './store.js';
import { Transaction } from './transaction.js';

export interface SessionOptions extends EnvironmentOptions {
  /** Makes all changes or none. */
  readonly atomic: boolean;
}

/** Several changes under one lock, which the first of them takes and the end of the session releases. */
export class ChangeSession implements Disposable {
  readonly #options: SessionOptions;
  readonly #store: StateStore;
  #lock: Lock | undefined;
  #transaction: Transaction | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#store = new StateStore(options.stateDir);
  }

  /** What the changes are to go through, once the lock is held, when all or none are to be made. */
  get transaction(): Transaction | undefined {
    return this.#transaction;
  }

  /** Takes the lock, unless it is held already. @throws NetkitError `locked`, `interrupted`, `not-permitted` */
  async enter(): Promise<void> {
    if (this.#lock !== undefined) return;
    this.#store.prepare();
    this.#lock = await acquireLock(this.#store.lockPath, lockOptions(this.#options));
    if (!this.#options.atomic) return;
    noteProblems(this.#options, clearLeftovers(this.#options, this.#store));
    this.#transaction = new Transaction(this.#store, this.#options.command);
  }

  /**
   * Lets go of the lock between two commands while a change waits for its confirmation, which nobody could give otherwise,
   * and whose return would wait too: for as long as a batch waits for its next line. The next change takes it again.
   */
  letReturnsIn(): void {
    if (this.#lock === undefined || this.#options.atomic || this.#store.pendingNames().length === 0) return;
    this.#lock[Symbol.dispose]();
    this.#lock = undefined;
  }

  /** Makes what was done final. @throws NetkitError when it is not: roll it back then */
  commit(): void {
    this.#transaction?.commit();
  }

  /** Does what could not have been taken back, after the commit. What fails here is left to `recover`. */
  finish(): void {
    this.#transaction?.finish(this.#stage());
    this.#endTransaction();
  }

  /** Takes back what was done, which `reason` is the cause of. @throws NetkitError when that is not possible */
  rollback(reason: unknown): void {
    this.#transaction?.rollback(this.#stage(), reason);
    this.#endTransaction();
  }

  #stage(): Stage {
    const bpffs = visibleBpffs(this.#options.bpffs);
    return { store: this.#store, bpffs, made: new Map(), note: this.#options.note };
  }

  #endTransaction(): void {
    this.#transaction?.[Symbol.dispose]();
    this.#transaction = undefined;
  }

  [Symbol.dispose](): void {
    this.#endTransaction();
    this.#lock?.[Symbol.dispose]();
    this.#lock = undefined;
  }
}
