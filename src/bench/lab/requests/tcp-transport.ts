/** Requests, or chunks of a stream, over one TCP connection that lasts: answers come in their order. */
import {
  connectSocket,
  ended,
  type Fd,
  openSocket,
  receiveNow,
  sendAtOnce,
  sendNow,
  socketAddress,
} from '../../../host/request-sockets.js';
import type { Transport } from './exchange.js';
import type { Route } from './route.js';

/** Answers that are read at once. */
const readBytes = 1 << 16;

/** In the thread's network namespace. Waits for the connection. @throws SysError ECONNREFUSED, ETIMEDOUT */
export function tcpTransport(route: Route): Transport {
  return overConnection(connected(route), { size: route.size, answer: route.size });
}

/** A connection, in the thread's network namespace, when it stands. @throws SysError ECONNREFUSED, ETIMEDOUT */
export function connected({ family, address, port }: Omit<Route, 'size'>): Fd {
  const socket = openSocket(family, 'tcp', { waits: true });
  try {
    sendAtOnce(socket.value);
    connectSocket(socket.value, socketAddress(family, port, address));
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
  return socket;
}

/** Requests of `size` bytes, each of which `answer` bytes answer, over a connection that ends with them. */
export function overConnection(
  socket: Fd,
  { size, answer }: { readonly size: number; readonly answer: number },
): Transport {
  const fd = socket.value;
  const request = new Uint8Array(size);
  const answers = new Uint8Array(readBytes);
  /** Of the request that was sent in part. */
  let partly = 0;
  /** Bytes of answers that were read, and requests known to be answered. */
  let read = 0;
  let told = 0;
  return {
    send: () => {
      const count = sendNow(fd, partly === 0 ? request : request.subarray(partly), size - partly);
      if (count === ended) throw new Error('the server has closed the connection');
      partly += Math.max(0, count);
      if (partly < size) return false;
      partly = 0;
      return true;
    },
    answered: () => {
      if (read < (told + 1) * answer) {
        const count = receiveNow(fd, answers);
        if (count === 0 || count === ended) throw new Error('the server has closed the connection');
        if (count < 0) return -1;
        read += count;
        if (read < (told + 1) * answer) return -1;
      }
      told += 1;
      return told - 1;
    },
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}
