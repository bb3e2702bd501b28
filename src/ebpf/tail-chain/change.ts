/**
 * Changing a chain by tail calls: new programs go to free slots of the table, then one update of one map switches the whole
 * order, and the kernel returns from it when no packet is on its way by the old one. Then its slots are emptied.
 */
import { dirname, join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import { makeFolder, namesIn, removeFile, removeIfEmpty } from '../../host/folders.js';
import { actionsOf, verdictsOf } from '../../obj/xdp-dispatcher/actions.js';
import { inRunOrder } from '../../obj/xdp-dispatcher/order.js';
import {
  type ChainOrder,
  chainMaps,
  encodeOrder,
  mostMembers,
  orderSize,
  tableSlots,
} from '../../obj/xdp-tail-chain/layout.js';
import { xdp } from '../attach/xdp.js';
import { memberProgram, occupantOf } from '../dispatcher/chain.js';
import type { Changed, ChangeOptions, Edit, Present, Wanted } from '../dispatcher/change.js';
import { wrongMode } from '../dispatcher/refusals.js';
import { Link } from '../link.js';
import { BpfMap } from '../map.js';
import { Program } from '../program.js';
import { idInSlot, type OpenTailChain, openTailChain, readOrder, slotKey } from './chain.js';
import type { TailSlot } from './member.js';
import { chainPins, type TailPlace, tailChainFolder, tailChainsFolder } from './place.js';
import { loadRoot } from './root.js';

interface TailPresent extends Present<TailSlot> {
  readonly slot: number;
}

type TailOptions = Pick<ChangeOptions, 'mode' | 'step'>;
type Step = () => void;

/**
 * Changes the chain of an interface, makes it when there is none, and takes it off with its last member. Call it under
 * netkit's lock. Needs CAP_SYS_ADMIN, since programs are opened by their ids. Minimum kernel 5.10.
 * @throws NetkitError `conflict` when the hook has another program, or the chain another mode, or it is full;
 *   `unsupported` (driver); and what loading a member throws
 */
export function changeTailChain(
  place: TailPlace,
  { mode, step = () => undefined }: TailOptions,
  edit: Edit<TailSlot>,
): Changed {
  using scope = new Scope();
  const folder = tailChainFolder(place);
  const chain = liveChain(folder, scope);
  const now = chain === undefined ? undefined : occupantOf(place)?.mode;
  const members = chain === undefined ? [] : openMembers(chain, scope);
  const wanted = edit(members);
  if (wanted === undefined) {
    if (chain !== undefined) emptyUnused(chain, members);
    return { changed: false, mode: now, fallback: undefined };
  }
  if (now !== undefined && mode !== 'auto' && mode !== now && wanted.length > 0)
    throw wrongMode(place, now, mode);
  if (wanted.length > mostMembers) throw full(place, members);
  if (chain !== undefined) {
    arrange(chain, members, wanted, step);
    return { changed: true, mode: wanted.length === 0 ? undefined : now, fallback: undefined };
  }
  if (wanted.length === 0) return { changed: false, mode: undefined, fallback: undefined };
  return { changed: true, ...begin(place, mode, wanted, step) };
}

/**
 * Takes a program out of every chain that it is in, from the pins alone, and removes what a killed change left of chains.
 * @returns whether it was in one
 */
export function leaveTailChains(bpffs: string, programId: number, step: Step = () => undefined): boolean {
  const chains = tailChainsFolder(bpffs);
  return namesIn(chains)
    .map((name) => leaveTailChain(join(chains, name), programId, step))
    .includes(true);
}

/**
 * Takes a program out of one chain, wherever its interface is by now, and removes what a killed change left of it.
 * @param folder of its pins
 * @returns whether it was in there
 */
export function leaveTailChain(folder: string, programId: number, step: Step = () => undefined): boolean {
  using scope = new Scope();
  const chain = openTailChain(folder, scope);
  const members = chain === undefined ? [] : openMembers(chain, scope);
  const left = members.filter((member) => member.programId !== programId);
  if (chain?.link === undefined || members.length === 0) remove(folder, chain, step);
  else if (left.length < members.length) arrange(chain, members, left, step);
  else emptyUnused(chain, members);
  return left.length < members.length;
}

/** What is left of a chain that is on no interface any more is removed: its members are dead. */
function liveChain(folder: string, scope: Scope): OpenTailChain | undefined {
  const chain = openTailChain(folder, scope);
  if (chain?.link !== undefined && !chain.link.info().gone) return chain;
  if (namesIn(folder).length > 0) remove(folder, chain, () => undefined);
  return undefined;
}

function openMembers(chain: OpenTailChain, scope: Scope): TailPresent[] {
  const { frags, members } = readOrder(chain);
  return members.flatMap(({ slot, priority, goOn }) => {
    const id = idInSlot(chain.programs, slot);
    if (id === undefined) return [];
    const program = scope.use(Program.fromId(id));
    const { name, tag, loadTimeNs } = memberProgram(program);
    const proceedOn = verdictsOf(goOn);
    const loaded = { tag, loadTimeNs };
    return [{ name, priority, proceedOn, frags, loaded, program, programId: id, slot, open: () => program }];
  });
}

interface Begun {
  readonly mode: Changed['mode'];
  readonly fallback: string | undefined;
}

/** The maps are pinned and the order is there before the root program gets on the interface. */
function begin(
  place: TailPlace,
  mode: ChangeOptions['mode'],
  wanted: readonly Wanted<TailSlot>[],
  step: Step,
): Begun {
  using scope = new Scope();
  const folder = tailChainFolder(place);
  const frags = wanted.every((member) => member.frags);
  const root = loadRoot(frags, scope);
  const pins = chainPins(folder);
  let begun: Begun | undefined;
  try {
    makeFolder(folder);
    root.programs.pin(pins.programs);
    step();
    root.way.pin(pins.way);
    root.order.pin(pins.order);
    root.first.pin(pins.first);
    step();
    const order = filled({ folder, link: undefined, ...root }, [], wanted, frags);
    step();
    // Nobody is in need of an order yet: no update that waits.
    root.first.setBytes(new Uint8Array(4), encodeOrder(order));
    step();
    begun = putOn(place, mode, root.program, pins.root);
    step();
  } finally {
    if (begun === undefined) remove(folder, undefined, () => undefined);
  }
  return begun;
}

function putOn(place: TailPlace, mode: ChangeOptions['mode'], root: Program, pin: string): Begun {
  const { ifname, netns } = place;
  const put = (as: 'native' | 'generic' | 'offload'): Begun => {
    using link = root.attach(xdp({ ifname, mode: as, netns }));
    link.pin(pin);
    return { mode: as, fallback: undefined };
  };
  if (mode !== 'auto') return put(mode);
  try {
    return put('native');
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'unsupported') throw error;
    return { ...put('generic'), fallback: error.message };
  }
}

function arrange(
  chain: OpenTailChain,
  before: readonly TailPresent[],
  wanted: readonly Wanted<TailSlot>[],
  step: Step,
): void {
  if (wanted.length === 0) {
    remove(chain.folder, chain, step);
    return;
  }
  const next = filled(chain, before, wanted, readOrder(chain).frags);
  step();
  switchTo(chain, next);
  step();
  emptyAllBut(chain.programs, new Set(next.members.map(({ slot }) => slot)));
  step();
}

/** Gives each new member a slot, beside those of the order that counts now. @returns the order that is wanted */
function filled(
  { programs, way }: OpenTailChain,
  before: readonly TailPresent[],
  wanted: readonly Wanted<TailSlot>[],
  frags: boolean,
): ChainOrder {
  const slotOf = new Map(before.map((member) => [member.programId, member.slot]));
  const used = new Set(slotOf.values());
  // Those of a change that was killed.
  emptyAllBut(programs, used);
  const isThere = (member: Wanted<TailSlot>): member is TailPresent => 'programId' in member;
  const members = inRunOrder(wanted).map((member) => {
    const { priority, proceedOn } = member;
    const known = isThere(member) ? slotOf.get(member.programId) : undefined;
    const slot = known ?? fill(programs, used, member.open({ programs, way, frags }));
    return { slot, priority, goOn: actionsOf(proceedOn) % 0x100 };
  });
  return { frags, members };
}

/** Puts a program into a free slot, which no packet meets yet. */
function fill(programs: BpfMap, used: Set<number>, program: Program): number {
  const free = Array.from({ length: tableSlots }, (_, slot) => slot).find((slot) => !used.has(slot));
  if (free === undefined) throw new TypeError('more slots than an old and a new order need');
  used.add(free);
  programs.setReference(free, program);
  return free;
}

/** A change that was killed may have given a program its slot, and no place in the order. */
function emptyUnused({ programs }: OpenTailChain, members: readonly TailPresent[]): void {
  emptyAllBut(programs, new Set(members.map(({ slot }) => slot)));
}

function emptyAllBut(programs: BpfMap, used: ReadonlySet<number>): void {
  for (let slot = 0; slot < tableSlots; slot++) {
    if (!used.has(slot) && idInSlot(programs, slot) !== undefined) programs.deleteBytes(slotKey(slot));
  }
}

/** @internal The one update. The kernel returns from it when no program is at work with the old order any more. */
export function switchTo({ order }: Pick<OpenTailChain, 'order'>, next: ChainOrder): void {
  using inner = BpfMap.create({
    type: 'array',
    name: chainMaps.order,
    keySize: 4,
    valueSize: orderSize,
    maxEntries: 1,
  });
  inner.setBytes(new Uint8Array(4), encodeOrder(next));
  inner.freeze();
  order.setReference(0, inner);
}

/** Takes the root program off first: then nobody is in need of the rest. What is gone already is fine. */
function remove(folder: string, chain: OpenTailChain | undefined, step: Step): void {
  const { root, ...maps } = chainPins(folder);
  const link = chain?.link ?? openLink(root);
  using _link = chain?.link === undefined ? link : undefined;
  link?.detach();
  step();
  for (const pin of [root, ...Object.values(maps)]) removeFile(pin);
  removeIfEmpty(folder);
  removeIfEmpty(dirname(folder));
}

function openLink(pin: string): Link | undefined {
  try {
    return Link.fromPin(pin);
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return undefined;
    throw error;
  }
}

function full({ ifname }: TailPlace, members: readonly Present<TailSlot>[]): NetkitError {
  return new NetkitError('conflict', `the chain of ${ifname} is full: it takes ${mostMembers} programs`, {
    details: { ifname, members: members.map(({ name, programId }) => ({ name, programId })) },
  });
}
