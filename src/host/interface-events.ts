import type { FSWatcher } from 'node:fs';
import { statSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { NetkitError } from '../base/errors.js';
import { FollowedNetns } from './followed-netns.js';
import type { InterfaceEvent } from './interface-event.js';
import { netnsDirectory } from './netns.js';

/** How often it looks for what nobody tells: namespaces unmounted, processes ended, folders made. */
const heartbeatMs = 1000;
/** A name comes some microseconds before its namespace is mounted there, of which nobody tells. */
const firstRetryMs = 1;

/** A namespace that is wanted, whether or not it is there. */
interface Wanted {
  readonly ref: string | null;
  /** Where its file is or would be; undefined for the namespace of this process. */
  readonly path: string | undefined;
  followed: FollowedNetns | undefined;
  retry: NodeJS.Timeout | undefined;
  /** What was told of why it cannot be followed. */
  problem: string | undefined;
}

/**
 * Tells what becomes of the interfaces of network namespaces, some milliseconds after it happened, and of the namespaces:
 * one that goes is let go of at once, or it would live on, and one that comes is followed. The kernel tells (rtnetlink,
 * inotify); once a second it looks for the little that it does not tell.
 *
 * While this exists the process does not end by itself. Entering another namespace needs CAP_SYS_ADMIN.
 */
export class InterfaceEvents implements Disposable {
  readonly #onChange: (events: readonly InterfaceEvent[]) => void;
  readonly #wanted = new Map<string | null, Wanted>();
  readonly #folders = new Map<string, { readonly watcher: FSWatcher; readonly inode: number }>();
  readonly #heartbeat: NodeJS.Timeout;
  #untold: InterfaceEvent[] = [];
  #telling: NodeJS.Immediate | undefined;
  #hasEnded = false;

  /** @param onChange is given what happened in order, several events at a time, and never from within `follow` */
  constructor(onChange: (events: readonly InterfaceEvent[]) => void) {
    this.#onChange = onChange;
    this.#heartbeat = setInterval(() => this.#lookAtAll(), heartbeatMs);
  }

  /**
   * Follows these namespaces from now on, and no others: a name, path or process id as in `openNetns`, or null for the
   * namespace of this process. One that is not there is waited for. What is there already is not told: whoever looks at
   * it after this call misses nothing.
   */
  follow(refs: Iterable<string | null>): void {
    if (this.#hasEnded) throw new TypeError('these events have ended');
    const wanted = new Set(refs);
    for (const [ref, entry] of this.#wanted) {
      if (wanted.has(ref)) continue;
      this.#wanted.delete(ref);
      release(entry);
    }
    const added = [...wanted].filter((ref) => !this.#wanted.has(ref)).map(newlyWanted);
    for (const entry of added) this.#wanted.set(entry.ref, entry);
    // Watching comes before looking, so that nothing falls between.
    this.#watchFolders();
    for (const entry of added) this.#enter(entry, { isNews: false, mayComplain: true });
  }

  [Symbol.dispose](): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#heartbeat);
    clearImmediate(this.#telling);
    for (const { watcher } of this.#folders.values()) watcher.close();
    for (const entry of this.#wanted.values()) release(entry);
    this.#wanted.clear();
  }

  /** Begins to follow, where that is possible. */
  #enter(entry: Wanted, { isNews, mayComplain }: { isNews: boolean; mayComplain: boolean }): void {
    const { ref } = entry;
    let followed: FollowedNetns;
    try {
      followed = new FollowedNetns(ref);
    } catch (error) {
      if (!(error instanceof NetkitError)) throw error;
      if (mayComplain && error.code !== 'not-found' && entry.problem !== error.message) {
        entry.problem = error.message;
        this.#tell([{ kind: 'blind', netns: ref, error }]);
      }
      return;
    }
    entry.followed = followed;
    entry.problem = undefined;
    clearTimeout(entry.retry);
    entry.retry = undefined;
    if (isNews) {
      // The namespace of this process was there all the time.
      this.#tell([ref === null ? { kind: 'lost', netns: ref } : { kind: 'netns-appeared', netns: ref }]);
      this.#tell(followed.everyInterface('appeared'));
    }
    void this.#hear(entry, followed);
  }

  async #hear(entry: Wanted, followed: FollowedNetns): Promise<void> {
    try {
      while (entry.followed === followed) {
        const { events, hasMore } = followed.changes();
        this.#tell(events);
        await (hasMore ? nextTurn() : followed.wait());
      }
    } catch (error) {
      if (!(error instanceof NetkitError)) throw error;
      if (entry.followed !== followed) return;
      // What cannot be heard any more is opened anew with the next heartbeat, and told as what appeared.
      this.#leave(entry);
      this.#tell([
        { kind: 'lost', netns: entry.ref },
        { kind: 'blind', netns: entry.ref, error },
      ]);
    }
  }

  /** Leaves a namespace that is no longer what its name means. */
  #leave(entry: Wanted): void {
    const { followed, ref } = entry;
    if (followed === undefined) return;
    if (ref !== null) this.#tell([...followed.everyInterface('gone'), { kind: 'netns-gone', netns: ref }]);
    release(entry);
  }

  #lookAtAll(): void {
    this.#watchFolders();
    for (const entry of this.#wanted.values()) this.#lookAt(entry, true);
  }

  #lookAt(entry: Wanted, mayComplain: boolean): void {
    const { followed } = entry;
    if (followed?.inode !== undefined && inodeOf(followed.path) !== followed.inode) this.#leave(entry);
    if (entry.followed === undefined) this.#enter(entry, { isNews: true, mayComplain });
  }

  /** Looks at once, and where the namespace is not there, at growing intervals, until the heartbeat would. */
  #lookSoon(entry: Wanted, retryMs = firstRetryMs): void {
    clearTimeout(entry.retry);
    entry.retry = undefined;
    this.#lookAt(entry, false);
    if (entry.followed === undefined && retryMs < heartbeatMs)
      entry.retry = setTimeout(() => this.#lookSoon(entry, retryMs * 2), retryMs);
  }

  /** Watches the folders in which files of namespaces come and go, those that there are. */
  #watchFolders(): void {
    const wanted = new Set(
      [...this.#wanted.values()].flatMap(({ path }) =>
        // Nobody tells of what comes and goes there.
        path === undefined || path.startsWith('/proc/') ? [] : [dirname(path)],
      ),
    );
    for (const [folder, { watcher, inode }] of this.#folders) {
      if (wanted.has(folder) && inodeOf(folder) === inode) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const folder of wanted) if (!this.#folders.has(folder)) this.#watchFolder(folder);
  }

  #watchFolder(folder: string): void {
    const inode = inodeOf(folder);
    if (inode === undefined) return;
    let watcher: FSWatcher;
    try {
      watcher = watch(folder, (_event, name) => {
        for (const entry of this.#wanted.values()) {
          const { path } = entry;
          if (path === undefined || dirname(path) !== folder) continue;
          if (name === null || name === basename(path)) this.#lookSoon(entry);
        }
      });
    } catch {
      // Too many are watched, or it is gone again: the heartbeat sees what happens there.
      return;
    }
    watcher.on('error', () => {
      watcher.close();
      this.#folders.delete(folder);
    });
    this.#folders.set(folder, { watcher, inode });
  }

  #tell(events: readonly InterfaceEvent[]): void {
    if (events.length === 0 || this.#hasEnded) return;
    this.#untold.push(...events);
    this.#telling ??= setImmediate(() => {
      const told = this.#untold;
      this.#untold = [];
      this.#telling = undefined;
      this.#onChange(told);
    });
  }
}

function newlyWanted(ref: string | null): Wanted {
  return { ref, path: pathOf(ref), followed: undefined, retry: undefined, problem: undefined };
}

/** Where the file of a namespace comes and goes. A number may also be the id of a process: the heartbeat looks for that. */
function pathOf(ref: string | null): string | undefined {
  if (ref === null) return undefined;
  return ref.includes('/') ? ref : join(netnsDirectory, ref);
}

function release(entry: Wanted): void {
  const { followed, retry } = entry;
  clearTimeout(retry);
  entry.retry = undefined;
  entry.followed = undefined;
  followed?.[Symbol.dispose]();
}

function inodeOf(path: string | undefined): number | undefined {
  if (path === undefined) return undefined;
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}
