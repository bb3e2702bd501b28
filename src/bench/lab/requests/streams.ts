/** What takes a stream, or hands one on, in a process of its own: one connection after the other. */
import {
  acceptConnection,
  bindSocket,
  closeSocket,
  ended,
  type Fd,
  listenAtOnce,
  notYet,
  openSocket,
  pollWaiting,
  receiveNow,
  receiveWaiting,
  sendAtOnce,
  sendWaiting,
  shareAddress,
  socketAddress,
} from '../../../host/request-sockets.js';
import type { Family } from '../packet.js';
import type { Chunks, Said } from './orders.js';
import { POLLIN, POLLRDHUP, PollList } from './poll-list.js';
import { connected } from './tcp-transport.js';

const backlog = 16;
/** Bytes that are read at once: what proxies take for a buffer is a quarter to the whole of it. */
const readBytes = 1 << 16;
/** In front of a stream: the bytes of a chunk and of an answer. */
const headBytes = 8;

/** What is in front of a stream; with no bytes for an answer each byte of it comes back. */
export function headOf({ size, answer }: Chunks): Uint8Array {
  const head = new DataView(new ArrayBuffer(headBytes));
  head.setUint32(0, size);
  head.setUint32(4, answer);
  return new Uint8Array(head.buffer);
}

/** In the thread's network namespace. @throws SysError EADDRINUSE */
export function listenForStreams(family: Family, port: number): Fd {
  const listener = openSocket(family, 'tcp', { waits: true });
  shareAddress(listener);
  bindSocket(listener, socketAddress(family, port));
  listenAtOnce(listener, backlog);
  return listener;
}

/** Answers streams until the process ends. Says each connection when it stands, and its bytes when it has ended. */
export function serveStreams(listener: Fd, say: (said: Said) => void): never {
  const bytes = new Uint8Array(readBytes);
  for (;;) {
    const connection = accepted(listener);
    if (connection < 0) continue;
    say({ sockets: [connection] });
    const received = answerStream(connection, bytes);
    closeSocket(connection);
    say({ bytes: received });
  }
}

function accepted(listener: Fd): number {
  const connection = acceptConnection(listener.value);
  if (connection >= 0) sendAtOnce(connection);
  return connection;
}

/** @returns bytes received, without those in front */
function answerStream(connection: number, bytes: Uint8Array): number {
  const head = new Uint8Array(headBytes);
  // Who sleeps in recv when the socket is put into a sockmap looks at the socket's own queue alone, and sleeps on when
  // something is redirected to it; in poll he sees that.
  const list = pollList([connection], POLLIN);
  while (pollWaiting(list.bytes, 1) === 0);
  if (!receiveAll(connection, head)) return 0;
  const view = new DataView(head.buffer);
  const [size, answerSize] = [view.getUint32(0), view.getUint32(4)];
  const answer = new Uint8Array(answerSize);
  let received = 0;
  for (let whole = 0; ; ) {
    const count = receiveWaiting(connection, bytes);
    if (count === notYet) continue;
    if (count === 0 || count === ended) return received;
    received += count;
    if (answerSize === 0 && !sendAll(connection, bytes, count)) return received;
    for (; answerSize > 0 && received >= (whole + 1) * size; whole += 1)
      if (!sendAll(connection, answer, answerSize)) return received;
  }
}

export interface ProxyOptions {
  readonly to: { readonly family: Family; readonly address: Uint8Array; readonly port: number };
  /** Whether the kernel hands bytes on: then it waits for the end of connections alone. */
  readonly isPassedBy: boolean;
}

/**
 * Hands on what comes from clients to a server, and back, in user space, until the process ends. Says both connections when
 * they stand, and when they have ended how many bytes it has read.
 */
export function serveProxy(listener: Fd, { to, isPassedBy }: ProxyOptions, say: (said: Said) => void): never {
  const bytes = new Uint8Array(readBytes);
  for (;;) {
    const client = accepted(listener);
    if (client < 0) continue;
    const server = connected(to);
    say({ sockets: [client, server.value] });
    const list = pollList([client, server.value], isPassedBy ? POLLRDHUP : POLLIN);
    const read = handOn(client, server.value, list, bytes);
    closeSocket(client);
    server[Symbol.dispose]();
    say({ bytes: read });
  }
}

function pollList(fds: readonly number[], events: number): PollList {
  const list = new PollList(fds.length);
  for (const [place, fd] of fds.entries()) list.set(place, fd, events);
  return list;
}

/** Until one of them ends. @returns bytes read */
function handOn(client: number, server: number, list: PollList, bytes: Uint8Array): number {
  for (let read = 0; ; ) {
    if (pollWaiting(list.bytes, 2) === 0) continue;
    for (let place = 0; place < 2; place += 1) {
      if (!list.hasHappened(place)) continue;
      const count = receiveNow(place === 0 ? client : server, bytes);
      if (count === notYet) continue;
      if (count === 0 || count === ended) return read;
      read += count;
      if (!sendAll(place === 0 ? server : client, bytes, count)) return read;
    }
  }
}

/** @returns false when the other side has closed */
function sendAll(socket: number, bytes: Uint8Array, size: number): boolean {
  for (let at = 0; at < size; ) {
    const count = sendWaiting(socket, at === 0 ? bytes : bytes.subarray(at), size - at);
    if (count === ended) return false;
    at += Math.max(0, count);
  }
  return true;
}

function receiveAll(socket: number, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    const count = receiveWaiting(socket, bytes.subarray(at));
    if (count === 0 || count === ended) return false;
    at += Math.max(0, count);
  }
  return true;
}

/** Milliseconds for which bytes that are to come back are waited for. */
const backMs = 10_000;

/** @returns how many of the bytes came until the time was over, or the connection */
function receivedInTime(socket: number, bytes: Uint8Array): number {
  const deadline = performance.now() + backMs;
  let at = 0;
  while (at < bytes.length && performance.now() < deadline) {
    const count = receiveNow(socket, bytes.subarray(at));
    if (count === 0 || count === ended) break;
    at += Math.max(0, count);
  }
  return at;
}

/** Bytes on their way at the same time: they fit into the buffers of the connections. */
const mostAway = 1 << 15;

/**
 * Sends bytes that are no pattern, in pieces of many sizes, to a server that sends all of them back.
 * @returns how many came back as they were sent, until one did not
 */
export function sentAndBack(socket: Fd, bytes: Uint8Array, sizeOf: () => number): number {
  sendAll(socket.value, headOf({ size: 1, answer: 0 }), headBytes);
  const back = new Uint8Array(mostAway);
  for (let at = 0; at < bytes.length; at += mostAway) {
    const away = bytes.subarray(at, at + mostAway);
    if (!sendPieces(socket.value, away, sizeOf)) return at;
    const came = back.subarray(0, away.length);
    const count = receivedInTime(socket.value, came);
    const wrong = came.subarray(0, count).findIndex((byte, index) => byte !== away[index]);
    if (wrong >= 0) return at + wrong;
    if (count < away.length) return at + count;
  }
  return bytes.length;
}

/** @returns false when the other side has closed */
function sendPieces(socket: number, bytes: Uint8Array, sizeOf: () => number): boolean {
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + Math.max(1, sizeOf()));
    if (!sendAll(socket, piece, piece.length)) return false;
    at += piece.length;
  }
  return true;
}
