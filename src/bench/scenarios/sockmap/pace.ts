/** How fast streams go when nothing but the paths holds them up, and the pace that all of them carry. */
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

/**
 * Chunks a second: half of what the slowest path carries.
 * @param goOn throws when nobody wants to know any more
 * @throws NetkitError `failed` when one of them carries nothing
 */
export async function paceOf(
  passages: readonly Pick<Passable, 'run'>[],
  chunks: Chunks,
  goOn: () => void,
): Promise<number> {
  const best = passages.map(() => 0);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, passage] of passages.entries()) {
      goOn();
      const { result } = await passage.run(chunks, { kind: 'closed', window, seconds: trySeconds, patience });
      const rate = result.seconds > 0 ? result.answered / result.seconds : 0;
      best[index] = Math.max(best[index] ?? 0, rate);
    }
  }
  return rounded(Math.min(...best) * pacedShare);
}

/** Two digits that count: it is no more exact than that. */
function rounded(rate: number): number {
  const digit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, rate))) - 1);
  return Math.max(1, Math.floor(rate / digit) * digit);
}
