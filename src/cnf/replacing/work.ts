/** Taking entries over to the maps of a function's successor, and what came of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scope } from '../../base/scope.js';
import { Succession } from '../../ebpf/entries/succession.js';
import { BpfMap } from '../../ebpf/map.js';
import type { SuccessionWork } from '../perform.js';
import type { PlannedMap } from './fates.js';
import { fillPrograms } from './program-table.js';

/** What was taken over of one map. */
export interface TakenOver {
  /** How many entries the old map had when its last pass before the swap was over. */
  readonly entries: number;
  /** Entries that the old programs changed after that, and the new map has. */
  readonly carried: number;
  /** Entries that the old and the new programs changed both: what the new ones wrote stands. */
  readonly mayBeLost: number;
}

/** An old program may still be at work on another CPU when its successor is in its place. */
const lastRunsMs = 20;

export interface MapPair {
  readonly map: PlannedMap;
  /** Pins. */
  readonly from: string;
  readonly to: string;
}

/** Runs the tests on the programs that are pinned below `folder`. @throws NetkitError `failed` when one fails */
export type ProgramTest = (folder: string, signal: AbortSignal | undefined) => Promise<void>;

export class Takeover implements SuccessionWork {
  readonly #pairs: readonly MapPair[];
  readonly #folders: { readonly old: string; readonly next: string };
  readonly #test: ProgramTest | undefined;
  readonly #scope: Scope;
  readonly #successions = new Map<string, Succession>();
  readonly #taken = new Map<string, TakenOver>();
  #tested = false;

  /** @param scope owns what is opened */
  constructor(
    pairs: readonly MapPair[],
    folders: { readonly old: string; readonly next: string },
    test: ProgramTest | undefined,
    scope: Scope,
  ) {
    this.#pairs = pairs;
    this.#folders = folders;
    this.#test = test;
    this.#scope = scope;
  }

  /** By the names of the maps; of those that were migrated or refilled. */
  get taken(): ReadonlyMap<string, TakenOver> {
    return this.#taken;
  }

  async migrate(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
    const pair = this.#pairs.find((each) => each.from === from);
    if (pair === undefined) throw new TypeError(`no map is to be migrated from ${from}`);
    const { map } = pair;
    if (map.sides === undefined) return this.#refill(pair);
    const succession = this.#scope.use(new Succession(BpfMap.fromPin(from), BpfMap.fromPin(to), map.sides));
    this.#successions.set(map.name, succession);
    const entries = await succession.copy(signal);
    this.#taken.set(map.name, { entries, carried: 0, mayBeLost: 0 });
  }

  async test(folder: string, signal: AbortSignal | undefined): Promise<void> {
    this.#tested = true;
    return this.#test?.(folder, signal);
  }

  /** Twice: the first pass takes as long as the copying took, the second one only as long as the first. */
  async catchUp(signal: AbortSignal | undefined): Promise<void> {
    for (const afresh of [this.#tested, false]) {
      for (const [name, succession] of this.#successions) {
        const entries = await succession.catchUp(afresh, signal);
        this.#taken.set(name, { entries, carried: 0, mayBeLost: 0 });
      }
    }
  }

  async carryOver(): Promise<void> {
    for (const isLast of [false, true]) {
      if (this.#successions.size === 0) return;
      if (isLast) await sleep(lastRunsMs);
      for (const [name, succession] of this.#successions) {
        const { carried, mayBeLost } = await succession.carryOver();
        const before = this.#taken.get(name) ?? { entries: 0, carried: 0, mayBeLost: 0 };
        this.#taken.set(name, {
          ...before,
          carried: before.carried + carried,
          mayBeLost: before.mayBeLost + mayBeLost,
        });
      }
    }
  }

  #refill({ map, from, to }: MapPair): void {
    const { old, next } = this.#folders;
    const entries = fillPrograms({ from, to, old, next, filled: map.filled ?? new Set() });
    this.#taken.set(map.name, { entries, carried: 0, mayBeLost: 0 });
  }
}
