/** Attachments as they are listed: what was recorded beside what the kernel has. */
import { join } from 'node:path';
import { pinName } from '../ebpf/kernel-object.js';
import { Link, type LinkInfo } from '../ebpf/link.js';
import { Program } from '../ebpf/program.js';
import { namesIn } from '../host/folders.js';
import { familyOf } from './hooks/index.js';
import { byId, ofPin, unlessGone, withObject } from './kernel-listing.js';
import type { LinkState } from './link-state.js';

export interface ListedLink {
  readonly name: string | undefined;
  readonly function: string | undefined;
  readonly pin: string | undefined;
  /** `tc` for a filter. */
  readonly type: string;
  readonly programId: number | undefined;
  readonly programName: string | undefined;
  /** Undefined for a filter, and for a link that is not there. */
  readonly info: LinkInfo | undefined;
  /** What was recorded when netkit attached it. */
  readonly state: LinkState | undefined;
  /** What it was attached to is gone, or somebody detached it. */
  readonly dead: boolean;
}

/** Of one function: those that are recorded, and pins in its folder of which nothing is. */
export function linksOfFunction(
  recorded: readonly LinkState[],
  folder: string,
  owner: string,
  programNames: ReadonlyMap<number, string>,
): ListedLink[] {
  const known = new Set(
    recorded.filter((link) => familyOf(link).holder === 'link').map((link) => pinName(link.name)),
  );
  const stray = namesIn(join(folder, 'links'))
    .filter((pin) => !known.has(pin))
    .map((pin) => describeStray(pin, join(folder, 'links', pin), owner, programNames));
  return [...recorded.map((link) => describeLink(link, folder, owner, programNames)), ...stray];
}

function describeLink(
  state: LinkState,
  folder: string,
  owner: string,
  programNames: ReadonlyMap<number, string>,
): ListedLink {
  const { pin, info, programId, dead } = familyOf(state).look(folder, state);
  return {
    name: state.name,
    function: owner,
    pin,
    type: info?.type ?? familyOf(state).linkType,
    programId,
    programName: (info === undefined ? undefined : programNames.get(info.programId)) ?? state.program,
    info,
    state,
    dead,
  };
}

/** A pin in the function's folder of which nothing is recorded. */
function describeStray(
  name: string,
  path: string,
  owner: string,
  programNames: ReadonlyMap<number, string>,
): ListedLink {
  const info = ofPin(path, () => withObject(Link.fromPin(path), (link) => link.info()));
  return {
    name,
    function: owner,
    pin: info === undefined ? undefined : path,
    type: info?.type ?? 'unspec',
    programId: info === undefined || info.programId === 0 ? undefined : info.programId,
    programName: info === undefined ? undefined : programNames.get(info.programId),
    info,
    state: undefined,
    dead: info === undefined || info.gone,
  };
}

/**
 * Every link that the kernel has, netkit's own named and owned; its tc filters, which are no links, are listed too. Needs
 * CAP_SYS_ADMIN.
 */
export function listAllLinks(functions: readonly { readonly links: readonly ListedLink[] }[]): ListedLink[] {
  const listed = functions.flatMap(({ links }) => links);
  const own = byId(listed);
  const links = [...Link.ids()].flatMap(
    (id) => own.get(id) ?? unlessGone(() => foreignLink(withObject(Link.fromId(id), (link) => link.info()))),
  );
  return [
    ...links,
    ...listed.filter(({ state }) => state !== undefined && familyOf(state).holder === 'kernel'),
  ];
}

/** A link that netkit did not make. */
export function foreignLink(info: LinkInfo): ListedLink {
  return {
    name: undefined,
    function: undefined,
    pin: undefined,
    type: info.type,
    programId: info.programId === 0 ? undefined : info.programId,
    programName: info.programId === 0 ? undefined : programNameOf(info.programId),
    info,
    state: undefined,
    dead: info.gone,
  };
}

function programNameOf(id: number): string | undefined {
  try {
    return withObject(Program.fromId(id), (program) => program.info().name);
  } catch {
    return undefined;
  }
}
