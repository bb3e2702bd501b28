/**
 * Rungs that are flooded in turns of some milliseconds, within one call. What a machine that is shared with others changes its
 * pace by is the same for all of them then, and the start of a call, which takes longer than they do, comes once.
 */
import { messageOf } from '../../../base/errors.js';
import { type InTurn, mostInTurn, type Sender, type Sent } from '../../lab/sender.js';
import type { Measurement, Together, Variant } from '../../scenario.js';
import { Flood, measurementOf } from './flood.js';
import type { DropVariant } from './variant.js';

/** Long enough that waking the receiver up is a small part of it. */
const turnSeconds = 0.002;

export class DropsInTurns implements Together {
  readonly variants: readonly Variant[];
  readonly #drops: readonly DropVariant[];
  readonly #sender: Pick<Sender, 'sendInTurns'>;

  /** @param variants those that can take turns are taken */
  constructor(variants: readonly DropVariant[], sender: Pick<Sender, 'sendInTurns'>) {
    this.#drops = variants.filter(({ canTakeTurns }) => canTakeTurns).slice(0, mostInTurn);
    this.variants = this.#drops;
    this.#sender = sender;
  }

  async measure(
    variants: readonly Variant[],
    seconds: number,
  ): Promise<readonly (Measurement | Error)[] | undefined> {
    const drops = variants.flatMap((variant) => this.#drops.find((drop) => drop === variant) ?? []);
    const floods = drops.map((drop) => attempt(() => new Flood(drop.standing)));
    const turns = Math.max(1, Math.round(seconds / turnSeconds));
    const wires = drops.map((drop): InTurn => drop.inTurn(seconds, turns));
    const all = this.#sender.sendInTurns(wires, turns);
    if (all.some(({ interrupted, seconds: took }) => interrupted || took <= 0)) return undefined;
    const measured: (Measurement | Error)[] = [];
    for (const [index, drop] of drops.entries()) measured.push(await ended(drop, floods[index], all[index]));
    return measured;
  }
}

/** One that cannot be counted does not stop the others. */
async function ended(
  drop: DropVariant,
  flood: Flood | Error | undefined,
  sent: Sent | undefined,
): Promise<Measurement | Error> {
  if (flood instanceof Error) return flood;
  if (flood === undefined || sent === undefined) throw new TypeError('each wire has an outcome');
  try {
    const pass = await flood.ended(sent);
    drop.remember(pass);
    return measurementOf(pass);
  } catch (error) {
    return asError(error);
  }
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    return asError(error);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error));
}
