/** What a scenario gives to the runner: variants that are measured in turn, and what is known about how that was done. */
import type { Scope } from '../base/scope.js';
import type {
  BenchCheck,
  BenchDocument,
  BenchEnvironment,
  BenchGroup,
  BenchHistogram,
  BenchMetric,
  BenchSample,
} from './document.js';

/** A benchmark, as `netkit bench NAME` runs it. */
export interface Scenario {
  readonly name: string;
  /** What is asked, in one sentence. */
  readonly title: string;
  /** How long one measurement takes, in seconds, when nobody asks for something else. */
  readonly sliceSeconds: number;
  /** The least that a measurement may be cut down to, so that there are enough of them in a short time; 0.03 when left out. */
  readonly shortestSliceSeconds?: number;
  /**
   * Sets up everything that is measured. Whatever it makes belongs to `context.scope`, which ends however the run does;
   * what a killed process would leave behind is held by descriptors, so that the kernel removes it with the process.
   * @throws NetkitError `unsupported`, `not-permitted`, `tool-missing` when nothing can be measured at all
   */
  prepare(context: PrepareContext): Promise<Prepared>;
}

export interface PrepareContext {
  /** Released in reverse order at the end, also after Ctrl-C and errors. */
  readonly scope: Scope;
  /** The time box for everything, setting up included. */
  readonly seconds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Says what is being done now, for who looks at a terminal. */
  progress(what: string): void;
}

/** A scenario that stands and can be measured. */
export interface Prepared {
  readonly groups: readonly Group[];
  /** The generators' own limits; asked for at the end, with what was measured. */
  limits?(groups: readonly BenchGroup[]): BenchDocument['limits'];
  /** What the scenario adds to the record of the environment; asked for at the end. */
  environment?(): Partial<Pick<BenchEnvironment, 'tools' | 'interfaces' | 'placement' | 'commands'>>;
  /** Seconds that its helpers outside of this process have been on a CPU since it began, such as threads of the kernel. */
  busySeconds?(): number;
  /** Makes of the groups measured those of the document, such as one more that follows from the same samples. */
  complete?(groups: BenchGroup[]): BenchGroup[];
  /** What the figures do not say, and which variants are left out and why; asked for at the end. */
  notes?(): readonly string[];
}

/** Variants that answer one question. */
export interface Group extends Pick<BenchGroup, 'name' | 'title' | 'axis'> {
  readonly metrics: readonly BenchMetric[];
  /** With exactly one of role `reference` and one of role `control`: the reference made once more. */
  readonly variants: readonly Variant[];
  /** Those of them that are measured at the same time. */
  readonly together?: Together;
}

/** Variants that take turns too short for the machine to change meanwhile, instead of one slice after the other. */
export interface Together {
  readonly variants: readonly Variant[];
  /**
   * Measures each of some of them for about `seconds`, as {@link Variant.measure} does for one.
   * @param variants in the order in which they take turns
   * @returns for each what was measured, or why it was not; undefined when it was interrupted
   */
  measure(
    variants: readonly Variant[],
    seconds: number,
  ): Promise<readonly (Measurement | Error)[] | undefined>;
}

/** One thing that is measured. */
export interface Variant {
  /** Once in its group. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** What it is exactly: the rule, the program, the mode. */
  readonly description: string;
  readonly role: 'variant' | 'reference' | 'control';
  /** The curve that it is a point of, and where on the axis, when its group has one. */
  readonly series?: string;
  readonly x?: number;
  /**
   * Looks at verdicts and packets before anything is timed. All that it looked at; one that does not hold makes the variant
   * invalid, and it is not measured.
   */
  check(): Promise<readonly BenchCheck[]>;
  /**
   * Measures for about `seconds`. May block the event loop for so long, not for longer. Undefined when it was interrupted and
   * what there is means nothing.
   */
  measure(seconds: number): Promise<Measurement | undefined>;
  /**
   * What only all samples together tell, such as that the generator was the bottleneck; called at the end.
   * @param histograms of all measurements, merged
   */
  judge?(samples: readonly BenchSample[], histograms: readonly BenchHistogram[]): readonly BenchCheck[];
}

/** What came of one measurement. */
export interface Measurement {
  /** How long was really measured, without what starting and stopping takes. */
  readonly seconds: number;
  /** A value for each metric of the group. */
  readonly values: Readonly<Record<string, number>>;
  /** What does not hold of this sample: it is kept, and does not count. */
  readonly failed?: readonly BenchCheck[];
  /** Single values, such as round-trip times, by metric: the runner merges them into the variant's histogram. */
  readonly histograms?: readonly MetricHistogram[];
}

/** Buckets of a log-linear histogram, as the document has them. */
export interface MetricHistogram {
  readonly metric: string;
  readonly buckets: readonly (readonly [from: number, to: number, count: number])[];
}
