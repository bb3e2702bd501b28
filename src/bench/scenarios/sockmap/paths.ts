/** The ways from a client to a server: past a proxy that copies, past one whose sockets are joined, or directly. */
import type { Scope } from '../../../base/scope.js';
import { Redirect, type SocketPlace } from './redirect.js';

/** Where the server listens, and where the proxy does. */
export const serverPort = 7007;
export const proxyPort = 7008;

/** The sockets of a connection, by where they are. */
export interface PathSockets {
  readonly client: SocketPlace;
  /** Of the proxy: towards the client, and towards the server. */
  readonly proxy: readonly [SocketPlace, SocketPlace] | undefined;
  readonly server: SocketPlace;
}

/** What redirects the bytes of each connection of a path. */
export interface Joint {
  join(sockets: PathSockets): void;
  bytes(): number;
}

export interface Path {
  readonly name: string;
  readonly title: string;
  /** What it is exactly. */
  readonly description: string;
  readonly hasProxy: boolean;
  /** @throws NetkitError when that does not work here: the others go on without it, and the report says why */
  readonly joint?: (scope: Scope) => Joint;
}

export const paths: readonly Path[] = [
  {
    name: 'copy',
    title: 'proxy, copies',
    description:
      'a proxy that reads each byte from one connection and writes it to the other, 64 KiB at a time',
    hasProxy: true,
  },
  {
    name: 'sk-skb',
    title: 'proxy, sk_skb redirect',
    description:
      'sk_skb/stream_verdict on both sockets of the proxy, in a sockmap: the kernel sends on what arrives',
    hasProxy: true,
    joint: (scope) => {
      const redirect = new Redirect(scope, 'hand_on', proxyPort);
      return {
        join: ({ proxy }) => {
          if (proxy !== undefined) redirect.join(...proxy);
        },
        bytes: () => redirect.bytes(),
      };
    },
  },
  {
    name: 'sk-msg',
    title: 'proxy, sk_msg redirect',
    description:
      "sk_msg on the client's and the server's socket, in a sockmap: what one sends is put into the other, past proxy and network, which works on one machine alone",
    hasProxy: true,
    joint: (scope) => {
      const redirect = new Redirect(scope, 'hand_over', serverPort);
      return {
        join: ({ client, server }) => redirect.join(server, client),
        bytes: () => redirect.bytes(),
      };
    },
  },
  {
    name: 'direct',
    title: 'no proxy',
    description: 'a connection from the client to the server',
    hasProxy: false,
  },
];

export const pathNames: readonly string[] = paths.map(({ name }) => name);
