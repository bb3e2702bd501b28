/** A path as a variant: what is checked of it before, how a slice is measured, and when a figure means nothing. */
import { messageOf } from '../../../base/errors.js';
import type { BenchCheck, BenchHistogram, BenchSample } from '../../document.js';
import type { Chunks, Loop } from '../../lab/requests/orders.js';
import { quantity } from '../../quantity.js';
import type { Measurement, Variant } from '../../scenario.js';
import { percentileOf } from '../../statistics/histogram.js';
import { median } from '../../statistics/quantile.js';
import { failures, generatorChecks } from '../latency/variant.js';
import type { Passage, PassageRun } from './passage.js';

/** What a variant needs of a path that stands. */
export type Passable = Pick<Passage, 'path' | 'run' | 'compare'>;

/** Seconds for which the last answers are waited for. */
export const patience = 0.5;
/** Some hundred pieces of many sizes. */
const comparedBytes = 2 << 20;
/** With less of the receiver's CPU than this in use it is something else that sets the pace. */
const leastShare = 0.75;
/** So many samples may be so. */
const limitedShare = 0.2;
const mebibyte = 2 ** 20;

/** Bytes arrive as they were sent, in order, and who should have them had them. Looked at once for all variants of a path. */
export class CheckedPath {
  readonly #passage: Passable;
  #checks: readonly BenchCheck[] | undefined;

  constructor(passage: Passable) {
    this.#passage = passage;
  }

  async checks(): Promise<readonly BenchCheck[]> {
    this.#checks ??= await this.#look();
    return this.#checks;
  }

  /** It has turned out later not to carry what it should. */
  async fail(detail: string): Promise<void> {
    this.#checks = [...(await this.checks()), { name: 'stream', ok: false, detail }];
  }

  async #look(): Promise<BenchCheck[]> {
    let compared: Awaited<ReturnType<Passable['compare']>>;
    try {
      compared = await this.#passage.compare(comparedBytes, 1);
    } catch (error) {
      return [{ name: 'bytes', ok: false, detail: messageOf(error) }];
    }
    const { same, copied, redirected } = compared;
    return [
      {
        name: 'bytes',
        ok: same === comparedBytes,
        detail: `${quantity(same, 'bytes')} of ${quantity(comparedBytes, 'bytes')}, sent in pieces of many sizes, came back as they were`,
      },
      // There and back.
      wayCheck(this.#passage, { copied, redirected }, 2 * comparedBytes),
    ];
  }
}

/** Whether the proxy has read what it should: all of it, or nothing. */
function wayCheck(
  { path }: Passable,
  { copied, redirected }: Pick<PassageRun, 'copied' | 'redirected'>,
  least: number,
): BenchCheck {
  const isRedirected = path.joint !== undefined;
  const wanted = { copied: isRedirected || !path.hasProxy ? 0 : least, redirected: isRedirected ? least : 0 };
  return {
    name: 'way',
    ok: (wanted.copied === 0 ? copied === 0 : copied >= wanted.copied) && redirected >= wanted.redirected,
    detail: `the proxy read ${quantity(copied, 'bytes')}, programs redirected ${quantity(redirected, 'bytes')}`,
  };
}

export interface Measured {
  /** What is sent, and answered. */
  readonly chunks: Chunks;
  readonly loop: (seconds: number, slice: number) => Loop;
  /** Whether single times count, or how much there was in all. */
  readonly isPaced: boolean;
  /** Nanoseconds: a slice in which one in a thousand was sent later than this was disturbed at the client. */
  readonly heldUp?: number;
}

export class SockmapVariant implements Variant {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly role: Variant['role'];
  readonly #passage: Passable;
  readonly #checked: CheckedPath;
  readonly #measured: Measured;
  #slices = 0;

  constructor(passage: Passable, checked: CheckedPath, measured: Measured, role: Variant['role']) {
    const { name, title, description } = passage.path;
    const isAgain = role === 'control';
    this.name = isAgain ? `${name} again` : name;
    this.title = isAgain ? `${title} (again)` : title;
    this.description = description;
    this.role = role;
    this.#passage = passage;
    this.#checked = checked;
    this.#measured = measured;
  }

  check(): Promise<readonly BenchCheck[]> {
    return this.#checked.checks();
  }

  async measure(seconds: number): Promise<Measurement> {
    this.#slices += 1;
    const { chunks, loop, isPaced, heldUp } = this.#measured;
    const run = await this.#passage.run(chunks, loop(seconds, this.#slices));
    const { result, busy } = run;
    const failed = [...this.#accountFailures(run), ...(isPaced ? failures(result, heldUp) : lost(run))];
    const part = (ns: number): number => Math.min(1, ns / 1e9 / result.elapsed);
    const bytes = result.answered * chunks.size;
    const receiver = busy.napi + busy.proxy + busy.server + busy.workers;
    const forMebibyte = (ns: number): number => (ns * mebibyte) / Math.max(1, bytes);
    const values = {
      'cpu.napi': part(busy.napi),
      'cpu.proxy': part(busy.proxy),
      'cpu.server': part(busy.server),
      'cpu.workers': part(busy.workers),
      ...(isPaced
        ? {
            latency: percentileOf(result.latency, 50) ?? Number.NaN,
            lag: percentileOf(result.lag, 50) ?? Number.NaN,
          }
        : {
            rate: result.seconds > 0 ? bytes / result.seconds : 0,
            proxy: forMebibyte(busy.proxy),
            receiver: forMebibyte(receiver),
          }),
    };
    // What does not count is in no percentile either.
    const histograms =
      failed.length > 0 || !isPaced
        ? []
        : [
            { metric: 'latency', buckets: result.latency },
            { metric: 'lag', buckets: result.lag },
          ];
    return { seconds: result.elapsed, values, failed, histograms };
  }

  judge(samples: readonly BenchSample[], histograms: readonly BenchHistogram[]): BenchCheck[] {
    return this.#measured.isPaced ? generatorChecks(histograms) : paceSetter(samples);
  }

  #accountFailures(run: PassageRun): BenchCheck[] {
    const { size, answer } = this.#measured.chunks;
    const { answered } = run.result;
    const found: BenchCheck[] = [];
    if (run.received < answered * size) {
      const detail = `${answered} chunks of ${size} bytes were answered, and the server read ${run.received} bytes`;
      found.push({ name: 'account', ok: false, detail });
    }
    const way = wayCheck(this.#passage, run, answered * (size + answer));
    return way.ok ? found : [...found, way];
  }
}

function lost({ result: { sent, answered } }: PassageRun): BenchCheck[] {
  if (answered === sent) return [];
  return [{ name: 'answers', ok: false, detail: `${sent - answered} of ${sent} chunks were not answered` }];
}

/** Whether the receiver had time left: then it was the client that set the pace. */
function paceSetter(samples: readonly BenchSample[]): BenchCheck[] {
  const counted = samples.filter(({ checks }) => checks.length === 0);
  if (counted.length === 0) return [];
  const busy = counted.map(({ values }) =>
    ['cpu.napi', 'cpu.proxy', 'cpu.server', 'cpu.workers'].reduce(
      (sum, name) => sum + (values[name] ?? 0),
      0,
    ),
  );
  const limited = busy.filter((each) => each < leastShare).length;
  const ok = limited <= counted.length * limitedShare;
  const said = `what receives had ${quantity(Math.min(1, median(busy)), 'share')} of its CPU`;
  const least = quantity(median(counted.map(({ values }) => values['rate'] ?? 0)), 'bytes/s');
  return [
    {
      name: 'generator',
      ok,
      detail: ok ? said : `at least ${least}: ${said}, so the client, or others, set the pace`,
    },
  ];
}
