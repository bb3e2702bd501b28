/** XDP hooks that somebody else has: applying there would be refused, which a plan says before. */
import { NetkitError } from '../../base/errors.js';
import { readChain, type XdpOccupant } from '../../ebpf/dispatcher/chain.js';
import { findInterface } from '../../host/interfaces.js';
import { openNetns } from '../../host/netns.js';
import type { StateStore } from '../store.js';
import type { ManifestPlan } from './plan-manifest.js';
import { type AttachStep, describePlaceOf } from './step.js';

/** What stands in the way of a plan, a line each. Where this user may not look, nothing is known to. */
export function obstaclesOf({ functions }: ManifestPlan, { store, bpffs }: Where): string[] {
  return functions.flatMap(({ name, steps }) =>
    steps.flatMap((step) => {
      const occupant = step.kind === 'attach' ? strangerAt(step, { store, bpffs }) : undefined;
      if (step.kind !== 'attach' || occupant === undefined) return [];
      const { program } = step.place;
      return [
        `${name}/${program} cannot be attached to ${describePlaceOf(step.place)} as long as '${occupant.name}', id ${occupant.programId}, is there, which is not netkit's`,
      ];
    }),
  );
}

interface Where {
  readonly store: StateStore;
  readonly bpffs: string;
}

type Stranger = Extract<XdpOccupant, { kind: 'program' }>;

/** A chain by libxdp's protocol has room for more, whoever began it; what netkit recorded there may go with the same plan. */
function strangerAt({ place }: AttachStep, { store, bpffs }: Where): Stranger | undefined {
  const { hook, isInterface, target: ifname, options } = place;
  if (hook !== 'xdp' || !isInterface || ifname === undefined || options.mode === 'offload') return undefined;
  try {
    using netns = place.netns === undefined ? undefined : openNetns(place.netns);
    const { ifindex, netnsInode } = findInterface(ifname, netns);
    const isOurs = store
      .names()
      .flatMap((name) => store.peek(name)?.links ?? [])
      .some(
        ({ hook: other, target }) =>
          other === 'xdp' &&
          target.kind === 'interface' &&
          target.ifindex === ifindex &&
          target.netns.inode === netnsInode,
      );
    const occupant = isOurs ? undefined : readChain({ ifname, ifindex, netns, bpffs });
    return occupant?.kind === 'program' ? occupant : undefined;
  } catch (error) {
    // What is missing is told of elsewhere, or by the attempt.
    if (error instanceof NetkitError) return undefined;
    throw error;
  }
}
