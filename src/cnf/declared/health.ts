/** Watching whether functions do what they are for, for a while after their programs have come into place. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describeDuration, parseDuration } from '../../base/duration.js';
import { NetkitError } from '../../base/errors.js';
import { exists } from '../../host/folders.js';
import { isAlive } from '../attachment.js';
import { describeTarget } from '../hooks/index.js';
import { functionFolder, stagingFolder } from '../layout.js';
import type { StateStore } from '../store.js';
import { pinnedAs } from './plan-entries.js';
import type { FunctionPlan } from './plan-function.js';
import { type Finding, type HealthProbe, probeOf } from './probe.js';

const defaultSettleMs = 5000;
const longestIntervalMs = 500;
const shortestIntervalMs = 20;

/** What is known of a function's health when its time is over. */
export interface HealthReport {
  readonly function: string;
  readonly healthy: boolean;
  readonly about: string;
  readonly afterMs: number;
}

/** Where pins and state are. */
interface Where {
  readonly bpffs: string;
  readonly store: StateStore;
}

export class HealthWatch {
  readonly name: string;
  readonly settleMs: number;
  readonly #intervalMs: number;
  readonly #probe: HealthProbe | undefined;

  /** @param settleMs in place of what the manifest says */
  constructor({ name, desired }: FunctionPlan, settleMs: number | undefined) {
    const { health } = desired.document.spec;
    this.name = name;
    this.settleMs = settleMs ?? parseDuration(health?.settle ?? '') ?? defaultSettleMs;
    const interval = parseDuration(health?.interval ?? '') ?? this.settleMs / 10;
    this.#intervalMs = Math.min(longestIntervalMs, Math.max(shortestIntervalMs, interval));
    this.#probe =
      health?.probe === undefined
        ? undefined
        : probeOf({
            probe: health.probe,
            spec: desired.spec,
            pinned: (map) => pinnedAs(desired, map),
            folder: desired.folder,
          });
  }

  /** How long {@link watch} takes at most: the last look may begin when the time is over, and the one before it just then. */
  get longestMs(): number {
    return this.settleMs + 2 * (this.#probe?.longestMs ?? 0);
  }

  /** Right before the programs change places. @throws NetkitError `not-found`, `bad-value` for a probe that cannot be asked */
  begin(bpffs: string): void {
    const staged = stagingFolder(bpffs, this.name);
    const folder = exists(staged) ? staged : functionFolder(bpffs, this.name);
    this.#probe?.begin(`${folder}/maps`);
  }

  /** Ends when the time is over, or it is known that the function is not healthy. @throws NetkitError `interrupted` */
  async watch(where: Where, signal: AbortSignal | undefined): Promise<HealthReport> {
    const started = performance.now();
    const report = (healthy: boolean, about: string): HealthReport => ({
      function: this.name,
      healthy,
      about,
      afterMs: Math.round(performance.now() - started),
    });
    for (;;) {
      const left = this.settleMs - (performance.now() - started);
      const finding = await this.#look(where, signal);
      if (finding.verdict === 'bad') return report(false, finding.about);
      if (left <= 0) {
        const isGood = finding.verdict === 'good';
        const words = isGood ? finding.about : `${finding.about} after ${describeDuration(this.settleMs)}`;
        return report(isGood, words);
      }
      await pause(Math.min(left, this.#intervalMs), signal);
    }
  }

  async #look({ bpffs, store }: Where, signal: AbortSignal | undefined): Promise<Finding> {
    const folder = functionFolder(bpffs, this.name);
    const lost = store.read(this.name)?.links.find((link) => !isAlive(folder, link));
    if (lost !== undefined)
      return { verdict: 'bad', about: `${lost.program} is not attached to ${describeTarget(lost)} any more` };
    if (this.#probe === undefined) return { verdict: 'good', about: 'everything is attached' };
    return this.#probe.look(`${folder}/maps`, signal);
  }
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw new NetkitError('interrupted', 'interrupted while health was watched: the change was taken back', {
      cause: error,
    });
  }
}
