/** Following interfaces: those that appear, come back, or match a pattern get what is declared for them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NetkitError } from '../../base/errors.js';
import type { InterfaceEvent } from '../../host/interface-event.js';
import { InterfaceEvents } from '../../host/interface-events.js';
import { StateStore } from '../store.js';
import { type SavedMap, saveMaps } from './kept.js';
import { type Appeared, interfaceKey } from './links.js';
import { type Lack, type Reconciled, type ReconcileRequest, reconcile } from './reconcile.js';
import { changesOf, followState, namespacesOf } from './recorded-files.js';

export interface Watching extends Omit<ReconcileRequest, 'onlyAppeared'> {
  readonly signal: AbortSignal;
  /** Milliseconds between two savings of the contents that are to be kept. */
  readonly saveEveryMs: number;
  /** Called when it follows everything. */
  readonly onReady: () => void;
  /** Called with what was done. */
  readonly onPass: (result: Reconciled) => void;
  readonly onSaved: (saved: readonly SavedMap[]) => void;
  /** Called for what goes wrong and does not end the watching; once, until it is another problem. */
  readonly onProblem: (error: NetkitError, name?: string) => void;
}

/** Events that come together are looked at together. */
const quietMs = 30;
/** What failed is tried again, at growing intervals. */
const firstRetryMs = 1000;
const longestRetryMs = 300_000;

/**
 * Goes on until its signal. The first pass brings back everything; later ones only what has appeared, or could not be done
 * before.
 */
export async function watchInterfaces(watching: Watching): Promise<void> {
  const { signal } = watching;
  const store = new StateStore(watching.stateDir);
  store.prepare();
  const reasons = new Reasons();
  using events = new InterfaceEvents((told) => reasons.take(told, watching));
  using _files = followState(store.directory, () => reasons.wake());
  const saving = new Saving(watching.saveEveryMs, () => save(watching, store));
  const stop = (): void => reasons.wake();
  signal.addEventListener('abort', stop);
  try {
    events.follow(namespacesOf(store));
    const passes = new Passes(watching, reasons);
    let known = changesOf(store);
    await passes.pass(false);
    if (!signal.aborted) watching.onReady();
    while (!signal.aborted) {
      await reasons.wait(signal);
      await sleep(quietMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const due = reasons.due();
      // This and others write what others have no part in, and put it back when they fail.
      const now = changesOf(store);
      if (due === undefined && now === known) continue;
      known = now;
      // What was applied meanwhile may be in other namespaces.
      events.follow(namespacesOf(store));
      await passes.pass(due ?? { interfaces: new Set(), retries: false });
    }
  } finally {
    signal.removeEventListener('abort', stop);
    reasons.end();
    await saving.end();
  }
}

/** Why the next pass is to be made. */
class Reasons {
  #interfaces = new Set<string>();
  #isDue = false;
  #retries = false;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  #isAwake = false;
  #wake = (): void => undefined;

  take(events: readonly InterfaceEvent[], { onProblem }: Watching): void {
    for (const event of events) {
      if (event.kind === 'blind') onProblem(event.error, `netns ${event.netns ?? ''}`);
      if (event.kind === 'appeared' || event.kind === 'renamed')
        this.#interfaces.add(interfaceKey(event.netns, event.ifname));
    }
    this.#isDue = true;
    this.wake();
  }

  wake(): void {
    this.#isAwake = true;
    this.#wake();
  }

  async wait(signal: AbortSignal): Promise<void> {
    if (this.#isAwake || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  /** What a pass is to do, from here on no reason for another; undefined when only files have changed. */
  due(): Appeared | undefined {
    this.#isAwake = false;
    if (!this.#isDue) return undefined;
    const due = { interfaces: this.#interfaces, retries: this.#retries };
    this.#interfaces = new Set();
    [this.#isDue, this.#retries] = [false, false];
    return due;
  }

  /** What was to be done has failed in part. */
  again({ interfaces }: Appeared): void {
    for (const key of interfaces) this.#interfaces.add(key);
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      [this.#isDue, this.#retries] = [true, true];
      this.wake();
    }, this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, longestRetryMs);
  }

  /** All is well. */
  calm(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#retryMs = firstRetryMs;
  }

  end(): void {
    clearTimeout(this.#retry);
  }
}

class Passes {
  readonly #watching: Watching;
  readonly #reasons: Reasons;
  /** What was told last, by function or chain; what is about none has the empty name. */
  readonly #told = new Map<string, string>();

  constructor(watching: Watching, reasons: Reasons) {
    this.#watching = watching;
    this.#reasons = reasons;
  }

  async pass(onlyAppeared: Appeared | false): Promise<void> {
    const { onPass, signal } = this.#watching;
    const isWhole = onlyAppeared === false || onlyAppeared.retries;
    let problems: readonly Lack[];
    try {
      const result = await reconcile({ ...this.#watching, onlyAppeared }, []);
      onPass(result);
      problems = result.problems;
    } catch (error) {
      if (!(error instanceof NetkitError)) throw error;
      if (signal.aborted) return;
      problems = [{ function: '', error }];
    }
    this.#tell(problems, isWhole);
    if (problems.length > 0)
      this.#reasons.again(onlyAppeared === false ? { interfaces: new Set(), retries: true } : onlyAppeared);
    else if (isWhole) this.#reasons.calm();
  }

  #tell(problems: readonly Lack[], isWhole: boolean): void {
    for (const { function: name, error } of problems) {
      // What went while it was being attached to is told only when it is missed the next time.
      if (!isWhole && error.code === 'not-found') continue;
      if (this.#told.get(name) === error.message) continue;
      this.#told.set(name, error.message);
      this.#watching.onProblem(error, name === '' ? undefined : name);
    }
    const failing = new Set(problems.map(({ function: name }) => name));
    if (isWhole) for (const name of this.#told.keys()) if (!failing.has(name)) this.#told.delete(name);
  }
}

async function save(watching: Watching, store: StateStore): Promise<void> {
  for (const name of store.names()) {
    try {
      const saved = await saveMaps(watching, name);
      if (saved.length > 0) watching.onSaved(saved);
    } catch (error) {
      if (!(error instanceof NetkitError)) throw error;
      // Passes tell of what is damaged.
      if (!watching.signal.aborted && error.code !== 'bad-state') watching.onProblem(error, name);
    }
  }
}

/** Work that is done again and again: the next time counts from its end. */
class Saving {
  readonly #everyMs: number;
  readonly #work: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #hasEnded = false;

  constructor(everyMs: number, work: () => Promise<void>) {
    this.#everyMs = everyMs;
    this.#work = work;
    this.#next();
  }

  /** Resolves when nothing is under way any more. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #next(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#work().finally(() => {
        if (!this.#hasEnded) this.#next();
      });
    }, this.#everyMs);
  }
}
