/** Sends packets over a wire as fast as this CPU can, and knows what became of each until the receiver's queue. */
import type { Scope } from '../../base/scope.js';
import { rawTracepoint } from '../../ebpf/attach/index.js';
import { sendLiveFrames, sendLiveFramesBeside } from '../../ebpf/live-frames.js';
import { load } from '../../ebpf/load.js';
import type { LoadedObject } from '../../ebpf/loaded-object.js';
import { ahead, busyNs } from '../../host/affinity.js';
import { currentNetnsInode, withNetns } from '../../host/netns.js';
import { benchObject } from './bench-object.js';
import type { Ends } from './network.js';
import { type Family, udpOffset, udpPacket } from './packet.js';

/** The port that all packets go to: the discard service of RFC 863. */
export const port = 9;

export interface Traffic {
  readonly family: Family;
  /** Bytes from the Ethernet header on. */
  readonly size: number;
  /** How many source ports are used in turn. */
  readonly flows: number;
}

/** What became of packets: generated = sent + queueDrops + redirectErrors. */
export interface Sent {
  readonly generated: number;
  /** Taken by the receiver's queue. */
  readonly sent: number;
  /** For which it had no room: it is the receiver that sets the pace. */
  readonly queueDrops: number;
  /** Which did not get as far. */
  readonly redirectErrors: number;
  /** From the first to the last, without what the call takes before and after. */
  readonly seconds: number;
  /** That the sender was on its CPU meanwhile; more than `seconds` with what it takes before and after. */
  readonly busySeconds: number;
  /** A signal ended it early. */
  readonly interrupted: boolean;
}

export class Sender {
  readonly traffic: Traffic;
  readonly #object: LoadedObject;

  /** @throws NetkitError `unsupported` before Linux 5.18, `not-permitted` */
  constructor(scope: Scope, traffic: Traffic) {
    this.traffic = traffic;
    this.#object = scope.use(load(benchObject('sender')));
    scope.use(this.#object.program('transmitted').attach(rawTracepoint({ event: 'xdp_devmap_xmit' })));
    scope.use(this.#object.program('failed').attach(rawTracepoint({ event: 'xdp_redirect_err' })));
  }

  /** Sends so many packets. Blocks until they are on their way. @throws NetkitError `unsupported`, `not-permitted` */
  send(ends: Ends, count: number, toPort = port): Sent {
    const { netns } = ends.from.place;
    const data = this.#aim(ends, toPort, netns.inode);
    const before = busyNs('own') ?? 0;
    const isWhole = withNetns(netns, () =>
      ahead(() => sendLiveFrames(this.#object.program('generate'), { data, count })),
    );
    return {
      ...this.#counts(),
      busySeconds: ((busyNs('own') ?? 0) - before) / 1e9,
      interrupted: !isWhole,
    };
  }

  /**
   * Sends so many packets from another thread, while this one goes on, or as many as there were until `stop`. They have room for signs: two bytes of zeros behind the
   * first payload word, which only packets of IPv4, or larger ones, have.
   * @throws NetkitError `unsupported`, `not-permitted`
   */
  async sendBeside(ends: Ends, count: number, toPort = port): Promise<Omit<Sent, 'busySeconds'>> {
    // Threads stay in the namespace in which they began, which is the process's own.
    const data = this.#aim(ends, toPort, currentNetnsInode());
    this.#object.map('.data').set(0, { stopped: 0 });
    const isWhole = await sendLiveFramesBeside(this.#object.program('generate_unsigned'), { data, count });
    return { ...this.#counts(), interrupted: !isWhole };
  }

  /** Lets `sendBeside` end. */
  stop(): void {
    this.#object.map('.data').set(0, { stopped: 1 });
  }

  /** How many packets it has made since the last call began. */
  get generated(): number {
    return counted(this.#object.map('.bss').get(0), 'generated');
  }

  /** @returns the packet that is to be sent over this wire from now on */
  #aim({ from, to }: Ends, toPort: number, fromNetns: number): Uint8Array {
    const { family, size, flows } = this.traffic;
    this.#object.map('.bss').set(0, {
      ifindex: from.ifindex,
      netns: from.place.netns.inode,
      from_netns: fromNetns,
      flows,
      udp_offset: udpOffset(family),
    });
    // An index of an interface is one of the thread's namespace.
    withNetns(from.place.netns, () => this.#object.map('target').set(0, from.ifindex));
    return udpPacket({ family, size, from: from.endpoint, to: to.endpoint, port: toPort });
  }

  #counts(): Omit<Sent, 'busySeconds' | 'interrupted'> {
    const after = this.#object.map('.bss').get(0);
    return {
      generated: counted(after, 'generated'),
      sent: counted(after, 'sent'),
      queueDrops: counted(after, 'queue_drops'),
      redirectErrors: counted(after, 'redirect_errors'),
      seconds: (counted(after, 'last_ns') - counted(after, 'first_ns')) / 1e9,
    };
  }
}

/** What a global variable counts. */
function counted(globals: unknown, name: string): number {
  const value = typeof globals === 'object' && globals !== null ? Reflect.get(globals, name) : undefined;
  if (typeof value !== 'bigint' && typeof value !== 'number')
    throw new TypeError(`sender.bpf.c has no '${name}'`);
  return Number(value);
}
