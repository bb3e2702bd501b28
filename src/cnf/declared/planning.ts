/** What plans are made from. */
import type { StateStore } from '../store.js';
import type { Appeared } from './links.js';

export interface Planning {
  readonly bpffs: string;
  readonly bootId: string;
  readonly store: StateStore;
  readonly signal: AbortSignal | undefined;
  /** Interfaces that are missing are waited for, whatever the manifests say. */
  readonly waits?: boolean;
  /** Attach only where an interface has appeared since; what somebody took off stays off. */
  readonly onlyAppeared?: Appeared | false;
  note(text: string): void;
}
