/**
 * A process of its own that sends requests, or answers them: packed as dist/bench-peer.js. It does one thing after the other
 * and waits for nothing but its sockets and its orders; the kernel ends it with the benchmark.
 */
import { readSync, writeSync } from 'node:fs';
import { messageOf } from '../../../base/errors.js';
import { ahead, busyNs } from '../../../host/affinity.js';
import { Netns, withNetns } from '../../../host/netns.js';
import { endWithParent, type Fd, sendNow } from '../../../host/request-sockets.js';
import { Random } from '../../statistics/random.js';
import { connectTransport } from './connect-transport.js';
import { closedLoop, openLoop, type Transport } from './exchange.js';
import type { Answer, Loop, Order, PeerRole, RunOrder, RunResult, Said, StreamOrder } from './orders.js';
import type { Protocol, Route } from './route.js';
import { intendedTimes } from './schedule.js';
import { listen } from './serve.js';
import { headOf, listenForStreams, sentAndBack, serveProxy, serveStreams } from './streams.js';
import { connected, overConnection, tcpTransport } from './tcp-transport.js';
import { accountOf, type Timeline } from './timeline.js';
import { udpTransport } from './udp-transport.js';

const transports: Readonly<Record<Protocol, (route: Route) => Transport>> = {
  udp: udpTransport,
  tcp: tcpTransport,
  connect: connectTransport,
};

/** The machine itself. */
const localAddresses = {
  ipv4: Uint8Array.of(127, 0, 0, 1),
  ipv6: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
} as const;

/** More than any machine answers a second. */
const mostRate = 2_000_000;
const stdin = 0;
const stdout = 1;

main(JSON.parse(process.argv[2] ?? '{}'));

function main(role: PeerRole): void {
  endWithParent();
  if (role.role === 'server') {
    using netns = Netns.open(role.netns);
    const server = withNetns(netns, () => listen(role.protocol, role.route));
    say({ ok: true });
    return server.serve();
  }
  if (role.role !== 'client') return takeStreams(role);
  say({ ok: true });
  for (const line of lines()) {
    const order: Order = JSON.parse(line);
    say(answerTo(order));
  }
}

/** Binds in the namespace, and then needs it no more. */
function takeStreams(role: Extract<PeerRole, { role: 'stream-server' | 'proxy' }>): never {
  const { family, port } = role;
  using netns = Netns.open(role.netns);
  const listener = withNetns(netns, () => listenForStreams(family, port));
  say({ ok: true });
  const sayDone = (said: Said): void => say({ ok: true, ...said });
  if (role.role === 'stream-server') serveStreams(listener, sayDone);
  const to = { family, address: localAddresses[family], port: role.to };
  const { isPassedBy } = role;
  return withNetns(netns, () => serveProxy(listener, { to, isPassedBy }, sayDone));
}

/** What is connected, and not used yet. */
let connection: Fd | undefined;

function answerTo(order: Order): Answer {
  try {
    return { ok: true, ...done(order) };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

function done(order: Order): Said {
  switch (order.what) {
    case 'run':
      return { result: run(order) };
    case 'connect': {
      const { netns: file, route } = order;
      using netns = Netns.open(file);
      // One that nobody used would keep its server from the next.
      connection?.[Symbol.dispose]();
      connection = undefined;
      connection = withNetns(netns, () => connected({ ...route, address: Uint8Array.from(route.address) }));
      return { sockets: [connection.value] };
    }
    case 'stream':
      return { result: stream(taken(), order) };
    case 'compare': {
      using socket = taken();
      const random = new Random(order.seed, 'compare');
      const bytes = new Uint8Array(order.bytes);
      for (let at = 0; at < bytes.length; at += 1) bytes[at] = random.next() * 256;
      return {
        bytes: sentAndBack(socket, bytes, () => Math.floor(random.next() * 2 ** (random.next() * 16))),
      };
    }
  }
}

/** The connection, for what is done with it and then closes it. */
function taken(): Fd {
  const socket = connection;
  if (socket === undefined) throw new Error('there is no connection');
  connection = undefined;
  return socket;
}

function run({ netns: file, protocol, route, loop }: RunOrder): RunResult {
  using netns = Netns.open(file);
  return withNetns(netns, () => {
    using transport = transports[protocol]({ ...route, address: Uint8Array.from(route.address) });
    return exchanged(transport, loop);
  });
}

function stream(socket: Fd, { chunks, loop }: StreamOrder): RunResult {
  using transport = overConnection(socket, chunks);
  const head = headOf(chunks);
  if (sendNow(socket.value, head, head.length) !== head.length)
    throw new Error('a new connection takes nothing');
  return exchanged(transport, loop);
}

function exchanged(transport: Transport, loop: Loop): RunResult {
  const patience = loop.patience * 1e9;
  const exchange: () => Timeline =
    loop.kind === 'open'
      ? opened(transport, intendedTimes(loop), patience)
      : () =>
          closedLoop(transport, {
            window: loop.window,
            duration: loop.seconds * 1e9,
            most: Math.ceil(loop.seconds * mostRate),
            patience,
          });
  return ahead(() => {
    globalThis.gc?.({ type: 'minor' });
    const before = busyNs('own') ?? 0;
    const begun = performance.now();
    const line = exchange();
    const elapsed = (performance.now() - begun) / 1000;
    const busySeconds = ((busyNs('own') ?? 0) - before) / 1e9;
    return { ...accountOf(line), elapsed, busySeconds };
  });
}

function opened(transport: Transport, due: Float64Array, patience: number): () => Timeline {
  return () => openLoop(transport, { due, patience });
}

/** Blocks until there is one; ends when nobody gives orders any more. */
function* lines(): Generator<string> {
  const chunk = Buffer.alloc(1 << 16);
  let text = '';
  for (;;) {
    const end = text.indexOf('\n');
    if (end >= 0) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
      continue;
    }
    const count = readSync(stdin, chunk);
    if (count === 0) return;
    text += chunk.toString('utf8', 0, count);
  }
}

function say(answer: Answer): void {
  const bytes = Buffer.from(`${JSON.stringify(answer)}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(stdout, bytes, at);
}
