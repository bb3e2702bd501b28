/** All families of hooks, and what is asked of an attachment whose kind does not matter. */

import type { Hook } from '../../base/hook-names.js';
import { sectionMeaning } from '../../obj/sections.js';
import type { FamilyName, LinkOf, LinkState } from '../link-state.js';
import { describePlace } from '../targets/index.js';
import { cgroupFamily } from './cgroup.js';
import type { HookEntry, HookFamily, StatedProgram } from './family.js';
import { freplaceFamily } from './freplace.js';
import { iteratorFamily } from './iterator.js';
import { kprobeFamily } from './kprobe.js';
import { kprobeMultiFamily } from './kprobe-multi.js';
import { lircFamily } from './lirc.js';
import { lwtFamily } from './lwt.js';
import { mapEntryFamily } from './map-entry.js';
import { netfilterFamily } from './netfilter.js';
import { netkitDevFamily } from './netkit-dev.js';
import { netnsFamily } from './netns.js';
import { perfEventFamily } from './perf-event.js';
import { rawTracepointFamily } from './raw-tracepoint.js';
import { socketFamily } from './socket.js';
import { sockmapFamily } from './sockmap.js';
import { structOpsFamily, structOpsTableFamily } from './struct-ops.js';
import { tcFamily } from './tc.js';
import { tcActionFamily } from './tc-action.js';
import { tcxFamily } from './tcx.js';
import { tracepointFamily } from './tracepoint.js';
import { tracingFamily } from './tracing.js';
import { uprobeFamily } from './uprobe.js';
import { xdpFamily } from './xdp.js';
import { xdpChainFamily } from './xdp-chain.js';
import { xdpTailChainFamily } from './xdp-tail-chain.js';

const families: { readonly [F in FamilyName]: HookFamily<LinkOf<F>> } = {
  xdp: xdpFamily,
  'xdp-chain': xdpChainFamily,
  'xdp-tail-chain': xdpTailChainFamily,
  tcx: tcxFamily,
  tc: tcFamily,
  'tc-action': tcActionFamily,
  lwt: lwtFamily,
  'map-entry': mapEntryFamily,
  socket: socketFamily,
  'netkit-dev': netkitDevFamily,
  netfilter: netfilterFamily,
  netns: netnsFamily,
  cgroup: cgroupFamily,
  sockmap: sockmapFamily,
  tracepoint: tracepointFamily,
  'raw-tracepoint': rawTracepointFamily,
  kprobe: kprobeFamily,
  'kprobe-multi': kprobeMultiFamily,
  uprobe: uprobeFamily,
  'perf-event': perfEventFamily,
  tracing: tracingFamily,
  iterator: iteratorFamily,
  freplace: freplaceFamily,
  'struct-ops': structOpsFamily,
  'struct-ops-table': structOpsTableFamily,
  lirc: lircFamily,
};

/** The table's type ties each entry to its links; TypeScript cannot follow that through an index. */
export function familyOf(link: Pick<LinkState, 'family'>): HookFamily {
  return families[link.family];
}

export function allFamilies(): HookFamily[] {
  return Object.values(families);
}

/** `xdp (native) of eth0 in netns blue` */
export function describeTarget(link: LinkState): string {
  return `${link.hook}${familyOf(link).detail(link)} of ${describePlace(link.target)}`;
}

/** A hook and the family that it belongs to. */
export interface KnownHook {
  readonly entry: HookEntry;
  readonly family: HookFamily;
}

const known: readonly KnownHook[] = Object.values(families).flatMap((family: HookFamily) =>
  family.hooks.map((entry) => ({ entry, family })),
);

/** Undefined for a hook that nothing can be attached to yet. */
export function hookNamed(hook: Hook): KnownHook | undefined {
  return known.find(({ entry }) => entry.hook === hook);
}

/** Where a program goes by its section alone. */
export function naturalHook({ section, type }: StatedProgram): KnownHook | undefined {
  const name = sectionMeaning(section)?.rule.name ?? section;
  return known.find(({ entry }) => entry.sections.includes(name) && entry.types.includes(type));
}

/** What the section names as the target, as in `kprobe/vfs_read`, or what the program was loaded for instead. */
export function sectionTarget({ section, target }: StatedProgram): string | undefined {
  return target ?? sectionMeaning(section)?.target;
}
