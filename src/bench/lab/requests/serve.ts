/** Answers each request with as many bytes, until the process ends. */
import {
  acceptConnection,
  bindSocket,
  closeSocket,
  listenWithData,
  notYet,
  openSocket,
  receiveFrom,
  receiveRoom,
  receiveWaiting,
  sendAtOnce,
  sendTo,
  sendWaiting,
  shareAddress,
  socketAddress,
} from '../../../host/request-sockets.js';
import type { Protocol, Route } from './route.js';

/** Requests of a stall wait here until they are read. */
const room = 8 << 20;
const backlog = 4096;
const readBytes = 1 << 16;

/** A server that listens. */
export interface Listening {
  /** Answers until the process ends. @throws SysError */
  serve(): never;
}

/** In the thread's network namespace. @throws SysError EADDRINUSE */
export function listen(protocol: Protocol, route: Omit<Route, 'address'>): Listening {
  const address = socketAddress(route.family, route.port);
  const socket = openSocket(route.family, protocol === 'udp' ? 'udp' : 'tcp', { waits: true });
  if (protocol === 'udp') {
    receiveRoom(socket, room);
    bindSocket(socket, address);
    return { serve: () => serveDatagrams(socket.value, address.length) };
  }
  shareAddress(socket);
  bindSocket(socket, address);
  listenWithData(socket, backlog);
  return { serve: () => serveConnections(socket.value, route.size, protocol === 'connect') };
}

function serveDatagrams(socket: number, addressBytes: number): never {
  const bytes = new Uint8Array(readBytes);
  const from = new Uint8Array(addressBytes);
  const fromSize = new Uint8Array(Uint32Array.of(addressBytes).buffer);
  for (;;) {
    const count = receiveFrom(socket, bytes, from, fromSize);
    if (count > 0) sendTo(socket, bytes, count, from);
  }
}

/** One connection after the other. */
function serveConnections(listener: number, size: number, isForOne: boolean): never {
  const bytes = new Uint8Array(readBytes);
  const answer = new Uint8Array(size);
  for (;;) {
    const connection = acceptConnection(listener);
    if (connection < 0) continue;
    sendAtOnce(connection);
    answerAll(connection, { bytes, answer, isForOne });
    closeSocket(connection);
  }
}

/** Until the other side closes, or after the first request. */
function answerAll(
  connection: number,
  { bytes, answer, isForOne }: { bytes: Uint8Array; answer: Uint8Array; isForOne: boolean },
): void {
  let whole = 0;
  for (let received = 0; ; ) {
    const count = receiveWaiting(connection, bytes);
    if (count === notYet) continue;
    if (count <= 0) return;
    received += count;
    for (; received >= (whole + 1) * answer.length; whole += 1) {
      if (sendWaiting(connection, answer, answer.length) < 0) return;
      if (isForOne) return;
    }
  }
}
