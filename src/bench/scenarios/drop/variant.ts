/** A rung as a variant: what is checked of it before, how a slice is measured, and when a figure means nothing. */
import { NetkitError } from '../../../base/errors.js';
import type { BenchCheck, BenchSample } from '../../document.js';
import type { Wire } from '../../lab/network.js';
import { port, type Sender, type SendOptions, type Sent } from '../../lab/sender.js';
import type { Measurement, Variant } from '../../scenario.js';
import { median } from '../../statistics/quantile.js';
import type { Companion, Counts, Rung, Sink } from './rung.js';

/** Fits into the queue of a veth and into that of a socket, each of which takes a page: nothing is lost for that reason. */
const checkedPackets = 32;
/** Of a capture at a time: they fit into the queue of a veth, and no socket takes them. */
const checkedCaptured = 128;
/** Packets of the first slice, before the pace is known. */
const firstPackets = 100_000;
/** A slice that comes out shorter than this share of what was asked for is followed by another. */
const shortShare = 0.5;
const mostRuns = 4;
/** How often a check is begun that a signal ends. */
const attempts = 3;
/** Of one of them: at the slowest pace some seconds. */
const mostPackets = 5_000_000;
/** How long packets may take from the queue to where they end. */
const settleMs = 3000;
/** A receiver that is idle for no more than this is the one that sets the pace. */
const idleShare = 0.03;
/** As is one that had no room for more than this share of the packets. */
const dropShare = 0.001;
/** With less of its CPU than this the figure is about who else ran there. */
const leastShare = 0.75;
/** So many samples may be limited by the sender. */
const limitedShare = 0.2;

export interface Standing {
  readonly rung: Pick<Rung, 'name' | 'title' | 'description' | 'series' | 'x' | 'sources'>;
  readonly wire: Pick<Wire, 'from' | 'to'> & { readonly napi: Pick<Wire['napi'], 'busyNs'> };
  readonly sink: Sink;
}

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
  readonly #standing: Standing;
  readonly #sender: PacketSender;
  readonly #kinds: ReturnType<typeof kindsOf>;
  /** Packets that the sender makes a second here. */
  #pace = 0;

  /** @param isAgain whether it is one that is there already, once more, as the control is */
  constructor(
    standing: Standing,
    sender: PacketSender,
    role: Variant['role'],
    isAgain: boolean = role === 'control',
  ) {
    const { name, title, description, series, x } = standing.rung;
    this.#standing = standing;
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
    if (this.#standing.rung.name === 'no-listener') return [ended, passed];
    const others = await this.#checkedPass(kinds.others);
    const other: BenchCheck = {
      name: 'other packets',
      ok: others.after.taken === 0 && others.after.behind === checkedPackets,
      detail: `${others.after.behind} of ${others.sent.sent} packets ${kinds.others.said} came further`,
    };
    const way = this.#standing.sink.inspect?.(wanted.sent.sent + others.sent.sent);
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
    const { sent, after, busyNs } = pass;
    if (sent.interrupted || sent.seconds <= 0) return undefined;
    this.#pace = sent.generated / sent.seconds;
    const got = after.taken + after.lost;
    const [napi, reader] = busyNs;
    // A slow receiver is still at work on its queue when the last packet is sent.
    const atWork = Math.max(sent.seconds + pass.tailSeconds, napi / 1e9);
    const share = (ns: number): number => Math.min(1, ns / 1e9 / atWork);
    const values = {
      rate: after.taken / atWork,
      cost: (napi + reader) / Math.max(1, got),
      'cpu.napi': share(napi),
      'cpu.reader': share(reader),
      queue: sent.queueDrops / sent.generated,
      offered: sent.generated / sent.seconds,
    };
    return { seconds: sent.seconds, values, failed: failures(sent, after, busyShare(values)) };
  }

  judge(samples: readonly BenchSample[]): BenchCheck[] {
    const way = this.#standing.sink.inspect?.(undefined);
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
    const { wire, sink } = this.#standing;
    const companion = sink.start?.();
    try {
      const before = sink.count();
      const busy = busyOf(wire, companion);
      const sent = this.#send(count, kind, leastSeconds);
      const { counts, tailSeconds } = await settled(this.#standing, before, sent);
      const [napi, reader] = busyOf(wire, companion);
      return { sent, after: counts, tailSeconds, busyNs: [napi - busy[0], reader - busy[1]] };
    } finally {
      await companion?.end();
    }
  }

  /** The pace may be another than last time: it goes on until that was long enough. */
  #send(count: number, kind: Kind, leastSeconds: number): Sent {
    const send = (packets: number): Sent => this.#sender.send(this.#standing.wire, packets, kind);
    let sum = send(count);
    for (let run = 1; run < mostRuns && !sum.interrupted && sum.seconds < leastSeconds; run += 1) {
      const pace = sum.generated / Math.max(sum.seconds, 1e-4);
      const more = Math.ceil(Math.min(pace * (2 * leastSeconds - sum.seconds), mostPackets));
      sum = together(sum, send(more));
    }
    return sum;
  }
}

function together(one: Sent, other: Sent): Sent {
  return {
    generated: one.generated + other.generated,
    sent: one.sent + other.sent,
    queueDrops: one.queueDrops + other.queueDrops,
    redirectErrors: one.redirectErrors + other.redirectErrors,
    seconds: one.seconds + other.seconds,
    busySeconds: one.busySeconds + other.busySeconds,
    interrupted: other.interrupted,
  };
}

interface Pass {
  readonly sent: Sent;
  /** What was counted more than before. */
  readonly after: Counts;
  /** For which packets were still ended after the last was sent: at least so long, as far as was looked. */
  readonly tailSeconds: number;
  /** Of the NAPI thread, and of what reads. */
  readonly busyNs: readonly [number, number];
}

function busyOf({ napi }: Standing['wire'], companion: Companion | undefined): readonly [number, number] {
  return [napi.busyNs() ?? 0, companion?.busyNs() ?? 0];
}

/** Waits until all packets that were sent are counted, or no more come. */
async function settled(
  { sink, wire }: Standing,
  before: Counts,
  { sent }: Sent,
): Promise<{ readonly counts: Counts; readonly tailSeconds: number }> {
  const started = performance.now();
  let [looked, worked] = [started, started];
  let busy = sink.isEarly === true ? wire.napi.busyNs() : undefined;
  for (let pause = 1; ; pause = Math.min(50, pause * 2)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const [wasBusy, lookedBefore] = [busy, looked];
    looked = performance.now();
    const now = sink.count();
    busy = sink.isEarly === true ? wire.napi.busyNs() : undefined;
    const counts = {
      taken: now.taken - before.taken,
      lost: now.lost - before.lost,
      behind: now.behind - before.behind,
    };
    const isCounted = counts.taken + counts.lost + counts.behind >= sent;
    const isDone = isCounted && busy === wasBusy;
    if (isDone) return { counts, tailSeconds: (worked - started) / 1000 };
    // What is missing is no work.
    if (looked - started > settleMs) return { counts, tailSeconds: 0 };
    // What is counted early was at work at some time since the look before.
    worked = isCounted ? lookedBefore : looked;
  }
}

function failures(sent: Sent, { taken, lost, behind }: Counts, share: number): BenchCheck[] {
  const found: BenchCheck[] = [];
  const { generated, queueDrops, redirectErrors } = sent;
  const fail = (name: string, detail: string): unknown => found.push({ name, ok: false, detail });
  if (generated !== sent.sent + queueDrops + redirectErrors)
    fail(
      'accounting',
      `${generated} packets were made, and ${sent.sent + queueDrops + redirectErrors} are known of`,
    );
  if (taken + lost !== sent.sent)
    fail('accounting', `${sent.sent} packets were sent, and ${taken + lost} counted where they end`);
  if (behind !== 0) fail('nothing behind', `${behind} packets came further`);
  if (redirectErrors > generated * dropShare)
    fail('redirect', `${redirectErrors} packets were not redirected`);
  const own = sent.busySeconds / sent.seconds;
  if (own < leastShare) fail('sender', `others took its CPU: it had ${(own * 100).toFixed(0)} % of the time`);
  else if (queueDrops > generated * dropShare && share < leastShare)
    fail('receiver', `others took its CPU: it had ${(share * 100).toFixed(0)} % of the time`);
  return found;
}

function busyShare(values: Readonly<Record<string, number>>): number {
  return (values['cpu.napi'] ?? 0) + (values['cpu.reader'] ?? 0);
}

function isSenderLimited(values: Readonly<Record<string, number>>): boolean {
  return (values['queue'] ?? 0) <= dropShare && busyShare(values) < 1 - idleShare;
}
