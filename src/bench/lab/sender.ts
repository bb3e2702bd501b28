/** Sends packets over a wire as fast as this CPU can, and knows what became of each until the receiver's queue. */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import type { Scope } from '../../base/scope.js';
import { rawTracepoint } from '../../ebpf/attach/index.js';
import { sendLiveFrames, sendLiveFramesBeside } from '../../ebpf/live-frames.js';
import { load } from '../../ebpf/load.js';
import type { LoadedObject } from '../../ebpf/loaded-object.js';
import { ahead, busyNs } from '../../host/affinity.js';
import { currentNetnsInode, withNetns } from '../../host/netns.js';
import { benchObject } from './bench-object.js';
import { addressed, type Captured } from './captured.js';
import type { Ends } from './network.js';
import { type Family, udpOffset, udpPacket } from './packet.js';
import { type Sources, sourceFields, sourceNetwork } from './sources.js';

/** The port that all packets go to: the discard service of RFC 863. */
export const port = 9;

export interface Traffic {
  readonly family: Family;
  /** Bytes from the Ethernet header on. */
  readonly size: number;
  /** How many source ports are used in turn. */
  readonly flows: number;
  /** Sent in turn instead of made-up ones: then `size` is that of the longest, and `flows` does not matter. */
  readonly captured?: Captured;
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
  /** From the first to the last, without pauses, and without what the call takes before and after. */
  readonly seconds: number;
  /** That the sender was on its CPU meanwhile; more than `seconds` with what it takes before and after. Of several in turn each has its share of the whole. */
  readonly busySeconds: number;
  /** A signal ended it early. */
  readonly interrupted: boolean;
}

/** What one of several wires is to get. */
export interface InTurn {
  readonly ends: Ends;
  readonly count: number;
  /** How long nothing is sent after each of its turns, at most a tenth of a second: for the receiver to come to an end. */
  readonly pauseSeconds: number;
}

/** One call serves so many wires: `MOST_WIRES` of bpf/bench/sender.bpf.c. */
export const mostInTurn = 64;
/** Seconds: `MOST_LOOKS` there. */
const longestPause = 0.1;
/** The kernel hands packets on in batches of this many: turns are whole ones, as far as the counts allow. */
export const batchPackets = 64;

export class Sender {
  readonly traffic: Traffic;
  readonly #object: LoadedObject;
  /** Whether the packets of the capture are in the kernel. */
  #isFilled = false;
  /** Of addresses that are used in turn, which comes next: short slices come to all of them, too. */
  readonly #nextSource = new WeakMap<Sources, number>();

  /** @throws NetkitError `unsupported` before Linux 5.18, `not-permitted` */
  constructor(scope: Scope, traffic: Traffic) {
    this.traffic = traffic;
    const spec = benchObject('sender');
    spec.setMapSize('capture', traffic.captured?.packets.length ?? 1);
    this.#object = scope.use(load(spec));
    scope.use(this.#object.program('transmitted').attach(rawTracepoint({ event: 'xdp_devmap_xmit' })));
    scope.use(this.#object.program('failed').attach(rawTracepoint({ event: 'xdp_redirect_err' })));
  }

  /**
   * Sends so many packets. Blocks until they are on their way. Of a capture, whose packets all go to the receiver whatever their port, it sends whole rounds
   * unless it is told which comes first: each packet then comes as often as the others.
   * @throws NetkitError `unsupported`, `not-permitted`
   */
  send(ends: Ends, count: number, options: SendOptions = {}): Sent {
    const [sent] = this.sendInTurns([{ ends, count, pauseSeconds: 0 }], 1, options);
    if (sent === undefined) throw new TypeError('one wire has one outcome');
    return sent;
  }

  /**
   * Sends so many packets to each of some wires, which take turns: all see the same machine, whose pace may change from one tenth of a second to the next.
   * Blocks until they are on their way.
   * @param wires at most {@link mostInTurn}, of the same sender, in their order; packets of a capture are counted as {@link send} does
   * @param turns how often each has its turn
   * @returns what became of each wire's
   * @throws NetkitError `unsupported`, `not-permitted`
   */
  sendInTurns(
    wires: readonly InTurn[],
    turns: number,
    { toPort = port, first, sources }: SendOptions = {},
  ): Sent[] {
    const [one] = wires;
    if (one === undefined || wires.length > mostInTurn)
      throw new RangeError(`${wires.length} wires cannot take turns`);
    const { netns } = one.ends.from.place;
    for (const { ends, pauseSeconds } of wires) {
      if (ends.from.place.netns !== netns) throw new RangeError('wires that take turns have the same sender');
      if (!(pauseSeconds >= 0 && pauseSeconds <= longestPause))
        throw new RangeError(`a pause of ${pauseSeconds} s is none of up to ${longestPause} s`);
    }
    const { captured } = this.traffic;
    const round = first === undefined ? (captured?.packets.length ?? 1) : 1;
    const whole = wires.map((wire) => ({ ...wire, count: Math.ceil(wire.count / round) * round }));
    const aim = { toPort, first: first ?? 0, fromNetns: netns.inode, turns };
    const data = this.#aim(whole, sources === undefined ? aim : { ...aim, sources });
    const program = this.#object.program(captured === undefined ? 'generate' : 'replay');
    const count = whole.reduce((sum, wire) => sum + wire.count, 0);
    const before = busyNs('own') ?? 0;
    const isWhole = withNetns(netns, () =>
      ahead(() => sendLiveFrames(program, { data, count, batch: batchPackets })),
    );
    const busySeconds = ((busyNs('own') ?? 0) - before) / 1e9;
    const globals = this.#object.map('.bss').get(0);
    if (sources !== undefined) this.#nextSource.set(sources, counted(globals, 'source'));
    const sent = wires.map((_, index) => this.#counts(index));
    const paused = counted(globals, 'paused_ns') / 1e9;
    const seconds = sent.reduce((sum, each) => sum + each.seconds, 0);
    return sent.map((each) => ({
      ...each,
      busySeconds: wires.length === 1 ? busySeconds : (busySeconds * each.seconds) / (seconds + paused),
      interrupted: !isWhole,
    }));
  }

  /**
   * Sends so many packets from another thread, while this one goes on, or as many as there were until `stop`. They have room for signs: two bytes of zeros behind the
   * first payload word, which only packets of IPv4, or larger ones, have.
   * @throws NetkitError `unsupported`, `not-permitted`
   */
  async sendBeside(ends: Ends, count: number, toPort = port): Promise<Omit<Sent, 'busySeconds'>> {
    // Threads stay in the namespace in which they began, which is the process's own.
    const aim = { toPort, first: 0, fromNetns: currentNetnsInode(), turns: 1 };
    const data = this.#aim([{ ends, count, pauseSeconds: 0 }], aim);
    this.#object.map('.data').set(0, { stopped: 0 });
    const isWhole = await sendLiveFramesBeside(this.#object.program('generate_unsigned'), { data, count });
    return { ...this.#counts(0), interrupted: !isWhole };
  }

  /** Lets `sendBeside` end. */
  stop(): void {
    this.#object.map('.data').set(0, { stopped: 1 });
  }

  /** How many packets `sendBeside` has made since it began. */
  get generated(): number {
    return counted(this.#object.map('aims').get(0), 'generated');
  }

  /** @returns the packet that is to be sent over these wires from now on; of a capture one with room for each of its packets */
  #aim(wires: readonly InTurn[], { toPort, first, fromNetns, turns, sources }: Aim): Uint8Array {
    const { family, size, flows, captured } = this.traffic;
    const [one] = wires;
    if (one === undefined) throw new RangeError('there is no wire');
    const { from, to } = one.ends;
    this.#object.map('.bss').set(0, {
      netns: from.place.netns.inode,
      from_netns: fromNetns,
      flows,
      udp_offset: udpOffset(family),
      packets: captured?.packets.length ?? 0,
      frame_size: size,
      wires: wires.length,
      turn: wires.length - 1,
      ...(sources === undefined
        ? {}
        : { ...sourceFields(family, sources), source: this.#nextSource.get(sources) ?? 0 }),
    });
    for (const [index, { ends, count, pauseSeconds }] of wires.entries()) {
      this.#object.map('aims').set(index, {
        ifindex: ends.from.ifindex,
        each: turns === 1 ? count : Math.ceil(count / turns / batchPackets) * batchPackets,
        rest: count,
        pause_ns: Math.round(pauseSeconds * 1e9),
        packet: first,
      });
    }
    // An index of an interface is one of the thread's namespace.
    withNetns(from.place.netns, () => {
      for (const [index, { ends }] of wires.entries())
        this.#object.map('target').set(index, ends.from.ifindex);
    });
    if (captured === undefined) {
      const source = sources === undefined ? from.endpoint.address : sourceNetwork[family];
      const endpoints = { from: { ...from.endpoint, address: source }, to: to.endpoint };
      return udpPacket({ family, size, ...endpoints, port: toPort });
    }
    if (!this.#isFilled) this.#fill(captured, { from, to });
    return new Uint8Array(size);
  }

  /** All wires have the same addresses. */
  #fill({ packets }: Captured, { from, to }: Ends): void {
    const map = this.#object.map('capture');
    const room = new Uint8Array(map.info.valueSize);
    const size = new DataView(room.buffer);
    for (const [index, packet] of packets.entries()) {
      room.fill(0);
      size.setUint32(0, packet.length, hostIsLittleEndian);
      room.set(addressed(packet, from.endpoint, to.endpoint), sizeBytes);
      map.setBytes(new Uint8Array(Uint32Array.of(index).buffer), room);
    }
    this.#isFilled = true;
  }

  #counts(index: number): Omit<Sent, 'busySeconds' | 'interrupted'> {
    const after = this.#object.map('aims').get(index);
    return {
      generated: counted(after, 'generated'),
      sent: counted(after, 'sent'),
      queueDrops: counted(after, 'queue_drops'),
      redirectErrors: counted(after, 'redirect_errors'),
      seconds: counted(after, 'ns') / 1e9,
    };
  }
}

/** Of the size in front of a packet's bytes. */
const sizeBytes = 4;

/** Which packets are sent. */
export interface SendOptions {
  /** {@link port} when left out. */
  readonly toPort?: number;
  /** Where they seem to come from; from the sender's own address when left out. */
  readonly sources?: Sources;
  /** The packet of a capture that comes first. */
  readonly first?: number;
}

interface Aim extends SendOptions {
  readonly toPort: number;
  readonly first: number;
  /** Where the thread is that makes the packets. */
  readonly fromNetns: number;
  readonly turns: number;
}

/** What a variable of the program counts. */
function counted(globals: unknown, name: string): number {
  const value = typeof globals === 'object' && globals !== null ? Reflect.get(globals, name) : undefined;
  if (typeof value !== 'bigint' && typeof value !== 'number')
    throw new TypeError(`sender.bpf.c has no '${name}'`);
  return Number(value);
}
