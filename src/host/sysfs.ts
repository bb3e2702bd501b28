/** sysfs as a network namespace has it: what is mounted on /sys shows the interfaces of the namespace that mounted it. */
import { openFileSystem } from '../sys/detached-mount.js';
import type { Fd } from '../sys/fd.js';

/** A sysfs that nobody else sees. */
export class Sysfs implements Disposable {
  readonly #root: Fd;

  constructor(root: Fd) {
    this.#root = root;
  }

  /** The path of a file in it, as long as this is open. */
  path(inside: string): string {
    return `/proc/self/fd/${this.#root.value}/${inside}`;
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
  }
}

/** The sysfs of the thread's network namespace. Needs CAP_SYS_ADMIN. Minimum kernel 5.2. @throws SysError */
export function openSysfs(): Sysfs {
  return new Sysfs(openFileSystem('sysfs'));
}
