/**
 * Rungs that are flooded in turns of some milliseconds, within one call. What a machine that is shared with others changes its
 * pace by is the same for all of them then, and the start of a call, which takes longer than they do, comes once.
 */
import { messageOf } from '../../../base/errors.js';
import { type InTurn, mostInTurn, type Sender, type Sent } from '../../lab/sender.js';
import type { Measurement, Together, Variant } from '../../scenario.js';
import { Flood, measurementOf } from './flood.js';
import { type DropVariant, sumOf } from './variant.js';

/** Long enough that waking the receiver up is a small part of it. */
const turnSeconds = 0.002;
/** A thread that goes before all others for longer loses its CPU to them all the same, for 50 ms of each second. */
const callSeconds = 0.5;

export class DropsInTurns implements Together {
  readonly variants: readonly DropVariant[];
  readonly #sender: Pick<Sender, 'sendInTurns'>;

  /** @param variants those that can take turns do, or none where they are too many: a control is measured as its reference is */
  constructor(variants: readonly DropVariant[], sender: Pick<Sender, 'sendInTurns'>) {
    const able = variants.filter(({ canTakeTurns }) => canTakeTurns);
    this.variants = able.length <= mostInTurn ? able : [];
    this.#sender = sender;
  }

  async measure(
    variants: readonly Variant[],
    seconds: number,
  ): Promise<readonly (Measurement | Error)[] | undefined> {
    const drops = variants.map((variant) => this.#own(variant));
    // What is not known yet, such as how many packets two milliseconds are, a short flood tells.
    if (drops.some(({ isKnown }) => !isKnown) && (await this.#flood(drops, turnSeconds)) === undefined)
      return undefined;
    return await this.#flood(drops, seconds);
  }

  #own(variant: Variant): DropVariant {
    const own = this.variants.find((each) => each === variant);
    if (own === undefined) throw new TypeError(`'${variant.name}' takes no turns`);
    return own;
  }

  async #flood(
    drops: readonly DropVariant[],
    seconds: number,
  ): Promise<readonly (Measurement | Error)[] | undefined> {
    const floods = drops.map((drop) => attempt(() => new Flood(drop.standing)));
    let sent: Sent[];
    try {
      sent = this.#send(drops, seconds);
    } catch {
      // It is one of them alone, as a rule, and by itself each tells.
      return await oneByOne(drops, seconds);
    }
    if (sent.some(({ interrupted }) => interrupted)) return undefined;
    const measured: (Measurement | Error)[] = [];
    for (const [index, drop] of drops.entries()) measured.push(await ended(drop, floods[index], sent[index]));
    return measured;
  }

  /** In as many calls as it takes for none to be long. */
  #send(drops: readonly DropVariant[], seconds: number): Sent[] {
    let left = Math.max(1, Math.round(seconds / turnSeconds));
    const wires = (turns: number): InTurn[] => drops.map((drop) => drop.inTurn(turnSeconds, turns));
    const round = wires(1).reduce((sum, { pauseSeconds }) => sum + turnSeconds + pauseSeconds, 0);
    const most = Math.max(1, Math.floor(callSeconds / round));
    let sums: Sent[] | undefined;
    while (left > 0) {
      const turns = Math.min(left, most);
      const sent = this.#sender.sendInTurns(wires(turns), turns);
      sums = sums?.map((sum, index) => sumOf(sum, sent[index] ?? sum)) ?? sent;
      if (sent.some(({ interrupted }) => interrupted)) break;
      left -= turns;
    }
    return sums ?? [];
  }
}

async function oneByOne(
  drops: readonly DropVariant[],
  seconds: number,
): Promise<readonly (Measurement | Error)[] | undefined> {
  const measured: (Measurement | Error)[] = [];
  for (const drop of drops) {
    try {
      const one = await drop.measure(seconds);
      if (one === undefined) return undefined;
      measured.push(one);
    } catch (error) {
      measured.push(asError(error));
    }
  }
  return measured;
}

/** One that cannot be counted does not stop the others. */
async function ended(
  drop: DropVariant,
  flood: Flood | Error | undefined,
  sent: Sent | undefined,
): Promise<Measurement | Error> {
  if (flood instanceof Error) return flood;
  if (flood === undefined || sent === undefined) throw new TypeError('each wire has an outcome');
  if (sent.seconds <= 0) return new Error('its packets were not sent');
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
