/** A function's programs as members of XDP chains: loaded once more from the stored object, with the function's own maps. */
import { basename, join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import type { Scope } from '../../base/scope.js';
import type { Wanted } from '../../ebpf/dispatcher/change.js';
import { loadedMember } from '../../ebpf/dispatcher/edits.js';
import type { MemberSource } from '../../ebpf/dispatcher/member.js';
import type { Marks } from '../../ebpf/dispatcher/pins.js';
import { pinName } from '../../ebpf/kernel-object.js';
import { BpfMap } from '../../ebpf/map.js';
import { Program } from '../../ebpf/program.js';
import { exists, makeFolder } from '../../host/folders.js';
import { listedMapName } from '../../obj/maps.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { pinPath } from '../layout.js';
import type { LinkOf, LinkState } from '../link-state.js';
import type { StateStore } from '../store.js';
import { storedSpec } from '../stored-spec.js';

/** A member of a dispatcher's chain, or of one by tail calls. */
export type ChainLink = LinkOf<'xdp-chain'> | LinkOf<'xdp-tail-chain'>;

export function isChainLink(link: LinkState): link is ChainLink {
  return link.family === 'xdp-chain' || link.family === 'xdp-tail-chain';
}

/** Where the member of a link is pinned, beside the pin that all tools know: that one goes with each change of the chain. */
export function memberPin(folder: string, link: Pick<ChainLink, 'name'>): string {
  return pinPath(folder, 'chain', link.name);
}

/** Where changes of this link leave word. No link's name begins with a plus sign. */
export function marksOf(folder: string, link: Pick<ChainLink, 'name'>): Marks {
  return { folder: join(folder, 'chain'), name: `+${pinName(link.name)}` };
}

/** Undefined when there is none. */
export function openMember(path: string): Program | undefined {
  return exists(path) ? Program.fromPin(path) : undefined;
}

/** What a member is loaded from. */
export interface MemberOrigin {
  readonly spec: ObjectSpec;
  /** The folder that has the pins of the function's maps. */
  readonly folder: string;
  readonly functionName: string;
}

/** The object that the function was loaded from, to be looked at. @throws NetkitError `bad-state` when it is not kept any more */
export function storedOrigin(store: StateStore, folder: string): MemberOrigin {
  const functionName = basename(folder);
  // While an unload is taken back, its state is not there yet.
  const file = store.peek(functionName)?.object?.file ?? store.objectsOf(functionName)[0];
  if (file === undefined)
    throw new NetkitError(
      'bad-state',
      `the object of '${functionName}' is not in the state directory any more`,
    );
  return { spec: storedSpec(store.objectPath(file)), folder, functionName };
}

/** Loads a program for a slot of a chain. */
export type MemberLoader<S> = (source: MemberSource, slot: S) => Program;

/**
 * The member that is pinned at `pin`; where there is none, one that is loaded when its slot is there, and pinned there at once.
 * @param scope owns what is opened
 */
export function memberAt<S>(
  pin: string,
  { program: name, priority, proceedOn }: ChainLink,
  origin: () => MemberOrigin,
  loadMember: MemberLoader<S>,
  scope: Scope,
): Wanted<S> {
  const { spec, folder, functionName } = origin();
  const { frags } = spec.program(name);
  const pinned = openMember(pin);
  if (pinned !== undefined) return loadedMember(scope.use(pinned), { priority, proceedOn, frags });
  let loaded: Program | undefined;
  const open = (slot: S): Program => {
    if (loaded !== undefined) return loaded;
    const maps = mapsOf(spec, folder, functionName, scope);
    loaded = scope.use(loadMember({ spec, program: name, name: functionName, maps }, slot));
    makeFolder(join(pin, '..'));
    loaded.pin(pin);
    return loaded;
  };
  return { name, priority, proceedOn, frags, loaded: undefined, open };
}

/** The function's maps that are pinned, by the kernel's names; what is missing is told when it turns out to be needed. */
export function mapsOf(
  spec: ObjectSpec,
  folder: string,
  functionName: string,
  scope: Scope,
): ReadonlyMap<string, BpfMap> {
  return new Map(
    spec.maps.flatMap((map) => {
      const name = listedMapName(map, functionName);
      const path = pinPath(folder, 'maps', name);
      return exists(path) ? [[name, scope.use(BpfMap.fromPin(path))] as const] : [];
    }),
  );
}
