/** How fast streams go when nothing but the paths holds them up, and the pace that all of them carry. */
import { messageOf, NetkitError } from '../../../base/errors.js';
import type { Chunks } from '../../lab/requests/orders.js';
import type { Passable } from './variant.js';
import { patience } from './variant.js';

/** Chunks on their way at the same time. */
export const window = 16;
/** Seconds of a run. */
const trySeconds = 0.08;
/** Disturbances make it slower, and never faster: the best one is the nearest. */
const rounds = 3;
/** Of what the slowest carries: no queue grows, and every path has work. */
export const pacedShare = 0.5;

export interface Pace {
  /** Chunks a second: half of what the slowest path carries; 0 when none carries anything. */
  readonly rate: number;
  /** Why paths carry nothing, in the order of the paths; undefined for those that do. */
  readonly broken: readonly (string | undefined)[];
}

/** @param goOn throws when nobody wants to know any more */
export async function paceOf(
  passages: readonly Pick<Passable, 'run'>[],
  chunks: Chunks,
  goOn: () => void,
): Promise<Pace> {
  const best = passages.map(() => 0);
  const broken: (string | undefined)[] = passages.map(() => undefined);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, passage] of passages.entries()) {
      goOn();
      if (broken[index] !== undefined) continue;
      const rate = await rateOf(passage, chunks);
      if (typeof rate === 'string') broken[index] = rate;
      else best[index] = Math.max(best[index] ?? 0, rate);
    }
  }
  for (const [index, rate] of best.entries())
    if (rate === 0) broken[index] ??= `no chunk of ${chunks.size} bytes was answered`;
  const carried = best.filter((_, index) => broken[index] === undefined);
  return { rate: carried.length === 0 ? 0 : rounded(Math.min(...carried) * pacedShare), broken };
}

/** @returns chunks a second, or why there is no telling */
async function rateOf(passage: Pick<Passable, 'run'>, chunks: Chunks): Promise<number | string> {
  try {
    const { result } = await passage.run(chunks, { kind: 'closed', window, seconds: trySeconds, patience });
    return result.seconds > 0 ? result.answered / result.seconds : 0;
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code === 'interrupted') throw error;
    return messageOf(error);
  }
}

/** Two digits that count: it is no more exact than that. */
function rounded(rate: number): number {
  const digit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, rate))) - 1);
  return Math.max(1, Math.floor(rate / digit) * digit);
}
