/** Where requests go. */
import type { Family } from '../packet.js';

/** `tcp` is one connection that lasts; `connect` a connection for each request, which ends with the answer. */
export type Protocol = 'udp' | 'tcp' | 'connect';

export const protocols: readonly Protocol[] = ['udp', 'tcp', 'connect'];

export interface Route {
  readonly family: Family;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
  /** Bytes of a request, and of its answer. */
  readonly size: number;
}
