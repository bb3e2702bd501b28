/** Rungs on which the packet comes as far as UDP. */
import { type ChildProcess, spawn } from 'node:child_process';
import { busyNs, keepOnCpus } from '../../../host/affinity.js';
import { requireTool } from '../../../host/command.js';
import { UdpSocket } from '../../../host/udp-socket.js';
import { ordinary } from '../../lab/placement.js';
import { port } from '../../lab/sender.js';
import { udpCounts } from '../../lab/udp-counters.js';
import type { Companion, Rung } from './rung.js';

/** Packets of a capture are for others. */
const notForSockets = (): string => 'a socket gets only what is for its own address and port';

/** Seconds: a reader whose benchmark was killed gets nothing any more, and ends. */
const receiveTimeout = 1;

const socketRung: Rung = {
  name: 'socket',
  title: 'socket, read',
  unfit: notForSockets,
  description: () =>
    `a UDP socket on port ${port} that a program reads, datagram by datagram; the NAPI thread takes turns with it`,
  setUp: ({ wire, scope, family, log, cpu }) => {
    const { netns, title } = wire.to.place;
    const socket = scope.use(new UdpSocket({ netns, family, port, receiveTimeout }));
    const path = requireTool('cat');
    // A thread that goes before all others would leave the program no time to read.
    ordinary(wire.napi.pid);
    log.note(title, `cat < a UDP socket on port ${port} > /dev/null`);
    return {
      count: () => {
        const { read, noRoom, noListener, refused } = udpCounts(netns, family);
        return { taken: read, lost: noRoom, behind: noListener + refused };
      },
      start: () => {
        const child = spawn(path, [], { stdio: [socket.fd, 'ignore', 'ignore'], detached: true });
        return new Reader(child, cpu);
      },
    };
  },
};

/** A program that reads from the socket. */
class Reader implements Companion {
  readonly #child: ChildProcess;
  readonly #pid: number;
  readonly #ended: Promise<unknown>;

  constructor(child: ChildProcess, cpu: number) {
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.on('exit', resolve).on('error', resolve);
    });
    if (child.pid === undefined) throw new Error('the program that reads does not start');
    this.#pid = child.pid;
    keepOnCpus(this.#pid, [cpu]);
  }

  busyNs(): number {
    return busyNs(this.#pid) ?? 0;
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

const noListenerRung: Rung = {
  name: 'no-listener',
  title: 'nobody listens',
  unfit: () => 'packets of a capture that are not for the receiver do not come as far as UDP',
  description: () =>
    `no rule and no socket on port ${port}: UDP drops it, and answers at times that nobody listens`,
  setUp: ({ wire, family }) => ({
    count: () => {
      const { read, noListener, noRoom, refused } = udpCounts(wire.to.place.netns, family);
      return { taken: noListener, lost: 0, behind: read + noRoom + refused };
    },
  }),
};

export const socketRungs: readonly Rung[] = [socketRung, noListenerRung];
