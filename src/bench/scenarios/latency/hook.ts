/** What requests pass on their way to the server, and what counts them there. */
import type { Scope } from '../../../base/scope.js';
import type { CommandLog } from '../../lab/command-log.js';
import type { Wire } from '../../lab/network.js';
import type { Family } from '../../lab/packet.js';

export interface Hook {
  readonly name: string;
  readonly title: string;
  /** What it is exactly. */
  description(options: HookOptions): string;
  /** What it is made with, beside netkit. */
  readonly tool?: { readonly name: string; readonly versionArgs: readonly string[] };
  /**
   * Sets it up at the receiver.
   * @throws NetkitError when that does not work here: the others go on without it, and the report says why
   * @returns how many requests it has seen since
   */
  setUp(stand: HookStand): () => number;
}

export interface HookOptions {
  readonly family: Family;
  /** Rules that a request does not match before the one that it does. */
  readonly rules: number;
}

/** Where a hook stands. */
export interface HookStand extends HookOptions {
  readonly wire: Pick<Wire, 'to'>;
  /** Ends with the benchmark. */
  readonly scope: Scope;
  readonly log: CommandLog;
  /** The port that requests go to. */
  readonly port: number;
}
