import { declare, invoke } from './call.js';
import { checked } from './status.js';

declare('libc', ['int close(int fd)', 'int fcntl(int fd, int cmd, int arg)']);

/** fcntl command: duplicate to the lowest free descriptor, closed on exec (asm-generic/fcntl.h). */
const F_DUPFD_CLOEXEC = 1030;

/** An owned file descriptor. Disposing closes it; what is pinned or attached through it may outlive it. */
export class Fd implements Disposable {
  #value: number;

  constructor(value: number) {
    this.#value = value;
  }

  /** The descriptor's number. @throws TypeError after dispose */
  get value(): number {
    if (this.#value < 0) throw new TypeError('this descriptor is closed');
    return this.#value;
  }

  [Symbol.dispose](): void {
    if (this.#value < 0) return;
    const value = this.#value;
    this.#value = -1;
    invoke('close', [value]);
  }
}

/** Duplicates a borrowed descriptor into an owned one. @throws SysError */
export function duplicateFd(fd: number): Fd {
  return new Fd(checked('duplicate a file descriptor', invoke('fcntl', [fd, F_DUPFD_CLOEXEC, 0])));
}
