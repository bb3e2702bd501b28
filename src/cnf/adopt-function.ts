/** Taking over what another tool has loaded: the plan. Nothing is loaded or detached; it only gets netkit's pins and a state. */
import { basename, dirname } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { pinName } from '../ebpf/kernel-object.js';
import { Link } from '../ebpf/link.js';
import { BpfMap } from '../ebpf/map.js';
import { identifyPin, indexPins, type PinnedObject, pinsBelow } from '../ebpf/pin-index.js';
import { Program, type ProgramInfo } from '../ebpf/program.js';
import { exists } from '../host/folders.js';
import type { Action, AdoptedObject } from './action.js';
import { attachedPlaces, refuseMember } from './adopt/attached.js';
import type { Proposal, World } from './environment.js';
import { allFamilies, hookNamed } from './hooks/index.js';
import { functionFolder, netkitFolder } from './layout.js';
import type { LinkState } from './link-state.js';
import { checkNewName } from './names.js';
import { openProgram } from './reference.js';
import { type FunctionState, stateFormat } from './state.js';
import { nameForTarget } from './targets/index.js';

export interface AdoptRequest {
  /** A pin, or `id:N` or `name:TEXT` of a program. */
  readonly reference: string;
  readonly name: string;
  /** Remove the other tool's pins of what is taken over. */
  readonly takePins: boolean;
}

export interface AdoptProposal extends Proposal {
  readonly programId: number;
  readonly state: FunctionState;
  /** What the program is attached by and netkit could not take over. */
  readonly left: readonly string[];
  /** Pins of the other tool. */
  readonly pins: readonly PinnedObject[];
}

/** @throws NetkitError `not-found`, `usage`, `conflict` when the name is taken or the program is netkit's, `unsupported` */
export function planAdopt(world: World, request: AdoptRequest): AdoptProposal {
  const name = checkNewName(request.name);
  const folder = functionFolder(world.bpffs, name);
  if (exists(folder) || world.store.names().includes(name))
    throw new NetkitError('conflict', `there is a function '${name}' already`, {
      hint: 'choose another name',
    });
  const { info, linkId } = referred(world, request.reference);
  refuseOwn(world, info);
  refuseMember(info, `program ${info.id}`);
  const program = info.name === '' ? `program_${info.id}` : info.name;
  const { links: found, left } = attachedPlaces(info, program, world.bpffs, world.scope);
  const chosen = found.filter(({ id }) => linkId === undefined || id === linkId);
  const links = named(chosen.map(({ link }) => link));
  const maps = mapsOf(info);
  const state: FunctionState = {
    formatVersion: stateFormat,
    name,
    change: world.change,
    bootId: world.bootId,
    bpffs: world.bpffs,
    persist: false,
    object: null,
    options: { globals: {}, mapSizes: {}, only: null, reuse: {} },
    programs: [{ name: program, section: sectionFor(info, links), type: info.type }],
    maps: maps.map(({ name: map, type }) => ({ name: map, type })),
    links,
    loadedAt: new Date().toISOString(),
  };
  const objects: AdoptedObject[] = [
    { folder: 'progs', name: program, id: info.id },
    ...maps.map(({ name: map, id }): AdoptedObject => ({ folder: 'maps', name: map, id })),
    ...links.map(
      (link, index): AdoptedObject => ({ folder: 'links', name: link.name, id: chosen[index]?.id ?? 0 }),
    ),
  ];
  const pins = pinsOf(world.bpffs, objects);
  const actions: Action[] = [
    { kind: 'adopt', function: name, folder, objects },
    { kind: 'record', function: name, before: null, after: state },
    ...(request.takePins && pins.length > 0 ? [{ kind: 'drop-pins', function: name, pins } as const] : []),
  ];
  const others = found
    .filter((each) => !chosen.includes(each))
    .map(({ id }) => `link ${id}: another one was named`);
  return { function: name, actions, programId: info.id, state, left: [...left, ...others], pins };
}

/** The program that is meant, and the link where one was named by its pin. */
function referred(
  { bpffs, scope }: World,
  reference: string,
): { readonly info: ProgramInfo; readonly linkId: number | undefined } {
  if (reference.startsWith('/') && identifyPin(reference)?.kind === 'link') {
    const { id, programId, gone } = scope.use(Link.fromPin(reference)).info();
    if (gone || programId === 0)
      throw new NetkitError(
        'conflict',
        `the link pinned at ${reference} is dead: there is nothing to take over`,
      );
    return { info: scope.use(Program.fromId(programId)).info(), linkId: id };
  }
  return { info: scope.use(openProgram(reference, bpffs)).info(), linkId: undefined };
}

function refuseOwn({ bpffs }: World, { id }: ProgramInfo): void {
  const pin = indexPins([netkitFolder(bpffs)]).ofProgram.get(id);
  if (pin === undefined) return;
  throw new NetkitError(
    'conflict',
    `program ${id} is netkit's own: it belongs to '${basename(dirname(dirname(pin)))}'`,
  );
}

function mapsOf({
  mapIds,
}: ProgramInfo): { readonly name: string; readonly type: string; readonly id: number }[] {
  const taken = new Set<string>();
  return mapIds.map((id) => {
    const { name, type } = mapInfo(id);
    const base = name === '' ? `map_${id}` : name;
    return { name: free(base, taken), type, id };
  });
}

function mapInfo(id: number): BpfMap['info'] {
  using map = BpfMap.fromId(id);
  return map.info;
}

function named(links: readonly Omit<LinkState, 'name'>[]): LinkState[] {
  const taken = new Set<string>();
  return links.map((link) => {
    const words = `${link.program}-${link.hook.replaceAll('/', '-')}-${nameForTarget(link.target)}`;
    return { ...link, name: free(pinName(words), taken) } as LinkState;
  });
}

function free(base: string, taken: Set<string>): string {
  for (let suffix = 1; ; suffix++) {
    const name = suffix === 1 ? base : `${base}-${suffix}`;
    if (taken.has(pinName(name))) continue;
    taken.add(pinName(name));
    return name;
  }
}

/** One that leads to where the program is; else to the one hook that there is for its type; else its type, which leads nowhere. */
function sectionFor({ type }: ProgramInfo, [first]: readonly LinkState[]): string {
  const own = first === undefined ? undefined : hookNamed(first.hook)?.entry.sections[0];
  if (own !== undefined) return own;
  const entries = allFamilies()
    .flatMap(({ hooks }) => hooks)
    .filter(({ types }) => types.includes(type));
  const plain = type === 'xdp' ? 'xdp' : undefined;
  return plain ?? (entries.length === 1 ? entries[0]?.sections[0] : undefined) ?? type;
}

/** The other tool's, in the same bpffs. */
function pinsOf(bpffs: string, objects: readonly AdoptedObject[]): PinnedObject[] {
  const kinds = { progs: 'program', maps: 'map', links: 'link' } as const;
  const wanted = new Set(objects.map(({ folder, id }) => `${kinds[folder]} ${id}`));
  const own = `${netkitFolder(bpffs)}/`;
  return pinsBelow(bpffs).flatMap((path) => {
    const found = path.startsWith(own) ? undefined : identifyPin(path);
    return found !== undefined && wanted.has(`${found.kind} ${found.id}`) ? [{ path, ...found }] : [];
  });
}
