/** Hooks of sockets and of network namespaces. */
import {
  flowDissector,
  reuseport,
  type SockmapOptions,
  skLookup,
  socketFilter,
  sockmap,
} from '../../../../src/ebpf/attach/index.js';
import type { Fd } from '../../../../src/sys/fd.js';
import { MapCalls } from '../../../../src/sys/map-calls.js';
import { makeVethPair, pingCount } from '../../../support/netns.js';
import {
  addressOf,
  bindSocket,
  drain,
  openSocket,
  portOf,
  receiveOn,
  sendOn,
  sharePort,
  tcpPair,
} from '../../../support/socket-calls.js';
import { type Bench, type Counted, type HookCase, proveFiring } from './bench.js';
import { datagram } from './cgroup-cases.js';

function sendTo(socket: Fd): void {
  using client = openSocket('ipv4', 'datagram');
  sendOn(client, addressOf('ipv4', portOf(socket)));
}

function socketCase(hook: 'socket' | 'sk_reuseport' | 'sk_reuseport/migrate'): HookCase {
  return {
    hook,
    prove: async (bench) => {
      using counted = bench.load(hook);
      using socket = bench.netns.inside(() => boundSocket());
      const options = hook === 'socket' ? socketFilter : reuseport;
      return await proveFiring(
        () => counted.hits(),
        () => counted.program.attach(options({ fd: socket.value })),
        () =>
          bench.netns.inside(() => {
            sendTo(socket);
            receiveOn(socket);
          }),
      );
    },
  };
}

function boundSocket(): Fd {
  const socket = openSocket('ipv4', 'datagram');
  sharePort(socket);
  bindSocket(socket, addressOf('ipv4', 0));
  return socket;
}

/** One message from a socket to another, one of which is in the map. */
function throughMap(bench: Bench, counted: Counted, end: 'client' | 'server'): void {
  bench.netns.inside(() => {
    using pair = tcpPair();
    const calls = new MapCalls(counted.object.map('sockets').fd);
    const value = new Uint8Array(Uint32Array.of(pair[end].value).buffer);
    const status = calls.update(new Uint8Array(4), value);
    if (status !== 0) throw calls.failure(status);
    sendOn(pair.client);
    // Programs at the server's end drop it.
    if (end === 'client') receiveOn(pair.server);
    else drain(pair.server);
  });
}

function sockmapCase(
  hook: string,
  attachType: SockmapOptions['attachType'],
  more: Partial<HookCase> = {},
): HookCase {
  const end = hook === 'sk_msg' ? 'client' : 'server';
  return {
    hook,
    ...more,
    prove: async (bench) => {
      // A parser does nothing without a verdict.
      const isParser = hook === 'sk_skb/stream_parser';
      using counted = bench.load(hook, isParser ? ['silent_verdict'] : []);
      const map = counted.object.map('sockets');
      using _verdict = isParser
        ? counted.object.program('silent_verdict').attach(sockmap({ map }))
        : undefined;
      return await proveFiring(
        () => counted.hits(),
        () => counted.program.attach(sockmap({ map, attachType })),
        () => throughMap(bench, counted, end),
      );
    },
  };
}

export const socketCases: readonly HookCase[] = [
  socketCase('socket'),
  socketCase('sk_reuseport'),
  socketCase('sk_reuseport/migrate'),
  sockmapCase('sk_msg', undefined),
  sockmapCase('sk_skb', 'sk_skb_stream_verdict'),
  sockmapCase('sk_skb/stream_parser', undefined),
  sockmapCase('sk_skb/stream_verdict', undefined),
  sockmapCase('sk_skb/verdict', undefined, { since: [5, 13] }),
  {
    hook: 'sk_lookup',
    prove: async (bench) => {
      using counted = bench.load('sk_lookup');
      return await proveFiring(
        () => counted.hits(),
        () => counted.program.attach(skLookup({ netns: bench.netns.handle })),
        () => bench.netns.inside(() => datagram('ipv4')),
      );
    },
  },
  {
    hook: 'flow_dissector',
    prove: async (bench) => {
      // Whoever sends by one of several queues asks for the flow.
      using veth = makeVethPair({ queues: 2 });
      using counted = bench.load('flow_dissector');
      return await proveFiring(
        () => counted.hits(),
        () => counted.program.attach(flowDissector({ netns: veth.a.netns.handle })),
        () => void pingCount(veth.a.netns, veth.b.address, 1),
      );
    },
  },
];
