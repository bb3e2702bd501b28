/** A file system for this process and its children, which nobody sees mounted. */
import { openFileSystem } from '../sys/detached-mount.js';
import type { Fd } from '../sys/fd.js';

/** It is gone with the process, however that ends, and all that is in it. */
export class PrivateFileSystem implements Disposable {
  readonly #root: Fd;

  /** Needs CAP_SYS_ADMIN. Minimum kernel 5.2. @throws SysError */
  constructor(type: 'bpf' | 'tmpfs') {
    this.#root = openFileSystem(type);
  }

  /** Its root, for this process and its children alike, as long as it is open. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.#root.value}`;
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
  }
}
