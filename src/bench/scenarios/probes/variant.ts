/** An operation with a probe in its way, or with none: attached while it is measured, and gone after it. */

import { startCounting } from '../../../ebpf/profile/statistics.js';
import type { Program } from '../../../ebpf/program.js';
import { ahead } from '../../../host/affinity.js';
import type { BenchCheck } from '../../document.js';
import type { Measurement, Variant } from '../../scenario.js';
import { clockPeriod, type Hook, type Where } from './hooks.js';
import { type Operation, timeOperation } from './operations.js';

/** Operations of a check. */
const checked = 1000;
/** By the clock, in seconds: some dozens of runs. */
const checkedSeconds = 0.02;
/** How often a check is begun that something else passed the same place in. */
const attempts = 3;
/** Less of what the clock should have brought, and it did not keep up. */
const leastOfClock = 0.8;

type Texts = Pick<Variant, 'name' | 'title' | 'role'>;

/** With nothing in its way. */
export function bareVariant(operation: Operation, texts: Texts): Variant {
  return {
    ...texts,
    description: operation.description,
    check: async () => {
      operation.run(checked);
      return [{ name: 'operation', ok: true, detail: `${checked} of ${checked} done` }];
    },
    measure: async (seconds) => {
      const { time, seconds: took } = timeOperation(operation, seconds);
      return { seconds: took, values: { time } };
    },
  };
}

/** A loaded program, and how often it has run on this process's CPU, where it counts that itself. */
export interface ProbeProgram {
  readonly program: Program;
  readonly runs: (() => number) | undefined;
}

export class ProbeVariant implements Variant {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly role: Variant['role'];
  readonly hook: Hook;
  readonly #operation: Operation;
  readonly #where: Where;
  readonly #probe: ProbeProgram;

  constructor(texts: Texts, hook: Hook, operation: Operation, where: Where, probe: ProbeProgram) {
    this.name = texts.name;
    this.title = texts.title;
    this.role = texts.role;
    const does = probe.runs === undefined ? 'does nothing' : 'counts in a map per CPU';
    this.description = `a program that ${does}, at ${hook.place}`;
    this.hook = hook;
    this.#operation = operation;
    this.#where = where;
    this.#probe = probe;
  }

  /** The program runs as often as it should while it is attached, and no more after that. */
  async check(): Promise<BenchCheck[]> {
    let checks = this.#countedRuns();
    for (let again = 1; again < attempts && checks.some(({ ok }) => !ok); again++)
      checks = this.#countedRuns();
    return checks;
  }

  async measure(seconds: number): Promise<Measurement> {
    const { runs } = this.#probe;
    const { timing, ran } = this.#attached(() => {
      const before = runs?.();
      const done = timeOperation(this.#operation, seconds);
      return { timing: done, ran: runs === undefined ? undefined : runs() - (before ?? 0) };
    });
    const failed: BenchCheck[] = [];
    const least = this.#leastRuns(timing.operations, timing.seconds);
    if (ran !== undefined && ran < least)
      failed.push({ name: 'runs', ok: false, detail: `the program ran ${ran} times, not ${least}` });
    return { seconds: timing.seconds, values: { time: timing.time }, failed };
  }

  #attached<T>(work: () => T): T {
    using _attachment = this.#probe.program.attach(this.hook.options(this.#where));
    return work();
  }

  #countedRuns(): BenchCheck[] {
    // A program that does not count itself is counted by the kernel, on every CPU.
    using _counting = this.#probe.runs === undefined ? startCounting() : undefined;
    const runs = this.#probe.runs ?? (() => Number(this.#probe.program.info().runCount));
    const isExact =
      this.#probe.runs !== undefined && this.hook.runs !== 'by the clock' && this.hook.runs.isExact;
    const during = this.#attached(() => this.#runsOf(runs));
    const after = this.#runsOf(runs).ran;
    return [
      {
        name: 'runs',
        ok: isExact ? during.ran === during.least : during.ran >= during.least,
        detail: `ran ${during.ran} times in ${during.operations} operations, ${isExact ? 'exactly' : 'at least'} ${during.least} expected`,
      },
      { name: 'detached', ok: after === 0, detail: `ran ${after} times after it was detached` },
    ];
  }

  /** Ordinary processes do not get this CPU meanwhile, and so do not pass the place. */
  #runsOf(runs: () => number): { readonly ran: number; readonly least: number; readonly operations: number } {
    return ahead(() => {
      const before = runs();
      const started = performance.now();
      let operations = 0;
      do {
        this.#operation.run(checked);
        operations += checked;
      } while (this.hook.runs === 'by the clock' && performance.now() - started < checkedSeconds * 1000);
      const ran = runs() - before;
      return { ran, operations, least: this.#leastRuns(operations, (performance.now() - started) / 1000) };
    });
  }

  #leastRuns(operations: number, seconds: number): number {
    if (this.hook.runs !== 'by the clock') return this.hook.runs.times * operations;
    return Math.floor(((seconds * 1e9) / clockPeriod) * leastOfClock);
  }
}
