/** Entries of devmaps and cpumaps: the program runs for packets that another one redirects to the entry. */
import { NetkitError } from '../../base/errors.js';
import type { BpfMap } from '../../ebpf/map.js';
import { Program } from '../../ebpf/program.js';
import {
  deleteRedirectEntry,
  type RedirectEntry,
  readRedirectEntry,
  requireProgramRoom,
  writeProgramEntry,
  writeRedirectEntry,
} from '../../ebpf/redirect-entry.js';
import { exists } from '../../host/folders.js';
import { findInterface, listInterfaces } from '../../host/interfaces.js';
import type { Netns } from '../../host/netns.js';
import { bpffsOf, pinPath } from '../layout.js';
import type { LinkOf } from '../link-state.js';
import { openMap } from '../reference.js';
import { describePlace } from '../targets/index.js';
import { entryWords } from '../targets/map-entry.js';
import { namespaceOf, recordedNetns, reopenNamespace, type Where } from '../targets/namespace.js';
import type { HookEntry, HookFamily, HookRequest } from './family.js';
import { isPinnedAt, isRecordedOrPinned } from './kernel-held.js';

type EntryLink = LinkOf<'map-entry'>;

const entry = (kind: 'devmap' | 'cpumap'): HookEntry => ({
  hook: `xdp/${kind}`,
  sections: [`xdp/${kind}`, `xdp.frags/${kind}`],
  types: ['xdp'],
  loadedFor: `xdp_${kind}`,
});

export const mapEntryFamily: HookFamily<EntryLink> = {
  family: 'map-entry',
  hooks: [entry('devmap'), entry('cpumap')],
  target: {
    need: 'required',
    noun: 'an entry of a map, as FUNCTION/MAP[KEY]',
    couldBe: (text) => entryWords(text) !== undefined,
    exists: () => true,
  },
  options: [],
  linkType: 'map_entry',
  holder: 'kernel',
  replacing: 'swap',
  plan: (request) => ({ link: planned(request) }),
  attach(folder, link) {
    using map = mapOf(link, bpffsOf(folder));
    using netns = namespaceOf(link.target.netns, describePlace(link.target));
    using program = Program.fromPin(pinPath(folder, 'progs', link.program));
    const seen = readRedirectEntry(map, link.target.key);
    if (seen !== undefined) refuseTaken(seen, link.target);
    const where = seen?.where ?? whereOf(link, netns);
    writeProgramEntry(map, link.target.key, where, program, kindOf(link.hook), netns);
    const target = { ...link.target, id: map.info.id };
    return { ...link, target, made: seen === undefined, programId: program.info().id };
  },
  detach(folder, link) {
    using map = mapIfThere(link, bpffsOf(folder));
    if (map === undefined) return;
    const { key } = link.target;
    const seen = readRedirectEntry(map, key);
    if (seen === undefined || !isRecordedOrPinned(seen.programId, folder, link)) return;
    const { present, netns: opened } = reopenNamespace(link.target.netns);
    using netns = opened;
    if (link.made) deleteRedirectEntry(map, key);
    else if (present) writeRedirectEntry(map, key, seen.where, undefined, netns);
  },
  /** Looked at, then written: an entry has no compare-and-swap. */
  swap(folder, link, from, to) {
    if (!exists(to)) return link;
    using next = Program.fromPin(to);
    const done = { ...link, programId: next.info().id };
    using map = mapIfThere(link, bpffsOf(folder));
    if (map === undefined) return done;
    const { present, netns: opened } = reopenNamespace(link.target.netns);
    using netns = opened;
    const { key } = link.target;
    const seen = readRedirectEntry(map, key);
    if (present && seen !== undefined && isPinnedAt(from, seen.programId))
      writeProgramEntry(map, key, seen.where, next, kindOf(link.hook), netns);
    return done;
  },
  isAlive: (folder, link) => programIn(folder, link) === link.programId,
  look(folder, link) {
    const programId = programIn(folder, link);
    return { pin: undefined, info: undefined, programId, dead: programId !== link.programId };
  },
  refuseReplacement({ target: { reference } }, { function: name, reuse }) {
    const own = reference.startsWith(`${name}/`) ? reference.slice(name.length + 1) : undefined;
    return own === undefined || reuse[own] === reference
      ? undefined
      : `has a new map '${own}', whose entries are others`;
  },
  detail: ({ hook, target: { holds } }) =>
    hook === 'xdp/devmap' ? ` (to ${holds})` : ` (queue of ${holds} packets)`,
  revive: (link) => ({ ...link, programId: 0 }),
};

function planned({ world, program, hook, target, where }: HookRequest): Omit<EntryLink, 'name'> {
  const words = entryWords(target);
  if (words === undefined)
    throw new NetkitError('usage', `'${target}' is not an entry of a map, as FUNCTION/MAP[KEY]`);
  const { reference, key, holds } = words;
  using map = openMap(reference, world.bpffs);
  const kind = kindOf(hook);
  if (map.info.type.replace(/_hash$/, '') !== kind)
    throw new NetkitError(
      'usage',
      `'${reference}' is a map of type ${map.info.type}: '${program.name}' wants a ${kind}`,
    );
  requireProgramRoom(map, kind);
  const place = { kind: 'map-entry', reference, id: map.info.id, key, netns: recordedNetns(where) } as const;
  const seen = readRedirectEntry(map, key);
  const common = { family: 'map-entry', program: program.name, hook, programId: 0 } as const;
  if (seen === undefined && holds === undefined) {
    const example = kind === 'devmap' ? 'eth1' : '512';
    throw new NetkitError('not-found', `map '${reference}' has no entry ${key}`, {
      hint: `have it made with '=${kind === 'devmap' ? 'INTERFACE' : 'QUEUE'}' behind it: '${reference}[${key}]=${example}'`,
    });
  }
  const present = seen === undefined ? undefined : wordFor(seen, kind, where);
  if (present !== undefined && holds !== undefined && holds !== present)
    throw new NetkitError('conflict', `entry ${key} of '${reference}' is ${present}, not ${holds}`);
  const link = { ...common, target: { ...place, holds: holds ?? present ?? '' }, made: seen === undefined };
  // What cannot be is said before anything is done.
  whereOf({ ...link, name: '' }, where.netns);
  return link;
}

function kindOf(hook: string): 'devmap' | 'cpumap' {
  return hook === 'xdp/devmap' ? 'devmap' : 'cpumap';
}

/** What an entry holds, as a user writes it. */
function wordFor({ where: value }: RedirectEntry, kind: 'devmap' | 'cpumap', where: Where): string {
  if (kind === 'cpumap') return String(value);
  const found = listInterfaces(where.netns).find(({ ifindex }) => ifindex === value);
  if (found !== undefined) return found.ifname;
  throw new NetkitError('not-found', `the entry leads to interface ${value}, which is not here`, {
    hint: '--netns names the network namespace that the interface is in',
  });
}

/** @throws NetkitError `not-found` for an interface that is not there, `usage` for what is no length of a queue */
function whereOf({ hook, target: { holds } }: EntryLink, netns: Netns | undefined): number {
  if (hook === 'xdp/devmap') return findInterface(holds, netns).ifindex;
  const queue = Number(holds);
  if (/^\d{1,5}$/.test(holds) && queue >= 1 && queue <= 16384) return queue;
  throw new NetkitError('usage', `'${holds}' is not the length of a queue: 1 to 16384 packets`);
}

function refuseTaken({ programId }: RedirectEntry, target: EntryLink['target']): void {
  if (programId === 0) return;
  throw new NetkitError('conflict', `entry ${describePlace(target)} has a program already: id ${programId}`);
}

function programIn(folder: string, link: EntryLink): number | undefined {
  using map = mapIfThere(link, bpffsOf(folder));
  if (map === undefined) return undefined;
  const programId = readRedirectEntry(map, link.target.key)?.programId;
  return programId === 0 ? undefined : programId;
}

/** @throws NetkitError `not-found`, and `conflict` when what named the map names another one now */
function mapOf({ target: { reference, id } }: EntryLink, bpffs: string): BpfMap {
  const map = openMap(reference, bpffs);
  if (id === 0 || map.info.id === id) return map;
  map[Symbol.dispose]();
  throw new NetkitError('conflict', `'${reference}' is another map by now`, { details: { map: id } });
}

function mapIfThere(link: EntryLink, bpffs: string): BpfMap | undefined {
  try {
    return mapOf(link, bpffs);
  } catch (error) {
    if (error instanceof NetkitError && (error.code === 'not-found' || error.code === 'conflict'))
      return undefined;
    throw error;
  }
}
