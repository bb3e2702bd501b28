/**
 * Changing the chain of an interface, after libxdp's protocol: a new dispatcher is made with every member, pinned, and put
 * in the place of the old one by compare-and-swap; packets meet the old chain or the new one. Then the old one goes.
 */
import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import { withNetns } from '../../host/netns.js';
import { actionsOf, type XdpVerdict } from '../../obj/xdp-dispatcher/actions.js';
import { chainSlots, type WritableVersion } from '../../obj/xdp-dispatcher/config.js';
import { inRunOrder, type Ordered } from '../../obj/xdp-dispatcher/order.js';
import { isErrno } from '../../sys/errno.js';
import { setXdp } from '../../sys/xdp.js';
import { Program } from '../program.js';
import { type BuiltDispatcher, buildDispatcher, type Slot } from './build.js';
import { type Chain, type ChainMode, describeOccupant, memberProgram, occupantOf } from './chain.js';
import { ChainLock } from './lock.js';
import { newChainVersion } from './object.js';
import { type Marks, mark, pinMembers, removePins, sweepMarks } from './pins.js';
import { type ChainPlace, dispatcherFolder, programPin } from './place.js';
import { foreignProgram, notPinnedHere, otherVersion, refusedByInterface, wrongMode } from './refusals.js';

/** A member of a chain that is to be. */
export interface Wanted<S = Slot> extends Ordered {
  readonly proceedOn: readonly XdpVerdict[];
  /** The bits that stand for them in a chain that is there, where they say more than netkit knows. */
  readonly actions?: number | undefined;
  readonly frags: boolean;
  /** The program: one that is loaded, or one that is loaded for this slot. It is disposed of by whoever made this. */
  open(slot: S): Program;
}

/** A member that is in the chain, opened. */
export interface Present<S = Slot> extends Wanted<S> {
  readonly program: Program;
  readonly programId: number;
}

/** What becomes of the members; undefined when nothing is to change. Called anew whenever somebody else was faster. */
export type Edit<S = Slot> = (members: readonly Present<S>[]) => readonly Wanted<S>[] | undefined;

export interface ChangeOptions {
  /** Of a chain that is to be made. One that is there keeps its mode; `auto` takes that, or native, or generic where the driver has none. */
  readonly mode: ChainMode | 'auto';
  /** How long to wait for others that are changing chains. */
  readonly lockTimeoutMs?: number | undefined;
  /** Leaves word of what it makes, for whoever comes after a kill. */
  readonly marks?: Marks | undefined;
  /** Called between two steps, for tests that stop it there. */
  readonly step?: (() => void) | undefined;
}

export interface Changed {
  /** False when the edit had nothing to change. */
  readonly changed: boolean;
  /** Undefined when the chain is gone. */
  readonly mode: ChainMode | undefined;
  /** Why the mode is generic, where native had been tried. */
  readonly fallback: string | undefined;
}

/** How often a change begins anew because somebody else was faster; as libxdp. */
const mostTries = 10;
const usualLockTimeoutMs = 10_000;

/**
 * Changes the chain of an interface, makes it when there is none, and takes it off with its last member.
 * Needs CAP_SYS_ADMIN, since others' programs are opened by their ids. Minimum kernel 5.10.
 * @throws NetkitError `conflict` when the hook has a program that is no chain, a chain of another version, pinned
 *   elsewhere or in another mode, when eleven members were wanted, or others changed it at each try; `locked`;
 *   `unsupported` (driver, kernel); and what loading a member throws
 */
export function changeChain(place: ChainPlace, options: ChangeOptions, edit: Edit): Changed {
  using _lock = ChainLock.acquire(place.bpffs, options.lockTimeoutMs ?? usualLockTimeoutMs);
  sweep(place, options);
  for (let tries = 0; tries < mostTries; tries++) {
    const done = tryChange(place, options, edit);
    if (done !== undefined) return done;
  }
  throw new NetkitError(
    'conflict',
    `the XDP programs of ${place.ifname} were changed by somebody else at each of ${mostTries} tries`,
  );
}

function sweep(place: ChainPlace, { marks }: ChangeOptions): void {
  if (marks === undefined) return;
  const current = occupantOf(place)?.id;
  sweepMarks(place, marks, (id) => id === current);
}

/** @returns undefined when somebody else was faster */
function tryChange(place: ChainPlace, options: ChangeOptions, edit: Edit): Changed | undefined {
  using scope = new Scope();
  const old = openOccupant(place, scope);
  if (old === 'gone') return undefined;
  const members = old === undefined ? [] : openMembers(place, old.chain, scope);
  const wanted = edit(members);
  if (wanted === undefined) return { changed: false, mode: old?.chain.mode, fallback: undefined };
  if (old !== undefined && options.mode !== 'auto' && options.mode !== old.chain.mode && wanted.length > 0)
    throw wrongMode(place, old.chain.mode, options.mode);
  if (wanted.length > chainSlots) {
    throw new NetkitError(
      'conflict',
      `the chain of ${place.ifname} is full: it takes ${chainSlots} programs`,
      {
        details: {
          ifname: place.ifname,
          members: members.map(({ name, programId }) => ({ name, programId })),
        },
      },
    );
  }
  if (wanted.length === 0) return takeOff(place, options, old);
  const built = buildDispatcher(versionOf(place, old?.chain), inRunOrder(wanted).map(occupying), scope);
  return putOn(place, options, built, old);
}

interface Occupied {
  readonly program: Program;
  readonly chain: Chain;
}

function openOccupant(place: ChainPlace, scope: Scope): Occupied | undefined | 'gone' {
  const found = occupantOf(place);
  if (found === undefined) return undefined;
  let program: Program;
  try {
    program = scope.use(Program.fromId(found.id));
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return 'gone';
    throw error;
  }
  const chain = describeOccupant(place, found.mode, program);
  if (chain.kind === 'program') throw foreignProgram(place, chain);
  return { program, chain };
}

/** @throws NetkitError `conflict` for a chain that netkit cannot change */
function openMembers(place: ChainPlace, chain: Chain, scope: Scope): Present[] {
  versionOf(place, chain);
  return (chain.members ?? []).map(({ slot, priority, proceedOn, actions, frags, program: known }) => {
    if (known === undefined) throw notPinnedHere(place, chain);
    const program = scope.use(Program.fromPin(programPin(chain.folder, slot)));
    const { id, name, tag, loadTimeNs } = memberProgram(program);
    const loaded = { tag, loadTimeNs };
    return { name, priority, proceedOn, actions, frags, loaded, program, programId: id, open: () => program };
  });
}

/** That of the chain that is there. @throws NetkitError `conflict` when netkit does not write it */
function versionOf(place: ChainPlace, chain: Chain | undefined): WritableVersion {
  if (chain === undefined) return newChainVersion();
  if ((chain.version === 2 || chain.version === 3) && !chain.deviceBound) return chain.version;
  throw otherVersion(place, chain);
}

function occupying({ name, priority, proceedOn, actions = actionsOf(proceedOn), frags, open }: Wanted) {
  return { name, config: { priority, actions, frags }, open };
}

function putOn(
  place: ChainPlace,
  options: ChangeOptions,
  built: BuiltDispatcher,
  old: Occupied | undefined,
): Changed | undefined {
  const { marks, step = () => undefined } = options;
  const folder = dispatcherFolder(place, built.program.info().id);
  step();
  if (marks !== undefined) mark(marks, 'new', folder);
  step();
  let outcome: { readonly mode: ChainMode; readonly fallback: string | undefined } | undefined;
  try {
    pinMembers(folder, built, step);
    if (marks !== undefined && old !== undefined) mark(marks, 'old', old.chain.folder);
    step();
    outcome = swap(place, options, built, old);
  } finally {
    if (outcome === undefined) {
      removePins(folder);
      sweep(place, options);
    }
  }
  if (outcome === undefined) return undefined;
  step();
  if (old !== undefined) removePins(old.chain.folder);
  step();
  sweep(place, options);
  return { changed: true, ...outcome };
}

/** @returns undefined when somebody else was faster */
function swap(
  place: ChainPlace,
  options: ChangeOptions,
  built: BuiltDispatcher,
  old: Occupied | undefined,
): { readonly mode: ChainMode; readonly fallback: string | undefined } | undefined {
  const put = (mode: ChainMode): boolean => setProgram(place, mode, built.program, old);
  if (old !== undefined)
    return put(old.chain.mode) ? { mode: old.chain.mode, fallback: undefined } : undefined;
  if (options.mode !== 'auto')
    return put(options.mode) ? { mode: options.mode, fallback: undefined } : undefined;
  try {
    return put('native') ? { mode: 'native', fallback: undefined } : undefined;
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'unsupported') throw error;
    return put('generic') ? { mode: 'generic', fallback: error.message } : undefined;
  }
}

function takeOff(place: ChainPlace, options: ChangeOptions, old: Occupied | undefined): Changed | undefined {
  const { marks, step = () => undefined } = options;
  if (old === undefined) return { changed: false, mode: undefined, fallback: undefined };
  if (marks !== undefined) mark(marks, 'old', old.chain.folder);
  step();
  if (!setProgram(place, old.chain.mode, undefined, old)) {
    sweep(place, options);
    return undefined;
  }
  step();
  removePins(old.chain.folder);
  step();
  sweep(place, options);
  return { changed: true, mode: undefined, fallback: undefined };
}

/** @returns false when the hook has another program by now than was expected */
function setProgram(
  place: ChainPlace,
  mode: ChainMode,
  program: Program | undefined,
  old: Occupied | undefined,
): boolean {
  try {
    withNetns(place.netns, () => setXdp(place.ifindex, mode, program?.fd, old?.program.fd));
    return true;
  } catch (error) {
    const now = occupantOf(place);
    if (isErrno(error, 'EBUSY', 'EEXIST') && now?.id !== old?.chain.dispatcherId) return false;
    throw refusedByInterface(place, mode, error);
  }
}
