/** How the time is spent. */
import type { Scenario } from './scenario.js';

/**
 * Slices are made shorter to get so many blocks into the time: many short ones find a difference that few long ones do not,
 * where the machine is shared with others.
 */
const wantedBlocks = 40;
/** Below this a slice says little, unless its scenario knows better: starting and stopping would be most of it. */
const usualShortest = 0.03;

type Slices = Pick<Scenario, 'sliceSeconds' | 'shortestSliceSeconds'>;

export class TimeBox {
  readonly #started = performance.now();
  readonly #seconds: number;
  #block = 0;

  /** @param seconds from now on, for everything */
  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** Seconds since the beginning. */
  get elapsed(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Whether another block fits in, if it takes as long as the last ones. */
  get hasRoom(): boolean {
    return this.elapsed + this.#block <= this.#seconds;
  }

  /** `3 min 20 s left` */
  get left(): string {
    const seconds = Math.max(0, Math.round(this.#seconds - this.elapsed));
    const minutes = Math.floor(seconds / 60);
    return `${minutes > 0 ? `${minutes} min ` : ''}${seconds % 60} s left`;
  }

  /** How long each of `count` variants may measure, when each takes `beside` seconds more. */
  slice(
    { sliceSeconds, shortestSliceSeconds = usualShortest }: Slices,
    count: number,
    beside: number,
  ): number {
    const share = (this.#seconds - this.elapsed) / (wantedBlocks * count) - beside;
    return Math.min(sliceSeconds, Math.max(shortestSliceSeconds, share));
  }

  /** What the last block took: half of it counts, so that one that was long does not end everything. */
  blockTook(seconds: number): void {
    this.#block = this.#block === 0 ? seconds : (this.#block + seconds) / 2;
  }
}
