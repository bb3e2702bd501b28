/** The processes that send and answer requests, as the benchmark sees them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { NetkitError } from '../../../base/errors.js';
import type { Scope } from '../../../base/scope.js';
import { allowedCpus, busyNs, keepOnCpus } from '../../../host/affinity.js';
import type { Netns } from '../../../host/netns.js';
import { packageRoot } from '../../../host/package-root.js';
import type { Answer, Loop, Order, PeerRole, RunResult, Said } from './orders.js';
import type { Protocol, Route } from './route.js';

/** How long one may take to start: a machine in a machine takes a minute for it. */
const startMs = 120_000;
/**
 * Young objects have so much room from the beginning (MiB) that the generator gets through a slice without looking for
 * garbage, which it does before; threads that wait for the CPU behind it would hold that up.
 */
const nodeOptions = [
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
  '--single-threaded-gc',
  '--expose-gc',
  '--no-warnings',
];

/** One of them. */
export class Peer implements Disposable {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #said = '';

  /** @param cpu where it stays, with all its threads */
  constructor(role: PeerRole, cpu: number) {
    const script = join(packageRoot(), 'dist/bench-peer.js');
    if (!existsSync(script)) {
      throw new NetkitError('not-found', `'${script}', which benchmarks need, is missing`, {
        hint: 'build netkit: npm run build',
      });
    }
    const child = this.#spawn([...nodeOptions, script, JSON.stringify(role)], cpu);
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stdin?.on('error', () => undefined);
    child.on('error', ({ message }) => {
      this.#said += message;
    });
    child.stderr?.on('data', (data: Buffer) => {
      this.#said += data.toString();
    });
    if (child.stdout === null) throw new TypeError('a process without an output');
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Nanoseconds that it has been on a CPU. */
  busyNs(): number {
    return busyNs(this.pid) ?? 0;
  }

  /** @throws NetkitError `failed` when it has ended or says that something went wrong */
  async answer(): Promise<Said> {
    const { value, done } = await this.#lines.next();
    if (done === true) {
      const why = this.#said.trim().split('\n').at(-1) || 'it ended';
      throw new NetkitError('failed', `a process of the benchmark: ${why}`);
    }
    const answer: Answer = JSON.parse(value);
    if (!answer.ok) throw new NetkitError('failed', answer.message);
    return answer;
  }

  tell(order: Order): void {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }

  /** A child begins on the CPUs of the thread that makes it. */
  #spawn(args: readonly string[], cpu: number): ChildProcess {
    const home = allowedCpus();
    keepOnCpus(0, [cpu]);
    try {
      // Ctrl-C at a terminal is for this process alone.
      return spawn(process.execPath, args, { stdio: 'pipe', detached: true, cwd: '/' });
    } finally {
      keepOnCpus(0, home);
    }
  }
}

/** @param cpu where it stays. @throws NetkitError `failed`, `not-found` */
export async function started(scope: Scope, role: PeerRole, cpu: number): Promise<Peer> {
  const peer = scope.use(new Peer(role, cpu));
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    peer[Symbol.dispose]();
  }, startMs);
  try {
    await peer.answer();
    return peer;
  } catch (error) {
    if (!isLate) throw error;
    throw new NetkitError('failed', `a process of the benchmark was not ready within ${startMs / 1000} s`);
  } finally {
    clearTimeout(timer);
  }
}

/** What answers requests in a network namespace. */
export interface RequestServer {
  readonly pid: number;
  /** Nanoseconds that it has been on a CPU. */
  busyNs(): number;
}

export interface ServerOptions {
  readonly netns: Netns;
  readonly cpu: number;
  readonly protocol: Protocol;
  readonly route: Omit<Route, 'address'>;
}

/** Starts one, which ends with the scope or this process. @throws NetkitError `failed`, `not-found` */
export async function startServer(scope: Scope, options: ServerOptions): Promise<RequestServer> {
  const { netns, cpu, protocol, route } = options;
  return started(scope, { role: 'server', protocol, route, netns: fileOf(netns) }, cpu);
}

/** Sends requests, from any network namespace. */
export class RequestClient {
  readonly #peer: Peer;

  private constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** Starts one, which ends with the scope or this process. @throws NetkitError `failed`, `not-found` */
  static async start(scope: Scope, cpu: number): Promise<RequestClient> {
    return new RequestClient(await started(scope, { role: 'client' }, cpu));
  }

  /** Nanoseconds that it has been on a CPU. */
  busyNs(): number {
    return this.#peer.busyNs();
  }

  /** One run at a time. @throws NetkitError `failed`, such as when the server is gone */
  async run(netns: Netns, protocol: Protocol, route: Route, loop: Loop): Promise<RunResult> {
    const address = [...route.address];
    this.#peer.tell({ what: 'run', netns: fileOf(netns), protocol, route: { ...route, address }, loop });
    const { result } = await this.#peer.answer();
    if (result === undefined) throw new NetkitError('failed', 'the generator gave no result');
    return result;
  }
}

/** As another process finds it. */
export function fileOf(netns: Netns): string {
  return `/proc/${process.pid}/fd/${netns.fd}`;
}
