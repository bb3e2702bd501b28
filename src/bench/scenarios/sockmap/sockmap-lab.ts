/** Every path set up, and the pace that they are measured at. */
import { messageOf, NetkitError } from '../../../base/errors.js';
import type { BenchDocument, BenchEnvironment, BenchGroup } from '../../document.js';
import { goOn } from '../../go-on.js';
import { CommandLog } from '../../lab/command-log.js';
import { iperfRate, iperfTool } from '../../lab/iperf.js';
import { addressText } from '../../lab/network.js';
import type { Family } from '../../lab/packet.js';
import { type Placement, place } from '../../lab/placement.js';
import type { Chunks } from '../../lab/requests/orders.js';
import type { Spacing } from '../../lab/requests/schedule.js';
import { StreamClient } from '../../lab/requests/stream-peers.js';
import { toolVersions } from '../../lab/tool-versions.js';
import { wireRecord } from '../../lab/wire-record.js';
import { mergedHistograms } from '../../merged-histograms.js';
import { quantity } from '../../quantity.js';
import type { Group, PrepareContext, Prepared } from '../../scenario.js';
import { percentileOf } from '../../statistics/histogram.js';
import { chunkMetrics, costMetrics, requestMetrics, streamMetrics, withCosts } from './metrics.js';
import { pacedShare, paceOf, window } from './pace.js';
import { Passage, type PassageOptions } from './passage.js';
import type { Path } from './paths.js';
import { CheckedPath, type Measured, patience, SockmapVariant } from './variant.js';

export interface SockmapLabOptions {
  readonly family: Family;
  /** Bytes of a request, and of its answer. */
  readonly requestSize: number;
  /** Bytes of a chunk of a stream. */
  readonly chunkSize: number;
}

/** Of a chunk of a stream. */
const answerBytes = 8;
/**
 * Nanoseconds. When the receiver stood still, TCP sends what piled up on the client's CPU, and chunks are some milliseconds
 * late: to set those slices aside would be to keep the fast ones. Others take tens of milliseconds when they take that CPU.
 */
const chunkHeldUp = 10_000_000;

const generalNotes = [
  "Client and server are processes of netkit's, and so is the proxy: it waits with poll, reads up to 64 KiB, and writes. One in C takes less time for each call.",
  'A proxy whose sockets are joined, or past which bytes go, waits for the end of its connections alone.',
  'The sockets of a connection are joined when it stands, and before anything goes over it: what that takes is in no figure.',
  'Proxy, server and the workers of the kernel, which send on what sk_skb redirects, share a CPU, with the same priority; the NAPI threads go before them.',
] as const;

interface Stood {
  readonly passage: Passage;
  readonly checked: CheckedPath;
}

export class SockmapLab {
  readonly #context: PrepareContext;
  readonly #options: SockmapLabOptions;
  readonly #placement: Placement;
  readonly #log = new CommandLog();
  readonly #stood: Stood[] = [];
  readonly #notes: string[] = [];
  #iperf: number | undefined;

  /** @throws NetkitError `unsupported` on a machine with one CPU */
  constructor(context: PrepareContext, options: SockmapLabOptions) {
    this.#context = context;
    this.#options = options;
    this.#placement = place(context.scope);
    if (this.#placement.isShared) {
      throw new NetkitError(
        'unsupported',
        'there is one CPU, which a client that never sleeps leaves nothing of',
        { hint: 'run it where this process may use two CPUs' },
      );
    }
  }

  /** @throws NetkitError when no path can be set up or none carries anything, with the reason of the last */
  async prepare(paths: readonly Path[]): Promise<Prepared> {
    const { scope, progress } = this.#context;
    const client = await StreamClient.start(scope, this.#placement.sender);
    const { family } = this.#options;
    const options = { family, cpu: this.#placement.receiver, log: this.#log, client };
    for (const path of paths) {
      goOn(this.#context.signal);
      progress(`setting up ${path.title}`);
      await this.#tryToAdd(path, options);
    }
    const [reference] = this.#stood;
    if (reference === undefined)
      throw new NetkitError('unsupported', 'nothing can be set up here', { hint: this.#notes.at(-1) });
    const control = await this.#stand(reference.passage.path, options);
    const groups = await this.#groups(control);
    this.#stood.push(control);
    await this.#askIperf();
    return {
      groups,
      limits: (measured) => this.#limits(measured),
      environment: () => this.#environment(),
      busySeconds: () =>
        this.#stood.reduce((sum, { passage }) => sum + passage.busyNs(), client.busyNs()) / 1e9,
      complete: withCosts,
      notes: () => [...this.#notes, ...generalNotes],
    };
  }

  async #tryToAdd(path: Path, options: PassageOptions): Promise<void> {
    try {
      const stood = await this.#stand(path, options);
      const failed = (await stood.checked.checks()).find(({ ok }) => !ok);
      // What cannot be set up is left out; what does something wrong is shown as invalid.
      if (failed !== undefined) this.#notes.push(`${path.title} is not measured: ${failed.detail}.`);
      this.#stood.push(stood);
    } catch (error) {
      if (!(error instanceof NetkitError) || error.code === 'interrupted') throw error;
      this.#notes.push(`Left out: ${path.title}, since ${messageOf(error)}.`);
    }
  }

  async #stand(path: Path, options: PassageOptions): Promise<Stood> {
    const passage = await Passage.begin(this.#context.scope, path, options);
    return { passage, checked: new CheckedPath(passage) };
  }

  async #groups(control: Stood): Promise<Group[]> {
    const { requestSize, chunkSize } = this.#options;
    const requests = { size: requestSize, answer: requestSize };
    const chunks = { size: chunkSize, answer: answerBytes };
    this.#context.progress('looking for the pace that the slowest carries');
    const [requestRate, chunkRate] = [await this.#pace(requests), await this.#pace(chunks)];
    const group = (about: Omit<Group, 'axis' | 'variants'>, measured: Measured): Group => ({
      ...about,
      axis: null,
      variants: [
        ...this.#stood.map(
          ({ passage, checked }, index) =>
            new SockmapVariant(passage, checked, measured, index === 0 ? 'reference' : 'variant'),
        ),
        new SockmapVariant(control.passage, control.checked, measured, 'control'),
      ],
    });
    const size = quantity(chunkSize, 'bytes');
    const pace = quantity(chunkRate * chunkSize, 'bytes/s');
    return [
      group(
        {
          name: 'requests',
          title: `How long is a round trip of ${requestSize} bytes, at ${quantity(requestRate, 'requests/s')}?`,
          metrics: requestMetrics,
        },
        this.#paced(requests, requestRate, 'poisson'),
      ),
      group(
        {
          name: 'stream',
          title: `How fast is a stream in chunks of ${size}?`,
          metrics: [...streamMetrics, ...costMetrics],
        },
        {
          chunks,
          isPaced: false,
          loop: (seconds) => ({ kind: 'closed', window, seconds, patience }),
        },
      ),
      group(
        {
          name: 'chunks',
          title: `How long does a chunk of ${size} take in a stream of ${pace}?`,
          metrics: chunkMetrics,
        },
        // A chunk takes the client long enough to send that the next would often be late, by its own fault, if it came at random.
        { ...this.#paced(chunks, chunkRate, 'even'), heldUp: chunkHeldUp },
      ),
    ];
  }

  #paced(chunks: Chunks, rate: number, spacing: Spacing): Measured {
    const { seed } = this.#context;
    return {
      chunks,
      isPaced: true,
      loop: (seconds, slice) => ({
        kind: 'open',
        rate,
        seconds,
        spacing,
        // Each slice has other times.
        seed: (seed + slice) % 2 ** 32,
        patience,
      }),
    };
  }

  /** A path that carries nothing is shown as invalid, and the others go on without it. */
  async #pace(chunks: Chunks): Promise<number> {
    const sound: Stood[] = [];
    for (const stood of this.#stood)
      if ((await stood.checked.checks()).every(({ ok }) => ok)) sound.push(stood);
    const passages = sound.map(({ passage }) => passage);
    const { rate, broken } = await paceOf(passages, chunks, () => goOn(this.#context.signal));
    for (const [index, { passage, checked }] of sound.entries()) {
      const detail = broken[index];
      if (detail === undefined) continue;
      this.#notes.push(`${passage.path.title} is not measured: ${detail}.`);
      await checked.fail(detail);
    }
    if (rate === 0) throw new NetkitError('failed', 'no bytes arrive here', { hint: this.#notes.at(-1) });
    return rate;
  }

  async #askIperf(): Promise<void> {
    const [first] = this.#stood;
    if (first === undefined) return;
    this.#context.progress('asking iperf3');
    const { sender, receiver } = this.#placement;
    try {
      this.#iperf = await iperfRate(this.#context.scope, {
        wire: first.passage.wire,
        address: addressText(this.#options.family, 'to'),
        cpus: { server: receiver, client: sender },
        log: this.#log,
      });
    } catch (error) {
      if (!(error instanceof NetkitError)) throw error;
      this.#notes.push(`Left out: a second opinion by iperf3, since ${messageOf(error)}.`);
    }
  }

  #limits(groups: readonly BenchGroup[]): BenchDocument['limits'] {
    const lateness = groups.flatMap(({ name, variants }): BenchDocument['limits'] => {
      const lags = variants.flatMap(({ histograms }) => histograms.filter(({ metric }) => metric === 'lag'));
      const late = percentileOf(mergedHistograms(lags)[0]?.buckets ?? [], 99);
      if (late === undefined) return [];
      const title = `How late the client itself is with ${name}, 99th percentile`;
      const detail = `at ${pacedShare * 100} % of what the slowest path carries`;
      return [{ name: `lateness-${name}`, title, value: late, unit: 'ns', detail }];
    });
    if (this.#iperf === undefined) return lateness;
    const second = {
      name: 'iperf3',
      title: 'A TCP stream by iperf3, without a proxy',
      value: this.#iperf,
      unit: 'bytes/s',
      detail: 'a second opinion, of one second before the first block; to be compared with «no proxy»',
    };
    return [second, ...lateness];
  }

  #environment(): Partial<BenchEnvironment> {
    const { sender, receiver } = this.#placement;
    return {
      tools: toolVersions([iperfTool]),
      interfaces: wireRecord(this.#stood[0]?.passage.wire, 'path', 'sockets'),
      placement: [
        { what: 'the client (SCHED_RR while it sends, where that is allowed), and netkit', cpus: [sender] },
        {
          what: 'the NAPI threads of the receiving interfaces (nice -20), the proxies and the servers',
          cpus: [receiver],
        },
      ],
      commands: this.#log.lines,
    };
  }
}
