/** epoll(7) with an eventfd(2) beside it, so that a wait that is under way can be ended. */
import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { Scope } from '../base/scope.js';
import { declare, invoke, invokeAsync } from './call.js';
import { errnoNumber, SysError } from './errno.js';
import { Fd } from './fd.js';
import { checked } from './status.js';

declare('libc', [
  'int epoll_create1(int flags)',
  'int epoll_ctl(int epoll, int operation, int fd, void *event)',
  'int epoll_wait(int epoll, void *events, int count, int milliseconds)',
  'int eventfd(unsigned int value, int flags)',
  'long write(int fd, void *bytes, size_t size)',
]);

// sys/epoll.h, sys/eventfd.h
const EPOLL_CLOEXEC = 0x80000;
const EFD_CLOEXEC_NONBLOCK = 0x80000 | 0x800;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
/** Tells once of each wake-up: what has data that nobody reads now would otherwise end every wait at once. */
const EPOLLET = 2 ** 31;

// struct epoll_event { uint32_t events; uint64_t data; }: packed on x86 alone.
const packed = process.arch === 'x64' || process.arch === 'ia32';
const eventSize = packed ? 12 : 16;
const dataAt = packed ? 4 : 8;

const eventsAtOnce = 64;
/** The token of the eventfd. */
const wakeToken = 0;

export class Epoll implements Disposable {
  readonly #epoll: Fd;
  readonly #wake: Fd;
  readonly #events = new Uint8Array(eventSize * eventsAtOnce);

  /** @throws SysError EMFILE */
  constructor() {
    using scope = new Scope();
    this.#epoll = scope.use(new Fd(checked('make an epoll', invoke('epoll_create1', [EPOLL_CLOEXEC]))));
    this.#wake = scope.use(new Fd(checked('make an eventfd', invoke('eventfd', [0, EFD_CLOEXEC_NONBLOCK]))));
    this.add(this.#wake, wakeToken);
    scope.move();
  }

  /** Watches `fd` for something to read. @param token comes out of `wait`: a whole number from 1 to 2^32 − 1. @throws SysError */
  add(fd: Fd, token: number): void {
    const event = new Uint8Array(eventSize);
    const view = new DataView(event.buffer);
    view.setUint32(0, EPOLLIN | EPOLLET, littleEndian);
    view.setUint32(dataAt, token, littleEndian);
    const { value } = fd;
    checked('watch a descriptor', invoke('epoll_ctl', [this.#epoll.value, EPOLL_CTL_ADD, value, event]));
  }

  /** @throws SysError ENOENT when it is not watched */
  remove(fd: Fd): void {
    const { value } = fd;
    checked('leave a descriptor', invoke('epoll_ctl', [this.#epoll.value, EPOLL_CTL_DEL, value, null]));
  }

  /** The tokens of what can be read; none when the time is over or `wake` was called. One wait at a time. @throws SysError */
  async wait(milliseconds: number): Promise<number[]> {
    const args = [this.#epoll.value, this.#events, eventsAtOnce, milliseconds];
    const { result, errno } = await invokeAsync('epoll_wait', args);
    const count = Number(result);
    if (count < 0) {
      if (errno === errnoNumber('EINTR')) return [];
      throw new SysError('wait for events', errno);
    }
    const view = new DataView(this.#events.buffer);
    const tokens: number[] = [];
    for (let index = 0; index < count; index++) {
      const token = view.getUint32(index * eventSize + dataAt, littleEndian);
      if (token !== wakeToken) tokens.push(token);
    }
    return tokens;
  }

  /** Ends a wait that is under way, or the next one. */
  wake(): void {
    const one = new Uint8Array(8);
    one[littleEndian ? 0 : 7] = 1;
    // The counter is never read: it takes 2^64 − 2 of these.
    invoke('write', [this.#wake.value, one, one.length]);
  }

  /** No wait may be under way. */
  [Symbol.dispose](): void {
    this.#epoll[Symbol.dispose]();
    this.#wake[Symbol.dispose]();
  }
}
