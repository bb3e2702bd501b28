/**
 * A process of its own that sends requests, or answers them: packed as dist/bench-peer.js. It does one thing after the other
 * and waits for nothing but its sockets and its orders; the kernel ends it with the benchmark.
 */
import { readSync, writeSync } from 'node:fs';
import { messageOf } from '../../../base/errors.js';
import { ahead, busyNs } from '../../../host/affinity.js';
import { Netns, withNetns } from '../../../host/netns.js';
import { endWithParent } from '../../../host/request-sockets.js';
import { connectTransport } from './connect-transport.js';
import { closedLoop, openLoop, type Transport } from './exchange.js';
import type { Answer, Order, PeerRole, RunOrder, RunResult } from './orders.js';
import type { Protocol, Route } from './route.js';
import { intendedTimes } from './schedule.js';
import { listen } from './serve.js';
import { tcpTransport } from './tcp-transport.js';
import { accountOf, type Timeline } from './timeline.js';
import { udpTransport } from './udp-transport.js';

const transports: Readonly<Record<Protocol, (route: Route) => Transport>> = {
  udp: udpTransport,
  tcp: tcpTransport,
  connect: connectTransport,
};

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
    server.serve();
  }
  say({ ok: true });
  for (const line of lines()) {
    const order: Order = JSON.parse(line);
    say(answerTo(order));
  }
}

function answerTo(order: Order): Answer {
  try {
    using netns = Netns.open(order.netns);
    return { ok: true, result: withNetns(netns, () => run(order)) };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

function run({ protocol, route, loop }: RunOrder): RunResult {
  using transport = transports[protocol]({ ...route, address: Uint8Array.from(route.address) });
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
