/** A list for poll(2). */
import { hostIsLittleEndian } from '../../../base/byte-order.js';

export const POLLIN = 0x1;
export const POLLOUT = 0x4;
export const POLLRDHUP = 0x2000;

// struct pollfd { int fd; short events, revents; }
const entryBytes = 8;
const [eventsAt, happenedAt] = [4, 6];

export class PollList {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  /** @param most entries that it has room for */
  constructor(most: number) {
    this.bytes = new Uint8Array(most * entryBytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  set(place: number, fd: number, events: number): void {
    this.#view.setInt32(place * entryBytes, fd, hostIsLittleEndian);
    this.want(place, events);
  }

  fd(place: number): number {
    return this.#view.getInt32(place * entryBytes, hostIsLittleEndian);
  }

  want(place: number, events: number): void {
    this.#view.setInt16(place * entryBytes + eventsAt, events, hostIsLittleEndian);
  }

  wants(place: number, event: number): boolean {
    return (this.#view.getInt16(place * entryBytes + eventsAt, hostIsLittleEndian) & event) !== 0;
  }

  /** Whether the kernel has said anything of it. */
  hasHappened(place: number): boolean {
    return this.#view.getInt16(place * entryBytes + happenedAt, hostIsLittleEndian) !== 0;
  }

  /** It is looked at: until the kernel is asked again, nothing has happened. */
  clear(place: number): void {
    this.#view.setInt16(place * entryBytes + happenedAt, 0, hostIsLittleEndian);
  }

  copy(from: number, to: number): void {
    this.bytes.copyWithin(to * entryBytes, from * entryBytes, (from + 1) * entryBytes);
  }
}
