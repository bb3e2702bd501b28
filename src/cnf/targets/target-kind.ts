/** What there is to know of one kind of target, whichever hook it is the target of. */
import type { Target } from '../link-state.js';

/** How the command line names targets that are recorded. */
export interface TargetWords {
  /** TARGET; undefined means every one. */
  readonly text: string | undefined;
  /** The value of `--netns`. */
  readonly netns: string | undefined;
}

export interface TargetKind<T extends Target = Target> {
  readonly kind: T['kind'];
  /** Whether both are the same thing, now. */
  same(one: T, other: T): boolean;
  /** As a user writes it on the command line; null where the command line has no word for it but `--netns`. */
  text(target: T): string | null;
  /** `eth0 in netns blue` */
  describe(target: T): string;
  /** {@link describe} for somebody who looks for it from the network namespace with this inode. */
  whereabouts(target: T, here: number): string;
  /** What a link's name is made of. */
  nameFor(target: T): string;
  /** Why an attachment can be dead: `the interface is gone`. */
  readonly gone: string;
  /** Which recorded targets the words mean, dead ones included. */
  meant(words: TargetWords): (target: T) => boolean;
  /** The same target after a reboot. @throws NetkitError `not-found` */
  relocate(target: T): T;
}
