/** A way to replace a program as a variant: two programs take turns while packets come, and every packet is accounted for. */
import { NetkitError } from '../../../base/errors.js';
import { aheadWhile } from '../../../host/affinity.js';
import type { BenchCheck, BenchSample } from '../../document.js';
import type { Ends } from '../../lab/network.js';
import { port, type Sender, type Sent } from '../../lab/sender.js';
import type { Measurement, Variant } from '../../scenario.js';
import { Histogram } from '../../statistics/histogram.js';
import { median } from '../../statistics/quantile.js';
import { accountFailures, allEnded, type Ended, endedSince, misjudged } from './accounts.js';
import type { Replace, UpgradeWay } from './ways.js';

/** Fits into the queue of a veth. */
const checkedPackets = 32;
/** Of the control: many times what the queue has room for. */
const controlPackets = 20_000;
/** As many packets are asked for as a slice has room for, at so many times the quickest pace until now: what ends it is the time. */
const paceRoom = 1.5;
const firstPace = 1_000_000;
const mostPace = 10_000_000;
/** A replacement that waits for all CPUs takes some 20 ms: in less than this there would be none at times. */
const leastSeconds = 0.1;
/** Between two replacements, so that packets meet each program. */
const pauseMs = 1;
/** When for so long no packet has ended, the others are lost. */
const settleMs = 100;
/** How often a check is begun that a signal ends. */
const attempts = 3;

/** A way, on an interface of its own. */
export interface Standing {
  readonly way: Pick<UpgradeWay, 'name' | 'title' | 'description' | 'isContrast'>;
  readonly ends: Ends;
  readonly replace: Replace;
  /** All that has ended until now. */
  readonly ended: () => Ended;
}

/** What a variant needs of it. */
export type SenderBeside = Pick<Sender, 'sendBeside' | 'stop' | 'generated'>;

/** What became of packets in all samples. */
export interface Totals {
  readonly replacements: number;
  readonly sent: number;
  readonly lost: number;
  readonly misjudged: number;
}

export class UpgradeVariant implements Variant {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly role: Variant['role'];
  readonly #standing: Standing;
  readonly #sender: SenderBeside;
  /** Which of the two is in place. */
  #now: 0 | 1 = 0;
  /** Packets a second that are enough for a slice. */
  #pace = firstPace;
  /** Of all samples that count; known when they are judged. */
  totals: Totals = { replacements: 0, sent: 0, lost: 0, misjudged: 0 };

  constructor(standing: Standing, sender: SenderBeside, role: Variant['role']) {
    const { name, title: bare, description, isContrast } = standing.way;
    const title = isContrast ? `${bare} (for contrast)` : bare;
    this.#standing = standing;
    this.#sender = sender;
    this.role = role;
    this.name = role === 'control' ? `${name} again` : name;
    this.title = role === 'control' ? `${title} (again)` : title;
    this.description = description;
  }

  /** Each program judges what it should while it is in place, and without a replacement no packet is lost or misjudged. */
  async check(): Promise<BenchCheck[]> {
    const checks = [await this.#verdict('the first program')];
    this.#turn();
    checks.push(await this.#verdict('the second program'));
    const { sent, ended } = await this.#pass(controlPackets, async () => undefined);
    const failures = accountFailures(sent, ended);
    const lost = sent.sent - allEnded(ended);
    checks.push({
      name: 'control',
      ok: failures.length === 0 && lost === 0 && misjudged(ended) === 0,
      detail:
        failures[0]?.detail ??
        `without a replacement ${lost} of ${sent.sent} packets were lost, ${misjudged(ended)} met neither or both`,
    });
    return checks;
  }

  async measure(seconds: number): Promise<Measurement | undefined> {
    const slice = Math.max(seconds, leastSeconds);
    const times: number[] = [];
    const { sent, ended } = await this.#pass(Math.ceil(this.#pace * slice), (isOver) =>
      this.#takeTurns(slice, times, isOver),
    );
    if (sent.interrupted || sent.seconds <= 0) return undefined;
    this.#pace = Math.min(mostPace, Math.max(this.#pace, (sent.generated / sent.seconds) * paceRoom));
    const lost = sent.sent - allEnded(ended);
    const failed = accountFailures(sent, ended);
    if (times.length === 0)
      failed.push({ name: 'replacements', ok: false, detail: 'there was none while packets came' });
    const each = Math.max(1, times.length);
    const histogram = new Histogram();
    for (const time of times) histogram.record(time);
    return {
      seconds: sent.seconds,
      values: {
        lost: lost / each,
        misjudged: misjudged(ended) / each,
        time: times.length === 0 ? 0 : median(times),
        replacements: times.length,
        rate: allEnded(ended) / sent.seconds,
      },
      failed,
      histograms: failed.length === 0 ? [{ metric: 'time', buckets: histogram.buckets() }] : [],
    };
  }

  /** What one packet in millions came to is in no median. */
  judge(samples: readonly BenchSample[]): BenchCheck[] {
    this.totals = totalsOf(samples);
    if (this.totals.replacements === 0) return [];
    return [{ name: 'packets', ok: true, detail: totalsText(this.totals) }];
  }

  #turn(): void {
    const next = this.#now === 0 ? 1 : 0;
    this.#standing.replace(next);
    this.#now = next;
  }

  /** @param times takes the nanoseconds of each replacement that began while packets came, and during which some ended */
  async #takeTurns(seconds: number, times: number[], isOver: () => boolean): Promise<void> {
    const { ended } = this.#standing;
    let until = Number.POSITIVE_INFINITY;
    while (!isOver()) {
      if (performance.now() > until) this.#sender.stop();
      else if (this.#sender.generated > 0) {
        until = Math.min(until, performance.now() + seconds * 1000);
        const before = allEnded(ended());
        const started = process.hrtime.bigint();
        this.#turn();
        const took = Number(process.hrtime.bigint() - started);
        if (allEnded(ended()) > before) times.push(took);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #verdict(which: string): Promise<BenchCheck> {
    const wanted = await this.#checkedPass(port);
    const others = await this.#checkedPass(port + 1);
    const inPlace = this.#now === 0 ? wanted.ended.one : wanted.ended.other;
    const judged = wanted.ended.judged[this.#now];
    return {
      name: 'verdict',
      ok:
        inPlace === checkedPackets &&
        judged === checkedPackets &&
        allEnded(wanted.ended) === checkedPackets &&
        others.ended.neither === checkedPackets &&
        allEnded(others.ended) === checkedPackets,
      detail: `${which} judged ${judged} of ${wanted.sent.sent} packets to port ${port}, of which ${inPlace} have its sign alone; ${others.ended.neither} of ${others.sent.sent} to port ${port + 1} have none`,
    };
  }

  async #checkedPass(toPort: number): Promise<Pass> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const pass = await this.#pass(checkedPackets, async () => undefined, toPort);
      if (!pass.sent.interrupted) return pass;
    }
    throw new NetkitError('interrupted', 'interrupted while packets were checked');
  }

  /** Sends packets, does something meanwhile, and waits until each has ended, or no more do. */
  async #pass(
    count: number,
    meanwhile: (isOver: () => boolean) => Promise<void>,
    toPort = port,
  ): Promise<Pass> {
    const { ends, ended } = this.#standing;
    const before = ended();
    let isOver = false;
    const sending = this.#sender.sendBeside(ends, count, toPort).finally(() => {
      isOver = true;
    });
    // Both end before either's error is told: the programs stay open until the last packet.
    const [sent, done] = await aheadWhile(() => Promise.allSettled([sending, meanwhile(() => isOver)]));
    if (sent.status === 'rejected') throw sent.reason;
    if (done.status === 'rejected') throw done.reason;
    return { sent: sent.value, ended: await settled(ended, before, sent.value.sent) };
  }
}

interface Pass {
  readonly sent: Omit<Sent, 'busySeconds'>;
  readonly ended: Ended;
}

async function settled(ended: () => Ended, before: Ended, sent: number): Promise<Ended> {
  let last = -1;
  let changed = performance.now();
  for (let pause = 1; ; pause = Math.min(20, pause * 2)) {
    const since = endedSince(before, ended());
    const all = allEnded(since);
    if (all >= sent) return since;
    const now = performance.now();
    if (all !== last) changed = now;
    else if (now - changed > settleMs) return since;
    last = all;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function totalsOf(samples: readonly BenchSample[]): Totals {
  const counted = samples.filter(({ checks }) => checks.length === 0);
  const sum = (of: (sample: BenchSample, replacements: number) => number): number =>
    counted.reduce((all, sample) => all + Math.round(of(sample, sample.values['replacements'] ?? 0)), 0);
  const lost = sum(({ values }, each) => (values['lost'] ?? 0) * each);
  return {
    replacements: sum((_, each) => each),
    sent: sum(({ values, seconds }) => (values['rate'] ?? 0) * seconds) + lost,
    lost,
    misjudged: sum(({ values }, each) => (values['misjudged'] ?? 0) * each),
  };
}

/** `312 replacements under 41,234,567 packets: none lost, none misjudged` */
export function totalsText({ replacements, sent, lost, misjudged: wrong }: Totals): string {
  const text = (count: number, what: string): string =>
    count === 0 ? `none ${what}` : `${count.toLocaleString('en-GB')} ${what}`;
  return `${replacements.toLocaleString('en-GB')} replacements under ${sent.toLocaleString('en-GB')} packets: ${text(lost, 'lost')}, ${text(wrong, 'met neither program or both')}`;
}
