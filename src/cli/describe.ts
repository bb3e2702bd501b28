/** What is loaded, as the JSON documents show it. */
import { readFileSync } from 'node:fs';
import { familyOf } from '../cnf/hooks/index.js';
import type { ListedFunction, ListedMap, ListedProgram } from '../cnf/inventory.js';
import type { LinkState } from '../cnf/link-state.js';
import type { ListedLink } from '../cnf/listed-link.js';
import type { FunctionState } from '../cnf/state.js';
import { netnsOf, targetText } from '../cnf/targets/index.js';
import { flagWords } from '../ebpf/map-flags.js';
import { netnsName } from '../host/netns.js';
import type { LinkInfo, LoadedFunctionInfo, MapInfo, ProgramInfo } from './schema/index.js';

export function programDocument(listed: ListedProgram): ProgramInfo {
  const { info } = listed;
  return {
    name: listed.name,
    id: info?.id ?? null,
    type: listed.type,
    function: listed.function ?? null,
    section: listed.section ?? null,
    tag: info?.tag ?? null,
    gplCompatible: info?.gplCompatible ?? null,
    translatedBytes: info?.translatedBytes ?? null,
    jitedBytes: info?.jitedBytes ?? null,
    verifiedInstructions: info?.verifiedInstructions ?? null,
    mapIds: [...(info?.mapIds ?? [])],
    btfId: info === undefined || info.btfId === 0 ? null : info.btfId,
    loadedAt: info === undefined ? null : sinceBoot(info.loadTimeNs),
    pin: listed.pin ?? null,
  };
}

export function mapDocument(listed: ListedMap): MapInfo {
  const { info } = listed;
  return {
    name: listed.name,
    id: info?.id ?? null,
    type: listed.type,
    function: listed.function ?? null,
    keySize: info?.keySize ?? 0,
    valueSize: info?.valueSize ?? 0,
    maxEntries: info?.maxEntries ?? 0,
    flags: flagWords(info?.flags ?? 0),
    keyType: listed.keyType ?? null,
    valueType: listed.valueType ?? null,
    btfId: info === undefined || info.btfId === 0 ? null : info.btfId,
    memoryBytes: listed.memoryBytes ?? null,
    frozen: listed.frozen ?? null,
    pin: listed.pin ?? null,
  };
}

export function linkDocument(listed: ListedLink): LinkInfo {
  const { info, state } = listed;
  return {
    name: listed.name ?? null,
    id: info?.id ?? null,
    type: listed.type,
    function: listed.function ?? null,
    program: { id: listed.programId ?? null, name: listed.programName ?? null },
    hook: state?.hook ?? hookOf(info?.attachType) ?? null,
    attachType: info?.attachType ?? null,
    mode: knownMode(state),
    detail: state === undefined ? null : detailOf(state),
    target: state === undefined ? null : targetText(state.target),
    ...interfaceDocument(listed),
    dead: listed.dead,
    pin: listed.pin ?? null,
  };
}

/** A link that is planned, or was just removed: from what is recorded alone. */
export function recordedLinkDocument(state: LinkState, functionName: string): LinkInfo {
  return linkDocument({
    name: state.name,
    function: functionName,
    pin: undefined,
    type: familyOf(state).linkType,
    programId: undefined,
    programName: state.program,
    info: undefined,
    state,
    dead: false,
  });
}

export function functionDocument(listed: ListedFunction): LoadedFunctionInfo {
  return {
    name: listed.name,
    object: listed.state?.object?.path ?? null,
    loadedAt: listed.state?.loadedAt ?? null,
    persist: listed.state?.persist ?? false,
    problem: listed.problem ?? null,
    programs: listed.programs.map(programDocument),
    maps: listed.maps.map(mapDocument),
    links: listed.links.map(linkDocument),
  };
}

/** A function that a dry run would load. */
export function plannedFunctionDocument(state: FunctionState): LoadedFunctionInfo {
  return functionDocument({
    name: state.name,
    state,
    problem: undefined,
    programs: state.programs.map((program) => ({
      ...program,
      function: state.name,
      pin: undefined,
      info: undefined,
    })),
    maps: state.maps.map((map) => ({
      ...map,
      function: state.name,
      pin: undefined,
      info: undefined,
      memoryBytes: undefined,
      frozen: undefined,
      keyType: undefined,
      valueType: undefined,
    })),
    links: [],
    members: [],
  });
}

function interfaceDocument({ info, state }: ListedLink): Pick<LinkInfo, 'ifname' | 'ifindex' | 'netns'> {
  const target = state?.target;
  const netns = target === undefined ? undefined : netnsOf(target);
  const known = target !== undefined && 'ifname' in target ? target : undefined;
  return {
    ifname: known?.ifname ?? null,
    ifindex: known?.ifindex ?? info?.ifindex ?? null,
    netns: netns === undefined ? null : { inode: netns.inode, name: netnsName(netns.inode) ?? null },
  };
}

function detailOf(state: LinkState): string | null {
  const [, words] = /^ \((.+)\)$/.exec(familyOf(state).detail(state)) ?? [];
  return words ?? null;
}

function knownMode(state: LinkState | undefined): LinkInfo['mode'] {
  return state !== undefined && 'mode' in state && state.mode !== 'auto' ? state.mode : null;
}

function hookOf(attachType: string | undefined): string | undefined {
  return attachType?.replace(/^tcx_/, 'tcx/');
}

let bootSeconds: number | undefined;

/** The kernel counts from its boot, in nanoseconds; its own time of the boot is the one that is the same at each look. */
function sinceBoot(nanoseconds: bigint): string {
  bootSeconds ??= Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? 0);
  return new Date(bootSeconds * 1000 + Number(nanoseconds / 1_000_000n)).toISOString();
}
