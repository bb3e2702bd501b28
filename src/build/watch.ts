import type { FSWatcher } from 'node:fs';
import { statSync, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

export interface WatchOptions {
  /** Milliseconds without a further change before changes are reported. */
  readonly settle?: number | undefined;
}

/**
 * Reports changes of files.
 *
 * It watches their directories, since editors replace a file rather than write to it, and compares what it finds, since
 * one save makes several events. A file that is gone is reported when it is back. Ending it closes the watches.
 */
export class SourceWatch implements Disposable {
  readonly #onChange: (changed: readonly string[]) => void;
  readonly #settle: number;
  readonly #folders = new Map<string, FSWatcher>();
  /** What each file looked like when it was last reported; by absolute path. */
  #looks = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  /** @param onChange is given the absolute paths of the files that changed */
  constructor(
    files: Iterable<string>,
    onChange: (changed: readonly string[]) => void,
    options: WatchOptions = {},
  ) {
    this.#onChange = onChange;
    this.#settle = options.settle ?? 50;
    this.follow(files);
  }

  /** Watches these files from now on and no others, such as a build's new dependencies. */
  follow(files: Iterable<string>): void {
    const before = this.#looks;
    this.#looks = new Map();
    for (const file of files) {
      const path = resolve(file);
      this.#looks.set(path, before.get(path) ?? look(path) ?? '');
    }
    const wanted = new Set([...this.#looks.keys()].map((path) => dirname(path)));
    for (const [folder, watcher] of this.#folders) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const folder of wanted) if (!this.#folders.has(folder)) this.#open(folder);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #open(folder: string): void {
    const names = () =>
      new Set(
        [...this.#looks.keys()].filter((path) => dirname(path) === folder).map((path) => basename(path)),
      );
    let watcher: FSWatcher;
    try {
      watcher = watch(folder, (_event, name) => {
        if (name === null || names().has(name)) this.#wake();
      });
    } catch {
      // The folder is gone or may not be read; the build says so, and the next `follow` tries again.
      return;
    }
    watcher.on('error', () => {
      watcher.close();
      this.#folders.delete(folder);
    });
    this.#folders.set(folder, watcher);
  }

  #wake(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#report(), this.#settle);
  }

  #report(): void {
    const changed: string[] = [];
    for (const [path, before] of this.#looks) {
      const now = look(path);
      if (now === undefined || now === before) continue;
      this.#looks.set(path, now);
      changed.push(path);
    }
    if (changed.length > 0) this.#onChange(changed);
  }
}

/** Differs after every change that matters; `undefined` while there is nothing to be read. */
function look(path: string): string | undefined {
  try {
    const { ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return undefined;
  }
}
