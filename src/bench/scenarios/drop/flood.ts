/** A flood at a rung: what is counted before and after it, when it is over, what it comes to, and when that means nothing. */
import type { BenchCheck } from '../../document.js';
import type { Wire } from '../../lab/network.js';
import type { Sent } from '../../lab/sender.js';
import type { Measurement } from '../../scenario.js';
import type { Companion, Counts, Rung, Sink } from './rung.js';

/** How long packets may take from the queue to where they end. */
const settleMs = 3000;
/** A receiver that is idle for no more than this is the one that sets the pace. */
const idleShare = 0.03;
/** As is one that had no room for more than this share of the packets. */
const dropShare = 0.001;
/** With less of its CPU than this the figure is about who else ran there. */
const leastShare = 0.75;

/** A rung that is set up. */
export interface Standing {
  readonly rung: Pick<Rung, 'name' | 'title' | 'description' | 'series' | 'x' | 'sources'>;
  readonly wire: Pick<Wire, 'from' | 'to'> & { readonly napi: Pick<Wire['napi'], 'busyNs' | 'waitedNs'> };
  readonly sink: Sink;
}

/** Packets that were sent, and where they ended. */
export interface Pass {
  readonly sent: Sent;
  /** What was counted more than before. */
  readonly after: Counts;
  /** For which packets were still ended after the last was sent: at least so long, as far as was looked. */
  readonly tailSeconds: number;
  /** Of the NAPI thread, and of what reads. */
  readonly busyNs: readonly [number, number];
  /** For which the NAPI thread waited for a CPU that others had; nothing where it takes turns with what reads. */
  readonly waitedNs: number;
}

/** Counts from now on. */
export class Flood {
  readonly #standing: Standing;
  readonly #companion: Companion | undefined;
  readonly #before: Counts;
  readonly #busyBefore: Pass['busyNs'];
  readonly #waitedBefore: number;

  constructor(standing: Standing, companion?: Companion) {
    this.#standing = standing;
    this.#companion = companion;
    this.#before = standing.sink.count();
    this.#busyBefore = this.#busy();
    this.#waitedBefore = this.#waited();
  }

  /** Waits until all packets that were sent are counted, or no more come. */
  async ended(sent: Sent): Promise<Pass> {
    const { counts: after, tailSeconds } = await this.#settled(sent);
    const [napi, reader] = this.#busy();
    const busyNs = [napi - this.#busyBefore[0], reader - this.#busyBefore[1]] as const;
    return { sent, after, tailSeconds, busyNs, waitedNs: this.#waited() - this.#waitedBefore };
  }

  async #settled({ sent }: Sent): Promise<{ readonly counts: Counts; readonly tailSeconds: number }> {
    const { sink, wire } = this.#standing;
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
        taken: now.taken - this.#before.taken,
        lost: now.lost - this.#before.lost,
        behind: now.behind - this.#before.behind,
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

  #busy(): Pass['busyNs'] {
    return [this.#standing.wire.napi.busyNs() ?? 0, this.#companion?.busyNs() ?? 0];
  }

  #waited(): number {
    return this.#companion === undefined ? (this.#standing.wire.napi.waitedNs() ?? 0) : 0;
  }
}

/** A value for each metric. */
export function measurementOf({ sent, after, tailSeconds, busyNs, waitedNs }: Pass): Measurement {
  const [napi, reader] = busyNs;
  const got = after.taken + after.lost;
  // In turns it is at work on its queue in the pauses, too, which are none of the sender's seconds.
  const atWork = Math.max(sent.seconds + tailSeconds, (napi + waitedNs) / 1e9);
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

/** The share of the time that the receiver was at work. */
export function busyShare(values: Readonly<Record<string, number>>): number {
  return (values['cpu.napi'] ?? 0) + (values['cpu.reader'] ?? 0);
}

/** Whether the receiver had time to spare, and nothing waited. */
export function isSenderLimited(values: Readonly<Record<string, number>>): boolean {
  return (values['queue'] ?? 0) <= dropShare && busyShare(values) < 1 - idleShare;
}
