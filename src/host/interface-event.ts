import type { NetkitError } from '../base/errors.js';

/** What became of an interface or a network namespace; `netns` as `InterfaceEvents.follow` was told it. */
export type InterfaceEvent =
  | {
      /** `up` and `down`: switched on and off, whatever the carrier. What appears switched on is told as `up` too. */
      readonly kind: 'appeared' | 'gone' | 'up' | 'down';
      readonly netns: string | null;
      readonly ifname: string;
      readonly ifindex: number;
    }
  | {
      readonly kind: 'renamed';
      readonly netns: string | null;
      readonly ifname: string;
      readonly ifindex: number;
      /** Its name until now. */
      readonly before: string;
    }
  /** Each of its interfaces is told beside it. */
  | { readonly kind: 'netns-appeared' | 'netns-gone'; readonly netns: string }
  /** More happened than the kernel could keep: what differs from before is told beside it, what came and went is not. */
  | { readonly kind: 'lost'; readonly netns: string | null }
  /** The namespace cannot be followed now; that is tried again. */
  | { readonly kind: 'blind'; readonly netns: string | null; readonly error: NetkitError };
