/** All kinds of targets, and what is asked of a target whose kind does not matter. */
import type { Target, TargetKindName, TargetOf } from '../link-state.js';
import { cgroups } from './cgroup.js';
import { interfaces } from './interface.js';
import { mapTargets } from './map.js';
import { mapEntries } from './map-entry.js';
import { namespaces } from './netns.js';
import { routes } from './route.js';
import { sockets } from './socket.js';
import type { TargetKind, TargetWords } from './target-kind.js';
import { texts } from './text.js';

const kinds: { readonly [K in TargetKindName]: TargetKind<TargetOf<K>> } = {
  interface: interfaces,
  netns: namespaces,
  cgroup: cgroups,
  text: texts,
  map: mapTargets,
  'map-entry': mapEntries,
  route: routes,
  socket: sockets,
};

/** The table's type ties each entry to its kind; TypeScript cannot follow that through an index. */
function kindOf(target: Target): TargetKind {
  return kinds[target.kind] as unknown as TargetKind;
}

/** Whether both are the same thing, now. */
export function sameTarget(one: Target, other: Target): boolean {
  return one.kind === other.kind && kindOf(one).same(one, other);
}

/** As a user writes it on the command line; null where only `--netns` tells. */
export function targetText(target: Target): string | null {
  return kindOf(target).text(target);
}

/** `eth0 in netns blue` */
export function describePlace(target: Target): string {
  return kindOf(target).describe(target);
}

/** {@link describePlace}, as seen from the network namespace with the inode `here`. */
export function whereabouts(target: Target, here: number): string {
  return kindOf(target).whereabouts(target, here);
}

/** A part of a link's name. */
export function nameForTarget(target: Target): string {
  return kindOf(target).nameFor(target);
}

/** Why an attachment to such a target can be dead. */
export function goneText(target: Target): string {
  return kindOf(target).gone;
}

/** Which recorded targets the command line means. Each kind looks at the machine once, and only when one is there. */
export function targetsMeant(words: TargetWords): (target: Target) => boolean {
  const answers = new Map<TargetKindName, (target: Target) => boolean>();
  return (target) => {
    const answer = answers.get(target.kind) ?? kindOf(target).meant(words);
    answers.set(target.kind, answer);
    return answer(target);
  };
}

/** The same target after a reboot. @throws NetkitError `not-found` when it is not there (yet) */
export function relocated<T extends Target>(target: T): T;
export function relocated(target: Target): Target {
  return kindOf(target).relocate(target);
}

/** The network namespace that a target is in, or is; undefined for those that have none. */
export function netnsOf(target: Target): { readonly inode: number; readonly ref: string | null } | undefined {
  return 'netns' in target ? target.netns : undefined;
}
