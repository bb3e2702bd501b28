/**
 * Runs a scenario: looks at verdicts and packets, warms up, then measures every variant once in each block, in an order drawn
 * from the seed, until the time is over or somebody has seen enough.
 */
import { messageOf, NetkitError } from '../base/errors.js';
import { Scope } from '../base/scope.js';
import type { BenchCheck, BenchGroup, BenchVariant, Measured } from './document.js';
import { goOn } from './go-on.js';
import { EnvironmentRecord } from './lab/environment.js';
import { mergedHistograms } from './merged-histograms.js';
import type { Group, Measurement, MetricHistogram, Scenario, Variant } from './scenario.js';
import { TimeBox } from './schedule.js';
import { Random } from './statistics/random.js';

export interface RunOptions {
  /** The time box for everything, from now on. */
  readonly seconds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** The command line, for the document. */
  readonly command: string;
  /** netkit's version, for the document. */
  readonly version: string;
  /** Says what goes on now, and how long it will still take. */
  progress(what: string): void;
}

/**
 * Everything that the scenario made is gone when this returns or throws. When it was interrupted after the first block, what
 * was measured until then comes back.
 * @throws NetkitError `interrupted` before anything was measured; what the scenario's set-up throws
 */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Measured> {
  const { seconds, seed, signal, command, version, progress } = options;
  const box = new TimeBox(seconds);
  const started = new Date();
  const environment = new EnvironmentRecord();
  using scope = new Scope();
  progress('setting up');
  const prepared = await scenario.prepare({ scope, seconds, seed, signal, progress });
  progress('checking verdicts and packets');
  const tracks = await checkedTracks(prepared.groups, signal);
  const run = new BlockRun(tracks, box, options);
  await run.warmUp(scenario);
  await run.measure();
  if (run.blocks === 0) goOn(signal);
  for (const track of tracks) track.judge();
  const groups = groupsOf(prepared.groups, tracks);
  return {
    schemaVersion: 1,
    scenario: scenario.name,
    title: scenario.title,
    netkit: version,
    command,
    started: started.toISOString(),
    seconds: box.elapsed,
    ended: signal.aborted ? 'interrupted' : 'whole',
    seed,
    environment: environment.finish(prepared.environment?.() ?? {}, prepared.busySeconds?.()),
    limits: prepared.limits?.(groups) ?? [],
    groups: prepared.complete?.(groups) ?? groups,
    notes: [...(prepared.notes?.() ?? [])],
  };
}

/** A variant and all that became of it. */
class Track {
  readonly group: Group;
  readonly variant: Variant;
  readonly record: BenchVariant;
  readonly #histograms: MetricHistogram[] = [];

  constructor(group: Group, variant: Variant, checks: readonly BenchCheck[]) {
    this.group = group;
    this.variant = variant;
    const { name, title, description, role, series = null, x = null } = variant;
    const text = { name, title, description, role, series, x };
    this.record = { ...text, checks: [...checks], samples: [], histograms: [] };
  }

  /** One that failed a check is not measured. */
  get isValid(): boolean {
    return this.record.checks.every(({ ok }) => ok);
  }

  /** @param measured an error when it could not be: the others go on, and one that fails in the warm-up is not measured at all */
  add(measured: Measurement | Error, block: number, at: number): void {
    if (measured instanceof Error) {
      this.record.checks.push({ name: 'measurement', ok: false, detail: messageOf(measured) });
      return;
    }
    const { seconds, values, failed = [], histograms = [] } = measured;
    this.record.samples.push({ block, at, seconds, values: { ...values }, checks: [...failed] });
    this.#histograms.push(...histograms);
  }

  /** Forgets what the warm-up gave. */
  clear(): void {
    this.record.samples.length = 0;
    this.#histograms.length = 0;
  }

  judge(): void {
    this.record.histograms.push(...mergedHistograms(this.#histograms));
    const { checks, samples, histograms } = this.record;
    if (this.isValid) checks.push(...(this.variant.judge?.(samples, histograms) ?? []));
  }
}

async function checkedTracks(groups: readonly Group[], signal: AbortSignal): Promise<Track[]> {
  const tracks: Track[] = [];
  for (const group of groups) {
    for (const variant of group.variants) {
      goOn(signal);
      tracks.push(new Track(group, variant, await checksOf(variant)));
      await turn();
    }
  }
  return tracks;
}

async function checksOf(variant: Variant): Promise<readonly BenchCheck[]> {
  try {
    return await variant.check();
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'interrupted') throw error;
    return [{ name: 'check', ok: false, detail: messageOf(error) }];
  }
}

/** How often a measurement is begun that a signal ends. */
const attempts = 3;

/** Blocks until the time is over. */
class BlockRun {
  readonly #tracks: readonly Track[];
  readonly #box: TimeBox;
  readonly #options: RunOptions;
  readonly #random: Random;
  /** Seconds that a variant measures in a block. */
  #slice = 0;
  /** Whole ones. */
  blocks = 0;

  constructor(tracks: readonly Track[], box: TimeBox, options: RunOptions) {
    this.#tracks = tracks.filter(({ isValid }) => isValid);
    this.#box = box;
    this.#options = options;
    this.#random = new Random(options.seed, 'order');
  }

  /** One block that does not count: caches fill, and it shows what a block takes beside measuring. */
  async warmUp(slices: Pick<Scenario, 'sliceSeconds' | 'shortestSliceSeconds'>): Promise<void> {
    if (this.#tracks.length === 0) return;
    this.#options.progress('warming up');
    this.#slice = this.#box.slice(slices, this.#tracks.length, 0);
    const before = this.#box.elapsed;
    await this.#block(0);
    const took = this.#box.elapsed - before;
    for (const track of this.#tracks) track.clear();
    const beside = Math.max(0, took / this.#tracks.length - this.#slice);
    this.#slice = this.#box.slice(slices, this.#tracks.length, beside);
    this.#box.blockTook((this.#slice + beside) * this.#tracks.length);
  }

  async measure(): Promise<void> {
    const { signal } = this.#options;
    // One at least, however short the time.
    while (this.#tracks.length > 0 && !signal.aborted && (this.blocks === 0 || this.#box.hasRoom)) {
      this.#options.progress(`block ${this.blocks + 1}, ${this.#box.left}`);
      const before = this.#box.elapsed;
      if (!(await this.#block(this.blocks))) return;
      this.#box.blockTook(this.#box.elapsed - before);
      this.blocks += 1;
    }
  }

  /** @returns false when it was interrupted */
  async #block(block: number): Promise<boolean> {
    for (const { tracks: all, measure } of this.#order()) {
      const tracks = all.filter(({ isValid }) => isValid);
      if (tracks.length > 0 && !(await this.#measured(tracks, measure, block))) return false;
    }
    return true;
  }

  /** @returns false when it was interrupted by the user: by any other signal it is only done once more */
  async #measured(tracks: readonly Track[], measure: Unit['measure'], block: number): Promise<boolean> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      // Signals arrive between two turns of the event loop alone.
      await turn();
      if (this.#options.signal.aborted) return false;
      const at = this.#box.elapsed;
      const measured = await outcomesOf(tracks, measure, this.#slice);
      if (measured === undefined) continue;
      for (const [index, track] of tracks.entries())
        track.add(measured[index] ?? new Error('nothing was measured'), block, at);
      return true;
    }
    return !this.#options.signal.aborted;
  }

  /** Groups in random order, and what is measured in each, which is compared with one another, likewise. */
  #order(): Unit[] {
    const groups = [...new Set(this.#tracks.map(({ group }) => group))];
    return this.#random.shuffled(groups).flatMap((group) => {
      const own = this.#random.shuffled(this.#tracks.filter((track) => track.group === group));
      const { together } = group;
      if (together === undefined) return own.map(single);
      const joined = own.filter(({ variant }) => together.variants.includes(variant));
      const unit: Unit = {
        tracks: joined,
        measure: (tracks, seconds) =>
          together.measure(
            tracks.map(({ variant }) => variant),
            seconds,
          ),
      };
      // Where the first of them would have been.
      return own.flatMap((track) => {
        if (!joined.includes(track)) return [single(track)];
        return track === joined[0] ? [unit] : [];
      });
    });
  }
}

/** What is measured at a time. */
interface Unit {
  readonly tracks: readonly Track[];
  /** @returns for each of some of them what came of it; undefined when it was interrupted */
  measure(tracks: readonly Track[], seconds: number): Promise<readonly (Measurement | Error)[] | undefined>;
}

function single(track: Track): Unit {
  return {
    tracks: [track],
    measure: async (_, seconds) => {
      const measured = await track.variant.measure(seconds);
      return measured === undefined ? undefined : [measured];
    },
  };
}

async function outcomesOf(
  tracks: readonly Track[],
  measure: Unit['measure'],
  seconds: number,
): Promise<readonly (Measurement | Error)[] | undefined> {
  try {
    return await measure(tracks, seconds);
  } catch (error) {
    const failed = error instanceof Error ? error : new Error(messageOf(error));
    return tracks.map(() => failed);
  }
}

function groupsOf(groups: readonly Group[], tracks: readonly Track[]): BenchGroup[] {
  return groups.map((group) => ({
    name: group.name,
    title: group.title,
    axis: group.axis,
    metrics: [...group.metrics],
    variants: tracks.filter((track) => track.group === group).map(({ record }) => record),
  }));
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
