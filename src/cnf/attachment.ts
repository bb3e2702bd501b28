/** One recorded attachment and the kernel: made, removed and swapped from its data alone. */
import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { type Direction, tcx, type XdpMode, xdp } from '../ebpf/attach.js';
import { Link } from '../ebpf/link.js';
import { Program } from '../ebpf/program.js';
import {
  addFilter,
  deleteEmptyQdisc,
  deleteFilter,
  filterProgramId,
  replaceFilter,
  type TcFilter,
} from '../ebpf/tc-filter.js';
import { type Netns, openNetns } from '../host/netns.js';
import { openNetnsByInode } from '../host/netns-search.js';
import { exists, makeFolder, pinPath } from './layout.js';
import type { LinkState } from './state.js';

interface Notes {
  note(text: string, link?: string): void;
}

/** The priority of netkit's first tc filter on a hook; 50 is libxdp's default run priority too. */
export const defaultFilterPriority = 50;

/** Attaches as recorded and pins the link. @returns what was really made: the mode that was taken, the qdisc added */
export function attachLink(folder: string, link: LinkState, notes: Notes): LinkState {
  using netns = namespaceOf(link);
  using program = Program.fromPin(pinPath(folder, 'progs', link.program));
  const direction = directionOf(link);
  if (link.hook === 'xdp') return attachXdp(folder, link, program, netns, notes);
  if (direction === undefined) throw new TypeError(`no direction in hook ${link.hook}`);
  if (link.hook.startsWith('tcx/')) {
    using made = program.attach(tcx({ ifname: link.ifname, direction, netns }));
    pinLink(folder, link, made);
    return link;
  }
  const filter = filterOf(link, direction);
  const { madeQdisc } = addFilter(program, filter, netns);
  const { handle, priority } = filter;
  return { ...link, filter: { handle, priority, madeQdisc, programId: program.info().id } };
}

function attachXdp(
  folder: string,
  link: LinkState,
  program: Program,
  netns: Netns | undefined,
  notes: Notes,
): LinkState {
  const attachIn = (mode: XdpMode): LinkState => {
    using made = program.attach(xdp({ ifname: link.ifname, mode, netns }));
    pinLink(folder, link, made);
    return { ...link, mode: mode === 'generic' ? 'generic' : 'native' };
  };
  if (link.mode !== 'auto') return attachIn(link.mode === 'generic' ? 'generic' : 'native');
  try {
    return attachIn('native');
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'unsupported') throw error;
    const taken = attachIn('generic');
    notes.note(`${error.message}: attached in generic mode, which is slower`, link.name);
    return taken;
  }
}

function pinLink(folder: string, link: LinkState, made: Link): void {
  makeFolder(join(folder, 'links'));
  made.pin(pinPath(folder, 'links', link.name));
}

/**
 * Detaches and unpins, in this order: the last reference alone would let go only later. An attachment that is gone
 * already, wholly or in part, is fine; a tc filter that holds somebody else's program by now is left alone.
 */
export function detachLink(folder: string, link: LinkState): void {
  if (link.filter !== null) {
    detachFilter(folder, link);
    return;
  }
  const path = pinPath(folder, 'links', link.name);
  if (!exists(path)) return;
  using pinned = Link.fromPin(path);
  pinned.detach();
  unlinkSync(path);
}

function detachFilter(folder: string, link: LinkState): void {
  const direction = directionOf(link);
  if (direction === undefined || link.filter === null) return;
  const { present, netns: opened } = reopenNamespace(link);
  if (!present) return;
  using netns = opened;
  const filter = filterOf(link, direction);
  const programId = filterProgramId(filter, netns);
  if (programId !== undefined && isOurs(programId, folder, link)) deleteFilter(filter, netns);
  if (link.filter.madeQdisc) deleteEmptyQdisc(link.ifindex, netns);
}

/** By the recorded id; a plan that was never recorded has none, but its program's pin is still there. */
function isOurs(programId: number, folder: string, link: LinkState): boolean {
  if (programId === link.filter?.programId) return true;
  const path = pinPath(folder, 'progs', link.program);
  if (!exists(path)) return false;
  using program = Program.fromPin(path);
  return program.info().id === programId;
}

/**
 * Puts the program pinned at `to` where the one pinned at `from` is; done already is fine.
 * @returns what is to be recorded
 * @throws NetkitError `conflict` when somebody else changed the link
 */
export function swapLink(folder: string, link: LinkState, from: string, to: string): LinkState {
  if (!exists(to)) return link;
  using next = Program.fromPin(to);
  using expected = Program.fromPin(from);
  const direction = directionOf(link);
  if (link.filter !== null && direction !== undefined) {
    const { present, netns: opened } = reopenNamespace(link);
    if (!present) return link;
    using netns = opened;
    const filter = filterOf(link, direction);
    const programId = next.info().id;
    if (filterProgramId(filter, netns) === expected.info().id) replaceFilter(next, filter, netns);
    return { ...link, filter: { ...link.filter, programId } };
  }
  using pinned = Link.fromPin(pinPath(folder, 'links', link.name));
  const { programId, ifindex } = pinned.info();
  // A dead link has nothing to swap: its interface is gone.
  if (programId !== next.info().id && ifindex !== 0) pinned.update(next, expected);
  return link;
}

/** True while the attachment really is there. */
export function isAlive(folder: string, link: LinkState): boolean {
  if (link.filter === null) {
    const path = pinPath(folder, 'links', link.name);
    if (!exists(path)) return false;
    using pinned = Link.fromPin(path);
    return pinned.info().ifindex !== 0;
  }
  const direction = directionOf(link);
  const { present, netns: opened } = reopenNamespace(link);
  if (!present || direction === undefined) return false;
  using netns = opened;
  // A filter in the same place with another program is somebody else's attachment.
  return filterProgramId(filterOf(link, direction), netns) === link.filter.programId;
}

function directionOf(link: LinkState): Direction | undefined {
  const direction = link.hook.split('/')[1];
  return direction === 'ingress' || direction === 'egress' ? direction : undefined;
}

function filterOf(link: LinkState, direction: Direction): TcFilter {
  if (link.filter === null) throw new TypeError(`link ${link.name} has no filter`);
  return { ifindex: link.ifindex, direction, handle: link.filter.handle, priority: link.filter.priority };
}

/** The namespace to act in; undefined for the current one. @throws NetkitError `not-found` when it is gone */
function namespaceOf(link: LinkState): Netns | undefined {
  const { present, netns } = reopenNamespace(link);
  if (present) return netns;
  throw new NetkitError('not-found', `the network namespace of ${link.ifname} is gone`, {
    details: { inode: link.netns.inode },
  });
}

/** `present` is false when the namespace is gone. By what the user called it when that still is the same one, else by its inode. */
export function reopenNamespace(link: LinkState): { present: boolean; netns: Netns | undefined } {
  if (link.netns.ref !== null) {
    try {
      const netns = openNetns(link.netns.ref);
      if (netns.inode === link.netns.inode) return { present: true, netns };
      netns[Symbol.dispose]();
    } catch {
      // The name is gone; the namespace may not be.
    }
  }
  const netns = openNetnsByInode(link.netns.inode);
  return { present: netns !== undefined, netns };
}
