/** What the families of XDP chains have in common: a member is the function's program once more, known by its pin. */
import { renameSync, unlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import type { Changed, Edit } from '../../ebpf/dispatcher/change.js';
import { adding, placing, replacing } from '../../ebpf/dispatcher/edits.js';
import type { LinkInfo } from '../../ebpf/link.js';
import { Program } from '../../ebpf/program.js';
import { exists, makeFolder, removeIfEmpty } from '../../host/folders.js';
import { defaultRunConfig } from '../../obj/xdp-dispatcher/run-config.js';
import type { HookFamily, HookOptions, Notes, Seen } from '../hooks/family.js';
import { interfaceReader } from '../hooks/interface-target.js';
import { xdpFamily } from '../hooks/xdp.js';
import { bpffsOf } from '../layout.js';
import { steppingStone } from '../stepping-stone.js';
import { describePlace } from '../targets/index.js';
import { besides } from './beside.js';
import {
  type ChainLink,
  type MemberLoader,
  memberAt,
  memberPin,
  openMember,
  storedOrigin,
} from './member.js';

/** A program of a chain, as far as all chains tell. */
export interface SeenMember {
  readonly priority: number;
  readonly program: { readonly id: number } | undefined;
}

/** One way of having a chain. `S` is what a program is loaded for. */
export interface ChainWay<L extends ChainLink, S> {
  readonly family: L['family'];
  readonly linkType: string;
  /** Stands before the rest of what is said of a link. */
  readonly about: string;
  readonly load: MemberLoader<S>;
  change(folder: string, link: L, edit: Edit<S>): Changed;
  /** Takes the program out of whatever chain it is in. */
  leave(folder: string, link: L, programId: number): void;
  /** In the order in which they run; undefined when there is no such chain. */
  members(link: L, bpffs: string): readonly SeenMember[] | undefined;
  /** The link that keeps a member, and its pin. */
  linkOf(
    link: L,
    bpffs: string,
    programId: number,
  ): { readonly pin: string; readonly info: LinkInfo | undefined } | undefined;
  /** The bpf file system that a pin of {@link linkOf} is in. */
  bpffsOfPin(pin: string): string;
}

export function chainFamily<L extends ChainLink, S>(way: ChainWay<L, S>): HookFamily<L> {
  const memberOf = (
    folder: string,
    link: L,
  ): { readonly id: number; readonly priority: number } | undefined => {
    using program = openMember(memberPin(folder, link));
    if (program === undefined) return undefined;
    const { id } = program.info();
    const member = way.members(link, bpffsOf(folder))?.find((each) => each.program?.id === id);
    return member === undefined ? undefined : { id, priority: member.priority };
  };
  return {
    family: way.family,
    // The family of XDP links plans for all.
    hooks: [],
    target: interfaceReader,
    options: ['mode', 'priority', 'proceedOn', 'direct', 'place'],
    linkType: way.linkType,
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
      const wanted = memberAt(pin, link, () => storedOrigin(notes.store, folder), way.load, scope);
      makeFolder(dirname(pin));
      const id = present === undefined ? undefined : scope.use(present).info().id;
      const joining = besides(link, notes, scope, wanted);
      const { mode, fallback } = way.change(folder, link, (members) => adding(joining(members), id)(members));
      if (fallback !== undefined)
        notes.note(`${fallback}: attached in generic mode, which is slower`, link.name);
      const member = memberOf(folder, link);
      const { priority = link.priority, id: programId } = member ?? {};
      return { ...link, mode: mode ?? link.mode, priority, programId };
    },
    /** A chain would outlive the process that is to hold it. */
    hold(folder, link, notes) {
      if (xdpFamily.hold === undefined) throw new TypeError('nobody can hold an XDP link');
      const { name, program, hook, target, mode } = link;
      notes.note('held alone, through a link: a chain would stay when this process has ended', name);
      return xdpFamily.hold(folder, { family: 'xdp', name, program, hook, target, mode }, notes);
    },
    detach(folder, link) {
      const pin = memberPin(folder, link);
      using program = openMember(pin);
      way.leave(folder, link, program?.info().id ?? strayId(link));
      if (program !== undefined) unlinkSync(pin);
      removeIfEmpty(dirname(pin));
    },
    swap(folder, link, from, to, notes) {
      swap(way, { folder, link, from, to, notes });
      return { ...link, programId: memberOf(folder, link)?.id };
    },
    rearrange(folder, link, next) {
      using program = openMember(memberPin(folder, link));
      if (program === undefined) throw gone(link);
      way.change(folder, link, placing(program.info().id, next));
    },
    isAlive: (folder, link) => memberOf(folder, link) !== undefined,
    look(folder, link): Seen {
      const nothing = { pin: undefined, info: undefined, programId: undefined };
      try {
        const found = memberOf(folder, link);
        if (found === undefined) return { ...nothing, dead: true };
        const kept = way.linkOf(link, bpffsOf(folder), found.id);
        return { pin: kept?.pin, info: kept?.info, programId: found.id, dead: false };
      } catch (error) {
        if (!(error instanceof NetkitError) || error.code !== 'not-permitted') throw error;
        // Whether it is in the chain, only those may know who may open programs by their ids.
        return { ...nothing, dead: false };
      }
    },
    // Ids are new after a reboot.
    revive: (link) => ({ ...link, programId: undefined }),
    copyPin: memberPin,
    seenOrder(link, pin) {
      const members = pin === undefined ? undefined : way.members(link, way.bpffsOfPin(pin));
      const entries = (members ?? []).flatMap(({ program }) =>
        program === undefined ? [] : [{ programId: program.id, linkId: undefined }],
      );
      return members === undefined ? undefined : { revision: 0n, flags: 0, entries };
    },
    detail: ({ mode, priority, proceedOn }) =>
      ` (${way.about}${mode}, priority ${priority}${isUsual(proceedOn) ? '' : `, goes on upon ${proceedOn.join(', ') || 'nothing'}`})`,
  };
}

/** A member whose pin somebody has removed, by its recorded id; 0 when that is another program by now, or none. */
function strayId({ program, programId }: ChainLink): number {
  if (programId === undefined) return 0;
  try {
    using found = Program.fromId(programId);
    // The kernel keeps 15 characters of a name.
    return found.info().name === program.slice(0, 15) ? programId : 0;
  } catch (error) {
    if (error instanceof NetkitError && ['not-found', 'not-permitted'].includes(error.code)) return 0;
    throw error;
  }
}

function gone({ program, target }: ChainLink): NetkitError {
  return new NetkitError('not-found', `${program} is not in the chain of ${describePlace(target)} any more`, {
    hint: 'somebody took it off: attach it again',
  });
}

interface Swapping<L extends ChainLink> {
  readonly folder: string;
  readonly link: L;
  readonly from: string;
  readonly to: string;
  readonly notes: Notes;
}

/**
 * The program of the new object is loaded as a member, takes the old one's place in the chain, and their pins change
 * folders: the old one waits in the folder of the replacement until that is over.
 */
function swap<L extends ChainLink, S>(way: ChainWay<L, S>, swapping: Swapping<L>): void {
  const { folder, link, from, to } = swapping;
  const isUndone = dirname(dirname(to)) === folder;
  const staging = isUndone ? dirname(dirname(from)) : dirname(dirname(to));
  const current = memberPin(folder, link);
  const next = memberPin(staging, link);
  const old = memberPin(staging, { name: `old-${link.name}` });
  if (isUndone) swapBack(way, swapping, { current, next, old });
  else if (exists(to) && !exists(old)) swapIn(way, swapping, { current, next, old });
}

interface SwapPins {
  readonly current: string;
  readonly next: string;
  readonly old: string;
}

function swapIn<L extends ChainLink, S>(
  way: ChainWay<L, S>,
  { folder, link, notes }: Swapping<L>,
  { current, next, old }: SwapPins,
): void {
  using scope = new Scope();
  const present = openMember(current);
  if (present === undefined) return;
  const { id } = scope.use(present).info();
  makeFolder(dirname(old));
  if (way.members(link, bpffsOf(folder))?.some(({ program }) => program?.id === id) !== true) {
    // A dead link has nothing to swap; the program of the old object must not come back with it.
    renameSync(current, old);
    return;
  }
  const { spec } = notes;
  if (spec === undefined) throw new TypeError('a swap without an object');
  const origin = { spec, folder: dirname(dirname(next)), functionName: basename(folder) };
  const wanted = memberAt(next, link, () => origin, way.load, scope);
  way.change(folder, link, replacing(id, wanted));
  renameSync(current, old);
  steppingStone();
  renameSync(next, current);
}

function swapBack<L extends ChainLink, S>(
  way: ChainWay<L, S>,
  { folder, link }: Swapping<L>,
  { current, next, old }: SwapPins,
): void {
  using scope = new Scope();
  // However far the swap came: the old program is in one of two places, and the new one in the other or in its own.
  const before = openMember(exists(old) ? old : current);
  const after = openMember(exists(next) ? next : exists(old) ? current : next);
  if (before === undefined) return;
  scope.use(before);
  if (after !== undefined) {
    const { id } = scope.use(after).info();
    way.change(folder, link, (members) => {
      const there = members.find(({ programId }) => programId === id);
      if (there === undefined) return undefined;
      const { name, tag, loadTimeNs } = before.info();
      const again = { name, frags: there.frags, loaded: { tag, loadTimeNs }, open: () => before };
      return replacing<S>(id, again)(members);
    });
  }
  if (exists(old)) {
    if (exists(current)) unlinkSync(current);
    renameSync(old, current);
  }
  if (exists(next)) unlinkSync(next);
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
