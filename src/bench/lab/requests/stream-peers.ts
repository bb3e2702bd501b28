/** The processes that streams come from, pass and end in, as the benchmark sees them. */
import { NetkitError } from '../../../base/errors.js';
import type { Scope } from '../../../base/scope.js';
import type { Netns } from '../../../host/netns.js';
import type { Chunks, Loop, RunResult, Said } from './orders.js';
import { fileOf, type Peer, started } from './peers.js';
import type { Route } from './route.js';

/** Milliseconds in which a connection stands, or has ended: whoever waits longer waits for what does not come. */
const patienceMs = 60_000;

export interface StreamPlaceOptions {
  readonly netns: Netns;
  readonly cpu: number;
  readonly family: Route['family'];
  readonly port: number;
}

export interface ProxyPlaceOptions extends StreamPlaceOptions {
  /** A port of the same machine. */
  readonly to: number;
  /** Whether the kernel hands bytes on: then it waits for the end of connections alone. No by default. */
  readonly isPassedBy?: boolean;
}

/** Takes connections, one after the other: a server, or a proxy. */
export class StreamTaker {
  readonly pid: number;
  readonly #peer: Peer;

  private constructor(peer: Peer) {
    this.#peer = peer;
    this.pid = peer.pid;
  }

  /** One that answers, which ends with the scope or this process. @throws NetkitError `failed`, `not-found` */
  static async server(scope: Scope, { netns, cpu, family, port }: StreamPlaceOptions): Promise<StreamTaker> {
    const role = { role: 'stream-server', family, port, netns: fileOf(netns) } as const;
    return new StreamTaker(await started(scope, role, cpu));
  }

  /** One that hands on, to a port of the same machine. @throws NetkitError `failed`, `not-found` */
  static async proxy(scope: Scope, { netns, to, ...options }: ProxyPlaceOptions): Promise<StreamTaker> {
    const { cpu, family, port, isPassedBy = false } = options;
    const role = { role: 'proxy', family, port, to, isPassedBy, netns: fileOf(netns) } as const;
    return new StreamTaker(await started(scope, role, cpu));
  }

  /** Nanoseconds that it has been on a CPU. */
  busyNs(): number {
    return this.#peer.busyNs();
  }

  /** The descriptors in it of the connection that stands next. @throws NetkitError `failed` */
  async begun(): Promise<readonly number[]> {
    for (;;) {
      const { sockets } = await within(this.#peer.answer(), 'a connection');
      // Else it is the end of one that went wrong, which nobody waited for.
      if (sockets !== undefined) return sockets;
    }
  }

  /** The bytes that it has read of the connection, when that has ended. @throws NetkitError `failed` */
  async ended(): Promise<number> {
    return (await within(this.#peer.answer(), 'the end of a connection')).bytes ?? 0;
  }
}

/** Opens connections, and sends over them. One at a time. */
export class StreamClient {
  readonly pid: number;
  readonly #peer: Peer;

  private constructor(peer: Peer) {
    this.#peer = peer;
    this.pid = peer.pid;
  }

  /** Starts one, which ends with the scope or this process. @throws NetkitError `failed`, `not-found` */
  static async start(scope: Scope, cpu: number): Promise<StreamClient> {
    return new StreamClient(await started(scope, { role: 'client' }, cpu));
  }

  /** Nanoseconds that it has been on a CPU. */
  busyNs(): number {
    return this.#peer.busyNs();
  }

  /** @returns the descriptor of the connection in it. @throws NetkitError `failed` */
  async connect(netns: Netns, { family, address, port }: Omit<Route, 'size'>): Promise<number> {
    this.#peer.tell({
      what: 'connect',
      netns: fileOf(netns),
      route: { family, address: [...address], port },
    });
    const [fd] = (await within(this.#peer.answer(), 'a connection')).sockets ?? [];
    if (fd === undefined) throw new NetkitError('failed', 'the client gave no connection');
    return fd;
  }

  /** Sends chunks over the connection as `loop` says, then closes it. @throws NetkitError `failed` */
  async stream(chunks: Chunks, loop: Loop): Promise<RunResult> {
    this.#peer.tell({ what: 'stream', chunks, loop });
    const { result } = await this.#peer.answer();
    if (result === undefined) throw new NetkitError('failed', 'the generator gave no result');
    return result;
  }

  /** Sends so many bytes, has them sent back, then closes the connection. @returns how many came back as they were sent */
  async compare(bytes: number, seed: number): Promise<number> {
    this.#peer.tell({ what: 'compare', bytes, seed });
    return (await within(this.#peer.answer(), 'bytes that come back')).bytes ?? 0;
  }
}

async function within(said: Promise<Said>, what: string): Promise<Said> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new NetkitError('failed', `waited for ${what} for ${patienceMs / 1000} s`));
    }, patienceMs);
  });
  try {
    return await Promise.race([said, late]);
  } finally {
    clearTimeout(timer);
  }
}
