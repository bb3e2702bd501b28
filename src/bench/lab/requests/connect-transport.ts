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
import { POLLIN, POLLOUT, PollList } from './poll-list.js';
import type { Route } from './route.js';

/** Connections at the same time; more wait until one has ended. */
const most = 4096;

/** In the thread's network namespace. */
export function connectTransport({ family, address, port, size }: Route): Transport {
  const to = socketAddress(family, port, address);
  const request = new Uint8Array(size);
  const answer = new Uint8Array(size + 1);
  const list = new PollList(most);
  /** The request of each connection in the list, and how much of its answer is there. */
  const requests = new Uint32Array(most);
  const received = new Uint32Array(most);
  let count = 0;
  /** How many that were ready have not been looked at, and where to go on. */
  let ready = 0;
  let at = 0;

  /** The last one takes its place. */
  const remove = (place: number): void => {
    closeSocket(list.fd(place));
    count -= 1;
    list.copy(count, place);
    requests[place] = requests[count] ?? 0;
    received[place] = received[count] ?? 0;
  };

  /** @returns whether the answer is whole */
  const goOn = (place: number): boolean => {
    const fd = list.fd(place);
    if (list.wants(place, POLLOUT)) {
      if (sendNow(fd, request, size) !== size) throw new Error('a new connection takes no request');
      list.want(place, POLLIN);
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
      const isThere = connectSocket(fd, to) === 0;
      if (isThere) sendNow(fd, request, size);
      list.set(count, fd, isThere ? POLLIN : POLLOUT);
      requests[count] = index;
      received[count] = 0;
      count += 1;
      return true;
    },
    answered: () => {
      if (count === 0) return -1;
      if (ready === 0) {
        ready = pollNow(list.bytes, count);
        at = count - 1;
      }
      while (ready > 0 && at >= 0) {
        const place = at;
        at -= 1;
        if (!list.hasHappened(place)) continue;
        list.clear(place);
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
