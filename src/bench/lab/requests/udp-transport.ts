/** Requests as datagrams: a lost one is one that is never answered. */
import { randomInt } from 'node:crypto';
import {
  connectSocket,
  openSocket,
  receiveNow,
  receiveRoom,
  sendNow,
  socketAddress,
} from '../../../host/request-sockets.js';
import type { Transport } from './exchange.js';
import type { Route } from './route.js';

/** Of the run and the number of the request, at the beginning of each. */
export const udpHeaderBytes = 8;
/** Answers of a stall wait here until they are read. */
const room = 8 << 20;

/** In the thread's network namespace. @throws SysError */
export function udpTransport({ family, address, port, size }: Route): Transport {
  const socket = openSocket(family, 'udp', { waits: false });
  try {
    receiveRoom(socket, room);
    connectSocket(socket.value, socketAddress(family, port, address));
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
  const fd = socket.value;
  const request = new Uint8Array(size);
  const answer = new Uint8Array(size);
  const out = new DataView(request.buffer);
  const into = new DataView(answer.buffer);
  // What comes late belongs to a run before.
  const run = randomInt(2 ** 32);
  out.setUint32(0, run);
  return {
    send: (index) => {
      out.setUint32(4, index);
      return sendNow(fd, request, size) === size;
    },
    answered: () => (receiveNow(fd, answer) === size && into.getUint32(0) === run ? into.getUint32(4) : -1),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}
