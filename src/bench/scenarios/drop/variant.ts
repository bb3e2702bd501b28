/** A rung as a variant: what is checked of it before, how a slice is measured, and when a figure means nothing. */
import { NetkitError } from '../../../base/errors.js';
import type { BenchCheck, BenchSample } from '../../document.js';
import {
  batchPackets,
  type InTurn,
  port,
  type Sender,
  type SendOptions,
  type Sent,
} from '../../lab/sender.js';
import type { Measurement, Variant } from '../../scenario.js';
import { median } from '../../statistics/quantile.js';
import { busyShare, Flood, isSenderLimited, measurementOf, type Pass, type Standing } from './flood.js';

/** Fits into the queue of a veth and into that of a socket, each of which takes a page: nothing is lost for that reason. */
const checkedPackets = 32;
/** Of a capture at a time: they fit into the queue of a veth, and no socket takes them. */
const checkedCaptured = 128;
/** Packets of the first slice, before the pace is known. */
const firstPackets = 100_000;
/** The same where others wait for their turns. */
const firstInTurn = 10_000;
/** A slice that comes out shorter than this share of what was asked for is followed by another. */
const shortShare = 0.5;
const mostRuns = 4;
/** How often a check is begun that a signal ends. */
const attempts = 3;
/** Of one of them: at the slowest pace some seconds. */
const mostPackets = 5_000_000;
/** What may wait for the receiver when its turn ends, and half as many more: a veth's queue holds 256, a batch of the sender's 64. */
const queuedPackets = 480;
/** In seconds, as is the first, before it is known what a packet takes: meanwhile the sender's CPU does nothing that interrupts put off. */
const longestPause = 0.01;
const firstPause = 0.001;
/** So many samples may be limited by the sender. */
const limitedShare = 0.2;

/** What a variant needs of it. */
export type PacketSender = Pick<Sender, 'traffic' | 'send'>;

/** Packets of one kind. */
interface Kind extends SendOptions {
  /** For people: `to port 9`. */
  readonly said: string;
}

/** Those that a rung takes, and those that it lets through. */
function kindsOf({ sources }: Standing['rung']): { readonly taken: Kind; readonly others: Kind } {
  if (sources === undefined) {
    return {
      taken: { said: `to port ${port}`, toPort: port },
      others: { said: `to port ${port + 1}`, toPort: port + 1 },
    };
  }
  return {
    taken: { said: 'from addresses that are listed', sources: sources.taken },
    others: { said: 'from other addresses', sources: sources.others },
  };
}

export class DropVariant implements Variant {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly role: Variant['role'];
  readonly series?: string;
  readonly x?: number;
  readonly standing: Standing;
  readonly #sender: PacketSender;
  readonly #kinds: ReturnType<typeof kindsOf>;
  /** Packets that the sender makes a second here. */
  #pace = 0;
  /** What a packet takes of the receiver's CPU. */
  #packetNs = 0;

  /** @param isAgain whether it is one that is there already, once more, as the control is */
  constructor(
    standing: Standing,
    sender: PacketSender,
    role: Variant['role'],
    isAgain: boolean = role === 'control',
  ) {
    const { name, title, description, series, x } = standing.rung;
    this.standing = standing;
    this.#sender = sender;
    this.#kinds = kindsOf(standing.rung);
    this.role = role;
    this.name = isAgain ? `${name} again` : name;
    this.title = isAgain ? `${title} (again)` : title;
    if (series !== undefined) this.series = series;
    if (x !== undefined) this.x = x;
    this.description = description(sender.traffic);
  }

  /** Each packet ends at this rung, and what is of another kind does not. */
  async check(): Promise<BenchCheck[]> {
    const { captured } = this.#sender.traffic;
    if (captured !== undefined) return this.#checkCaptured(captured.packets.length);
    const kinds = this.#kinds;
    const wanted = await this.#checkedPass(kinds.taken);
    const seen = `${wanted.after.taken} of ${wanted.sent.sent} packets`;
    const ended: BenchCheck = {
      name: 'verdict',
      ok: wanted.sent.sent === checkedPackets && wanted.after.taken === checkedPackets,
      detail: `${seen} ${kinds.taken.said} ended here, ${wanted.after.behind} came further`,
    };
    const passed: BenchCheck = {
      name: 'nothing behind',
      ok: wanted.after.behind === 0,
      detail: `${wanted.after.behind} packets came further`,
    };
    if (this.standing.rung.name === 'no-listener') return [ended, passed];
    const others = await this.#checkedPass(kinds.others);
    const other: BenchCheck = {
      name: 'other packets',
      ok: others.after.taken === 0 && others.after.behind === checkedPackets,
      detail: `${others.after.behind} of ${others.sent.sent} packets ${kinds.others.said} came further`,
    };
    const way = this.standing.sink.inspect?.(wanted.sent.sent + others.sent.sent);
    return [ended, passed, other, ...(way === undefined ? [] : [way])];
  }

  /** Each packet of a capture once. */
  async #checkCaptured(packets: number): Promise<BenchCheck[]> {
    let [sent, taken, behind] = [0, 0, 0];
    for (let first = 0; first < packets; first += checkedCaptured) {
      const kind = { ...this.#kinds.taken, first };
      const pass = await this.#checkedPass(kind, Math.min(checkedCaptured, packets - first));
      sent += pass.sent.sent;
      taken += pass.after.taken;
      behind += pass.after.behind;
    }
    const detail = `${taken} of ${packets} packets, each of them sent once, ended here, ${behind} came further`;
    return [
      { name: 'verdict', ok: sent === packets && taken === packets, detail },
      { name: 'nothing behind', ok: behind === 0, detail: `${behind} packets came further` },
    ];
  }

  async measure(seconds: number): Promise<Measurement | undefined> {
    const count = this.#pace === 0 ? firstPackets : Math.ceil(this.#pace * seconds);
    const pass = await this.#pass(count, this.#kinds.taken, seconds * shortShare);
    if (pass.sent.interrupted || pass.sent.seconds <= 0) return undefined;
    this.remember(pass);
    return measurementOf(pass);
  }

  /** Whether the kernel alone takes its packets, which is soon through with them, and they are the same as for other rungs. */
  get canTakeTurns(): boolean {
    const { rung, sink } = this.standing;
    return rung.sources === undefined && sink.start === undefined;
  }

  /** Whether it was flooded before, so that it is known how many packets a time is. */
  get isKnown(): boolean {
    return this.#pace > 0;
  }

  /** So many packets that each turn takes so long, in whole batches, and pauses in which the receiver comes to an end. */
  inTurn(turnSeconds: number, turns: number): InTurn {
    const count = this.isKnown ? Math.max(1, this.#pace * turnSeconds) : firstInTurn;
    const pauseSeconds =
      this.#packetNs === 0 ? firstPause : Math.min(longestPause, (this.#packetNs * queuedPackets) / 1e9);
    return {
      ends: this.standing.wire,
      count: Math.ceil(count / batchPackets) * batchPackets * turns,
      pauseSeconds,
    };
  }

  /** For the next time: how fast packets are made here, and taken. */
  remember({ sent, after, busyNs: [napi] }: Pass): void {
    this.#pace = sent.generated / sent.seconds;
    this.#packetNs = napi / Math.max(1, after.taken + after.lost);
  }

  judge(samples: readonly BenchSample[]): BenchCheck[] {
    const way = this.standing.sink.inspect?.(undefined);
    return [...this.#paceSetter(samples), ...(way === undefined ? [] : [way])];
  }

  /** Whether the generator was the bottleneck. */
  #paceSetter(samples: readonly BenchSample[]): BenchCheck[] {
    const counted = samples.filter(({ checks }) => checks.length === 0);
    if (counted.length === 0) return [];
    const limited = counted.filter(({ values }) => isSenderLimited(values));
    const ok = limited.length <= counted.length * limitedShare;
    const idle = median(counted.map(({ values }) => 1 - busyShare(values)));
    const least = median(counted.map(({ values }) => values['rate'] ?? 0));
    const share = `${(Math.max(0, idle) * 100).toFixed(0)} %`;
    const detail = ok
      ? `the receiver set the pace: it was idle for ${share} of the time`
      : `at least ${(least / 1e6).toFixed(2)} million packets/s: the receiver was idle for ${share} of the time, so the sender set the pace`;
    return [{ name: 'generator', ok, detail }];
  }

  /** A signal that ends a test run early need not be for this process's user: it is done once more. */
  async #checkedPass(kind: Kind, count = checkedPackets): Promise<Pass> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const pass = await this.#pass(count, kind, 0);
      if (!pass.sent.interrupted) return pass;
    }
    throw new NetkitError('interrupted', 'interrupted while packets were checked');
  }

  /** Sends packets, waits until each has ended somewhere, and gives what was counted meanwhile. */
  async #pass(count: number, kind: Kind, leastSeconds: number): Promise<Pass> {
    const companion = this.standing.sink.start?.();
    try {
      const flood = new Flood(this.standing, companion);
      return await flood.ended(this.#send(count, kind, leastSeconds));
    } finally {
      await companion?.end();
    }
  }

  /** The pace may be another than last time: it goes on until that was long enough. */
  #send(count: number, kind: Kind, leastSeconds: number): Sent {
    const send = (packets: number): Sent => this.#sender.send(this.standing.wire, packets, kind);
    let sum = send(count);
    for (let run = 1; run < mostRuns && !sum.interrupted && sum.seconds < leastSeconds; run += 1) {
      const pace = sum.generated / Math.max(sum.seconds, 1e-4);
      const more = Math.ceil(Math.min(pace * (2 * leastSeconds - sum.seconds), mostPackets));
      sum = sumOf(sum, send(more));
    }
    return sum;
  }
}

/** What became of the packets of two floods. */
export function sumOf(one: Sent, other: Sent): Sent {
  return {
    generated: one.generated + other.generated,
    sent: one.sent + other.sent,
    queueDrops: one.queueDrops + other.queueDrops,
    redirectErrors: one.redirectErrors + other.redirectErrors,
    seconds: one.seconds + other.seconds,
    busySeconds: one.busySeconds + other.busySeconds,
    interrupted: one.interrupted || other.interrupted,
  };
}
