/** A rung of the ladder: one way to get rid of packets. */
import type { Scope } from '../../../base/scope.js';
import type { BenchCheck } from '../../document.js';
import type { Captured } from '../../lab/captured.js';
import type { CommandLog } from '../../lab/command-log.js';
import type { Wire } from '../../lab/network.js';
import type { Family } from '../../lab/packet.js';
import type { Sources } from '../../lab/sources.js';

export interface Rung {
  readonly name: string;
  readonly title: string;
  /** What it is exactly. */
  description(packets: RungPackets): string;
  /** The curve that it is a point of, and where on the axis, when the ladder has one. What bars the first of a curve bars all. */
  readonly series?: string;
  readonly x?: number;
  /** Where packets come from that it takes, and from where those that it lets through; without it both are told apart by their port. */
  readonly sources?: { readonly taken: Sources; readonly others: Sources };
  /** What it is made with, beside netkit. */
  readonly tool?: { readonly name: string; readonly versionArgs: readonly string[] };
  /** Looks whether it can be set up at all, before anything is made. @throws NetkitError with the reason why not */
  require?(): void;
  /** Why it does not get, or cannot count, each packet of a capture, as a sentence goes on after «since»; otherwise undefined. */
  unfit?(captured: Captured): string | undefined;
  /**
   * Sets it up at the receiver.
   * @throws NetkitError when that does not work here: the ladder goes on without it, and says why
   */
  setUp(stand: Stand): Sink;
  /** How many times more it is to be set up elsewhere and let go, after it was: where setting it up is timed. */
  rehearsals?(): number;
}

/** What comes to a rung: it drops what is for one port, or all of a capture. */
export interface RungPackets {
  readonly family: Family;
  readonly captured?: Captured;
}

/** Where a rung stands. */
export interface Stand extends RungPackets {
  readonly wire: Wire;
  /** Ends with the benchmark. */
  readonly scope: Scope;
  readonly log: CommandLog;
  /** Where what it needs beside the kernel runs. */
  readonly cpu: number;
}

/** Where packets end, and how many did. */
export interface Sink {
  /** All that it has counted since it was set up. */
  count(): Counts;
  /** Packets are counted as they come in: only when the receiver is idle is it known what became of them. */
  readonly isEarly?: boolean;
  /**
   * Looks at what more it knows of all packets until now, such as the way that each took.
   * @param packets so many there were; undefined when some may be on their way
   */
  inspect?(packets: number | undefined): BenchCheck;
  /** What has to run while packets come. */
  start?(): Companion;
}

export interface Counts {
  /** What the rung is about: dropped by it, or read. */
  readonly taken: number;
  /** That it got, and had no room for. */
  readonly lost: number;
  /** That came further than they should have. */
  readonly behind: number;
}

/** A program that is part of a rung, such as one that reads. */
export interface Companion {
  /** Ends it, and waits until it has: its end is a signal, which would cut the next test run short. */
  end(): Promise<void>;
  /** Nanoseconds that it has been on a CPU. */
  busyNs(): number;
}
