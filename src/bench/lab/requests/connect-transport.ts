/** A TCP connection for each request, which the server closes after its answer. */
import {
  closeSocket,
  connectSocket,
  ended,
  notYet,
  openSocket,
  pollNow,
  receiveNow,
  sendAtOnce,
  sendNow,
  socketAddress,
} from '../../../host/request-sockets.js';
import type { Transport } from './exchange.js';
import type { Route } from './route.js';

/** Connections at the same time; more wait until one has ended. */
const most = 4096;
// struct pollfd { int fd; short events, revents; }
const pollBytes = 8;
const POLLIN = 1;
const POLLOUT = 4;

/** In the thread's network namespace. */
export function connectTransport({ family, address, port, size }: Route): Transport {
  const to = socketAddress(family, port, address);
  const request = new Uint8Array(size);
  const answer = new Uint8Array(size + 1);
  const list = new Uint8Array(most * pollBytes);
  const view = new DataView(list.buffer);
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  /** The request of each connection in the list, and how much of its answer is there. */
  const requests = new Uint32Array(most);
  const received = new Uint32Array(most);
  let count = 0;
  /** How many that were ready have not been looked at, and where to go on. */
  let ready = 0;
  let at = 0;

  const fdAt = (place: number): number => view.getInt32(place * pollBytes, littleEndian);
  const want = (place: number, events: number): void =>
    view.setInt16(place * pollBytes + 4, events, littleEndian);

  /** The last one takes its place. */
  const remove = (place: number): void => {
    closeSocket(fdAt(place));
    count -= 1;
    list.copyWithin(place * pollBytes, count * pollBytes, (count + 1) * pollBytes);
    requests[place] = requests[count] ?? 0;
    received[place] = received[count] ?? 0;
  };

  /** @returns whether the answer is whole */
  const goOn = (place: number): boolean => {
    const fd = fdAt(place);
    if ((view.getInt16(place * pollBytes + 4, littleEndian) & POLLOUT) !== 0) {
      if (sendNow(fd, request, size) !== size) throw new Error('a new connection takes no request');
      want(place, POLLIN);
      return false;
    }
    const bytes = receiveNow(fd, answer);
    if (bytes === notYet) return false;
    if (bytes === ended) throw new Error('the server has reset a connection');
    // The end of the stream is the end of the answer.
    if (bytes === 0) return true;
    received[place] = (received[place] ?? 0) + bytes;
    return false;
  };

  return {
    send: (index) => {
      if (count >= most) return false;
      const fd = openSocket(family, 'tcp', { waits: false }).value;
      sendAtOnce(fd);
      view.setInt32(count * pollBytes, fd, littleEndian);
      const isThere = connectSocket(fd, to) === 0;
      if (isThere) sendNow(fd, request, size);
      want(count, isThere ? POLLIN : POLLOUT);
      requests[count] = index;
      received[count] = 0;
      count += 1;
      return true;
    },
    answered: () => {
      if (count === 0) return -1;
      if (ready === 0) {
        ready = pollNow(list, count);
        at = count - 1;
      }
      while (ready > 0 && at >= 0) {
        const place = at;
        at -= 1;
        if (view.getInt16(place * pollBytes + 6, littleEndian) === 0) continue;
        view.setInt16(place * pollBytes + 6, 0, littleEndian);
        ready -= 1;
        if (!goOn(place)) continue;
        const index = requests[place] ?? 0;
        const isWhole = received[place] === size;
        remove(place);
        if (isWhole) return index;
      }
      ready = 0;
      return -1;
    },
    [Symbol.dispose]: () => {
      while (count > 0) remove(count - 1);
    },
  };
}
