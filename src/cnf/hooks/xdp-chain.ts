/** Members of the chain of XDP programs on an interface, which libxdp's tools see and change as well. */
import { renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import { type Chain, type ChainMember, readChain } from '../../ebpf/dispatcher/chain.js';
import { type Changed, changeChain, type Edit } from '../../ebpf/dispatcher/change.js';
import { adding, placing, replacing } from '../../ebpf/dispatcher/edits.js';
import { linkPin } from '../../ebpf/dispatcher/place.js';
import { Link } from '../../ebpf/link.js';
import type { Netns } from '../../host/netns.js';
import { defaultRunConfig } from '../../obj/xdp-dispatcher/run-config.js';
import { besides } from '../chain/beside.js';
import { leaveChains } from '../chain/leave.js';
import { type ChainLink, marksOf, memberAt, memberPin, openMember, storedOrigin } from '../chain/member.js';
import { bpffsOf, exists, makeFolder, namesIn } from '../layout.js';
import { steppingStone } from '../stepping-stone.js';
import { describePlace } from '../targets/index.js';
import { namespaceOf, reopenNamespace } from '../targets/namespace.js';
import type { HookFamily, HookOptions, Notes, Seen } from './family.js';
import { interfaceReader } from './interface-target.js';
import { xdpFamily } from './xdp.js';

export const xdpChainFamily: HookFamily<ChainLink> = {
  family: 'xdp-chain',
  // The family of XDP links plans for both.
  hooks: [],
  target: interfaceReader,
  options: ['mode', 'priority', 'proceedOn', 'direct', 'place'],
  linkType: 'tracing',
  holder: 'link',
  replacing: 'swap',
  plan() {
    throw new TypeError('members of chains are planned by the family of XDP links');
  },
  refuseOther,
  attach(folder, link, notes) {
    using scope = new Scope();
    const pin = memberPin(folder, link);
    const present = openMember(pin);
    const wanted = memberAt(pin, link, () => storedOrigin(notes.store, folder), scope);
    makeFolder(dirname(pin));
    const id = present === undefined ? undefined : scope.use(present).info().id;
    const joining = besides(link, notes, scope, wanted);
    const { mode, fallback } = change(folder, link, (members) => adding(joining(members), id)(members));
    if (fallback !== undefined)
      notes.note(`${fallback}: attached in generic mode, which is slower`, link.name);
    const seen = memberOf(folder, link)?.member;
    return { ...link, mode: mode ?? link.mode, priority: seen?.priority ?? link.priority };
  },
  /** A chain would outlive the process that is to hold it. */
  hold(folder, link, notes) {
    if (xdpFamily.hold === undefined) throw new TypeError('nobody can hold an XDP link');
    const { priority: _, proceedOn: __, beside: ___, ...alone } = link;
    notes.note('held alone, through a link: a chain would stay when this process has ended', link.name);
    return xdpFamily.hold(folder, { ...alone, family: 'xdp' }, notes);
  },
  detach(folder, link) {
    const pin = memberPin(folder, link);
    using program = openMember(pin);
    const { present, netns: opened } = reopenNamespace(link.target.netns);
    using netns = opened;
    const hint = present ? { ifname: link.target.ifname, netns } : undefined;
    if (exists(dirname(pin)))
      leaveChains(bpffsOf(folder), program?.info().id ?? 0, marksOf(folder, link), hint);
    if (program !== undefined) unlinkSync(pin);
    removeEmpty(dirname(pin));
  },
  swap,
  rearrange,
  isAlive: (folder, link) => memberOf(folder, link) !== undefined,
  look,
  seenOrder(link, pin) {
    const chain = pin === undefined ? undefined : chainOf(link, dirname(dirname(dirname(pin))));
    const entries = (chain?.members ?? []).flatMap(({ program }) =>
      program === undefined ? [] : [{ programId: program.id, linkId: undefined }],
    );
    return chain === undefined ? undefined : { revision: 0n, flags: 0, entries };
  },
  detail: ({ mode, priority, proceedOn }) =>
    ` (${mode}, priority ${priority}${isUsual(proceedOn) ? '' : `, goes on upon ${proceedOn.join(', ') || 'nothing'}`})`,
};

/** @throws NetkitError `not-found` when it is not in the chain any more, and as `changeChain` */
function rearrange(folder: string, link: ChainLink, next: ChainLink): void {
  using program = openMember(memberPin(folder, link));
  if (program === undefined) throw gone(link);
  change(folder, link, placing(program.info().id, next));
}

function gone({ program, target }: ChainLink): NetkitError {
  return new NetkitError('not-found', `${program} is not in the chain of ${describePlace(target)} any more`, {
    hint: 'somebody took it off: attach it again',
  });
}

function change(folder: string, link: ChainLink, edit: Edit): Changed {
  const { ifname, ifindex, netns: recorded } = link.target;
  using netns = namespaceOf(recorded, ifname);
  const place = { ifname, ifindex, netns, bpffs: bpffsOf(folder) };
  return changeChain(place, { mode: link.mode, marks: marksOf(folder, link), step: steppingStone }, edit);
}

/**
 * The program of the new object is loaded as a member, takes the old one's place in the chain, and their pins change
 * folders: the old one waits in the folder of the replacement until that is over.
 */
function swap(folder: string, link: ChainLink, from: string, to: string, notes: Notes): ChainLink {
  const isUndone = dirname(dirname(to)) === folder;
  const staging = isUndone ? dirname(dirname(from)) : dirname(dirname(to));
  const current = memberPin(folder, link);
  const next = memberPin(staging, link);
  const old = memberPin(staging, { name: `old-${link.name}` });
  if (isUndone) swapBack(folder, link, { current, next, old });
  else if (exists(to) && !exists(old)) swapIn(folder, link, { current, next, old }, notes);
  return link;
}

interface SwapPins {
  readonly current: string;
  readonly next: string;
  readonly old: string;
}

function swapIn(folder: string, link: ChainLink, { current, next, old }: SwapPins, notes: Notes): void {
  using scope = new Scope();
  const present = openMember(current);
  if (present === undefined) return;
  const id = scope.use(present).info().id;
  makeFolder(dirname(old));
  if (memberOf(folder, link) === undefined) {
    // A dead link has nothing to swap; the program of the old object must not come back with it.
    renameSync(current, old);
    return;
  }
  const { spec } = notes;
  if (spec === undefined) throw new TypeError('a swap without an object');
  const origin = { spec, folder: dirname(dirname(next)), functionName: basename(folder) };
  change(
    folder,
    link,
    replacing(
      id,
      memberAt(next, link, () => origin, scope),
    ),
  );
  renameSync(current, old);
  steppingStone();
  renameSync(next, current);
}

function swapBack(folder: string, link: ChainLink, { current, next, old }: SwapPins): void {
  using scope = new Scope();
  // However far the swap came: the old program is in one of two places, and the new one in the other or in its own.
  const before = openMember(exists(old) ? old : current);
  const after = openMember(exists(next) ? next : exists(old) ? current : next);
  if (before === undefined) return;
  scope.use(before);
  if (after !== undefined) {
    const id = scope.use(after).info().id;
    change(folder, link, (members) => {
      const there = members.find(({ programId }) => programId === id);
      if (there === undefined) return undefined;
      const { name, tag, loadTimeNs } = before.info();
      const again = { name, frags: there.frags, loaded: { tag, loadTimeNs }, open: () => before };
      return replacing(id, again)(members);
    });
  }
  if (exists(old)) {
    if (exists(current)) unlinkSync(current);
    renameSync(old, current);
  }
  if (exists(next)) unlinkSync(next);
}

/** What is on the interface, if that is a chain. */
function chainOf({ target }: ChainLink, bpffs: string): Chain | undefined {
  const { present, netns: opened } = reopenNamespace(target.netns);
  if (!present) return undefined;
  using netns = opened;
  const found = readAt(target, netns, bpffs);
  return found?.kind === 'chain' ? found : undefined;
}

function readAt({ ifname, ifindex }: ChainLink['target'], netns: Netns | undefined, bpffs: string) {
  return readChain({ ifname, ifindex, netns, bpffs });
}

/** The link's member in the chain; undefined when it is not, or not any more, in it. */
function memberOf(
  folder: string,
  link: ChainLink,
): { readonly chain: Chain; readonly member: ChainMember } | undefined {
  using program = openMember(memberPin(folder, link));
  if (program === undefined) return undefined;
  const id = program.info().id;
  const chain = chainOf(link, bpffsOf(folder));
  const member = chain?.members?.find((each) => each.program?.id === id);
  return chain === undefined || member === undefined ? undefined : { chain, member };
}

function look(folder: string, link: ChainLink): Seen {
  let found: ReturnType<typeof memberOf>;
  try {
    found = memberOf(folder, link);
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'not-permitted') throw error;
    // Whether it is in the chain, only those may know who may open programs by their ids.
    return { pin: undefined, info: undefined, programId: undefined, dead: false };
  }
  if (found === undefined) return { pin: undefined, info: undefined, programId: undefined, dead: true };
  const pin = linkPin(found.chain.folder, found.member.slot);
  const programId = found.member.program?.id;
  try {
    using attached = Link.fromPin(pin);
    return { pin, info: attached.info(), programId, dead: false };
  } catch (error) {
    // Somebody changes the chain just now.
    if (error instanceof NetkitError) return { pin: undefined, info: undefined, programId, dead: false };
    throw error;
  }
}

/** Of the options of an `attach`, those that differ from how it is attached. */
function refuseOther(
  present: ChainLink,
  { mode = 'auto', priority, proceedOn, direct, place }: HookOptions,
): void {
  const where = `${present.program} is in the chain of ${describePlace(present.target)} already`;
  if (direct === true) {
    throw new NetkitError('conflict', where, { hint: 'detach it first, to attach it without the chain' });
  }
  if (mode !== 'auto' && mode !== present.mode) {
    throw new NetkitError('conflict', `${where}, in ${present.mode} mode`, {
      hint: 'all members of a chain have one mode',
    });
  }
  const hint = "'netkit link update' changes it in place";
  if (priority !== undefined && priority !== present.priority)
    throw new NetkitError('conflict', `${where}, with priority ${present.priority}`, { hint });
  if (place !== undefined)
    throw new NetkitError('conflict', where, { hint: 'detach it first, to put it elsewhere' });
  if (proceedOn !== undefined && !sameVerdicts(proceedOn, present.proceedOn)) {
    const verdicts = present.proceedOn.join(', ') || 'no verdict';
    throw new NetkitError('conflict', `${where}, and goes on upon ${verdicts}`, { hint });
  }
}

function isUsual(proceedOn: readonly string[]): boolean {
  return sameVerdicts(proceedOn, defaultRunConfig.proceedOn);
}

function sameVerdicts(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((verdict) => others.includes(verdict));
}

function removeEmpty(folder: string): void {
  if (exists(folder) && namesIn(folder).length === 0) rmdirSync(folder);
}
