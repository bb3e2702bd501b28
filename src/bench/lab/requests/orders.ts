/** What is said between a benchmark and the processes that send and answer its requests: a line of JSON each. */
import type { Family } from '../packet.js';
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
    }
  | ({ readonly role: 'stream-server' } & StreamPlace)
  | ({
      readonly role: 'proxy';
      /** The port of the server, which is on the same machine. */
      readonly to: number;
      readonly isPassedBy: boolean;
    } & StreamPlace);

/** Where streams are taken. */
interface StreamPlace {
  readonly family: Family;
  readonly port: number;
  /** A file of the network namespace. */
  readonly netns: string;
}

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
  readonly what: 'run';
  /** A file of the network namespace. */
  readonly netns: string;
  readonly protocol: Protocol;
  readonly route: Omit<Route, 'address'> & { readonly address: readonly number[] };
  readonly loop: Loop;
}

/** Opens a connection, over which nothing goes yet. */
export interface ConnectOrder {
  readonly what: 'connect';
  readonly netns: string;
  readonly route: Omit<Route, 'address' | 'size'> & { readonly address: readonly number[] };
}

/** Sends chunks over it, and closes it. */
export interface StreamOrder {
  readonly what: 'stream';
  readonly chunks: Chunks;
  readonly loop: Loop;
}

/** Sends bytes over it, has all of them sent back, compares, and closes it. */
export interface CompareOrder {
  readonly what: 'compare';
  readonly bytes: number;
  readonly seed: number;
}

export type Order = RunOrder | ConnectOrder | StreamOrder | CompareOrder;

/** What goes over a connection: chunks of so many bytes, and as many for an answer to each. */
export interface Chunks {
  readonly size: number;
  readonly answer: number;
}

export interface RunResult extends Account {
  /** How long it took in all. */
  readonly elapsed: number;
  /** That the generator was on its CPU meanwhile: less than `elapsed` where others took it. */
  readonly busySeconds: number;
}

/** What a process says when it has done something. */
export interface Said {
  readonly result?: RunResult;
  /** Descriptors of connections that stand now. */
  readonly sockets?: readonly number[];
  /** Read of a connection that has ended; of a comparison, those that came back as they were sent. */
  readonly bytes?: number;
}

export type Answer = ({ readonly ok: true } & Said) | { readonly ok: false; readonly message: string };
