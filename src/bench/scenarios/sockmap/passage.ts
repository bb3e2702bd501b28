/** A path that stands: a wire, a server and a proxy of its own, and what redirects past that. */
import type { Scope } from '../../../base/scope.js';
import { busyNs } from '../../../host/affinity.js';
import { setTso } from '../../../host/interface-settings.js';
import { commandOf, otherProcesses } from '../../../host/proc.js';
import type { CommandLog } from '../../lab/command-log.js';
import { LabNetwork, type Wire } from '../../lab/network.js';
import type { Family } from '../../lab/packet.js';
import type { Chunks, Loop, RunResult } from '../../lab/requests/orders.js';
import { type StreamClient, StreamTaker } from '../../lab/requests/stream-peers.js';
import { type Joint, type Path, proxyPort, serverPort } from './paths.js';

export interface PassageOptions {
  readonly family: Family;
  /** Of all that receives. */
  readonly cpu: number;
  readonly log: CommandLog;
  readonly client: StreamClient;
}

/** Nanoseconds on the receiver's CPU. */
export interface Busy {
  readonly napi: number;
  readonly proxy: number;
  readonly server: number;
  /** Threads of the kernel that send on what was redirected, among other work. */
  readonly workers: number;
}

/** Bytes of one connection, by who had them. */
export interface Accounts {
  /** Read by the server. */
  readonly received: number;
  /** Read by the proxy, of both directions. */
  readonly copied: number;
  /** Redirected by programs, of both directions. */
  readonly redirected: number;
}

export interface PassageRun extends Accounts {
  readonly result: RunResult;
  readonly busy: Busy;
}

export class Passage {
  readonly path: Path;
  readonly wire: Wire;
  readonly #options: PassageOptions;
  readonly #server: StreamTaker;
  readonly #proxy: StreamTaker | undefined;
  readonly #joint: Joint | undefined;

  private constructor(
    path: Path,
    options: PassageOptions,
    parts: { wire: Wire; server: StreamTaker; proxy: StreamTaker | undefined; joint: Joint | undefined },
  ) {
    this.path = path;
    this.#options = options;
    this.wire = parts.wire;
    this.#server = parts.server;
    this.#proxy = parts.proxy;
    this.#joint = parts.joint;
  }

  /** All of it ends with the scope. @throws NetkitError `unsupported`, `not-permitted`, `tool-missing`, `failed` */
  static async begin(scope: Scope, path: Path, options: PassageOptions): Promise<Passage> {
    const { family, cpu, log } = options;
    const joint = path.joint?.(scope);
    const wire = await new LabNetwork(scope, { family, cpu, log, isAnswered: true }).wire();
    const { from, to } = wire;
    // What a socket sends goes past the NAPI thread where the other end could segment it.
    setTso(from.place.netns, from.ifname, false);
    log.note(from.place.title, `ethtool -K ${from.ifname} tso off`);
    const { netns, title } = to.place;
    const server = await StreamTaker.server(scope, { netns, cpu, family, port: serverPort });
    log.note(title, `a server on port ${serverPort}`);
    const proxy = path.hasProxy
      ? await StreamTaker.proxy(scope, {
          netns,
          cpu,
          family,
          port: proxyPort,
          to: serverPort,
          isPassedBy: joint !== undefined,
        })
      : undefined;
    if (proxy !== undefined) log.note(title, `a proxy on port ${proxyPort}, to port ${serverPort} over lo`);
    if (joint !== undefined) log.note('host', `bpf/bench/sockmap.bpf.o: ${path.description}`);
    return new Passage(path, options, { wire, server, proxy, joint });
  }

  /** Streams over a new connection. @throws NetkitError `failed` */
  async run(chunks: Chunks, loop: Loop): Promise<PassageRun> {
    let result: RunResult | undefined;
    let busy: Busy = { napi: 0, proxy: 0, server: 0, workers: 0 };
    const accounts = await this.#connected(async () => {
      const workers = workersNs(this.#options.cpu);
      const before = this.#busy();
      result = await this.#options.client.stream(chunks, loop);
      const after = this.#busy();
      busy = {
        napi: after.napi - before.napi,
        proxy: after.proxy - before.proxy,
        server: after.server - before.server,
        workers: since(workers, workersNs(this.#options.cpu)),
      };
    });
    if (result === undefined) throw new TypeError('a run without a result');
    return { ...accounts, result, busy };
  }

  /** Sends bytes, and has them back. @throws NetkitError `failed` */
  async compare(bytes: number, seed: number): Promise<Accounts & { readonly same: number }> {
    let same = 0;
    const accounts = await this.#connected(async () => {
      same = await this.#options.client.compare(bytes, seed);
    });
    return { ...accounts, same };
  }

  /** Nanoseconds that its own threads have been on a CPU. */
  busyNs(): number {
    const { napi, proxy, server } = this.#busy();
    return napi + proxy + server;
  }

  #busy(): Omit<Busy, 'workers'> {
    return {
      napi: this.wire.napi.busyNs() ?? 0,
      proxy: this.#proxy?.busyNs() ?? 0,
      server: this.#server.busyNs(),
    };
  }

  /** A connection that stands, with its sockets joined where the path does so; waits until it has ended everywhere. */
  async #connected(work: () => Promise<void>): Promise<Accounts> {
    const { client, family } = this.#options;
    const { from, to } = this.wire;
    const proxy = this.#proxy;
    const port = proxy === undefined ? serverPort : proxyPort;
    const before = this.#joint?.bytes() ?? 0;
    const fd = await client.connect(from.place.netns, { family, address: to.endpoint.address, port });
    const [inFd = -1, outFd = -1] = (await proxy?.begun()) ?? [];
    const [serverFd = -1] = await this.#server.begun();
    this.#joint?.join({
      client: { pid: client.pid, fd },
      proxy:
        proxy === undefined
          ? undefined
          : [
              { pid: proxy.pid, fd: inFd },
              { pid: proxy.pid, fd: outFd },
            ],
      server: { pid: this.#server.pid, fd: serverFd },
    });
    await work();
    const copied = (await proxy?.ended()) ?? 0;
    const received = await this.#server.ended();
    return { received, copied, redirected: (this.#joint?.bytes() ?? 0) - before };
  }
}

/** Of each of the workers that stay on a CPU. */
function workersNs(cpu: number): ReadonlyMap<number, number> {
  const name = `kworker/${cpu}:`;
  const pids = otherProcesses().filter((pid) => commandOf(pid).startsWith(name));
  return new Map(pids.map((pid) => [pid, busyNs(pid) ?? 0]));
}

/** Workers come and go: one that is new has done nothing before. */
function since(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number {
  return [...after].reduce((sum, [pid, ns]) => sum + Math.max(0, ns - (before.get(pid) ?? 0)), 0);
}
