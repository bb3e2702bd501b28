/** What is said between a benchmark and the processes that send and answer its requests: a line of JSON each. */
import type { Protocol, Route } from './route.js';
import type { ScheduleOptions } from './schedule.js';
import type { Account } from './timeline.js';

/** What a process is for: its one argument. */
export type PeerRole =
  | { readonly role: 'client' }
  | {
      readonly role: 'server';
      readonly protocol: Protocol;
      readonly route: Omit<Route, 'address'>;
      /** A file of the network namespace. */
      readonly netns: string;
    };

/** Seconds for which answers are waited for. */
interface Patience {
  readonly patience: number;
}

/** Requests at times that are fixed before. */
export interface OpenOrder extends ScheduleOptions, Patience {
  readonly kind: 'open';
}

/** Each request when there is an answer to an earlier one. */
export interface ClosedOrder extends Patience {
  readonly kind: 'closed';
  /** How many are on their way at the same time. */
  readonly window: number;
  readonly seconds: number;
}

export type Loop = OpenOrder | ClosedOrder;

export interface RunOrder {
  /** A file of the network namespace. */
  readonly netns: string;
  readonly protocol: Protocol;
  readonly route: Omit<Route, 'address'> & { readonly address: readonly number[] };
  readonly loop: Loop;
}

export type Order = RunOrder;

export interface RunResult extends Account {
  /** How long it took in all. */
  readonly elapsed: number;
  /** That the generator was on its CPU meanwhile: less than `elapsed` where others took it. */
  readonly busySeconds: number;
}

export type Answer =
  | { readonly ok: true; readonly result?: RunResult }
  | { readonly ok: false; readonly message: string };
