/** What all attachments have in common that are links in the kernel, kept by a pin in the function's folder. */
import { renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import type { Attachment } from '../../ebpf/attach/index.js';
import { Link, type LinkInfo } from '../../ebpf/link.js';
import { Program } from '../../ebpf/program.js';
import { exists, makeFolder } from '../../host/folders.js';
import { pinPath } from '../layout.js';
import type { LinkState } from '../link-state.js';
import { steppingStone } from '../stepping-stone.js';
import type { HookFamily, Notes, Seen } from './family.js';
import { detachAndWait, waitUntilGone } from './link-end.js';

export interface LinkMaker<L extends LinkState> {
  /** Attaches, not yet pinned. @returns the attachment, and what is to be recorded */
  make(
    program: Program,
    link: L,
    notes: Notes,
    /** Of the function. */
    folder: string,
  ): { readonly made: Attachment; readonly link: L };
  /** How another program comes into the link's place; `swap` when left out. */
  readonly replacing?: HookFamily['replacing'];
  /** Whether the target is gone, where the kernel does not tell of the link. */
  isGone?(link: L): boolean;
}

type Pinned<L extends LinkState> = Pick<
  HookFamily<L>,
  'holder' | 'replacing' | 'attach' | 'hold' | 'detach' | 'swap' | 'isAlive' | 'look'
>;

/** The part of a family that is the same for every kind of link. */
export function pinnedLinks<L extends LinkState>(maker: LinkMaker<L>): Pinned<L> {
  const replacing = maker.replacing ?? 'swap';
  const isDead = (info: LinkInfo, link: L): boolean => info.gone || maker.isGone?.(link) === true;
  return {
    holder: 'link',
    replacing,
    attach: (folder, link, notes) =>
      attachPinned(maker, { folder, link, notes, program: pinPath(folder, 'progs', link.program) }),
    hold(folder, link, notes) {
      using program = Program.fromPin(pinPath(folder, 'progs', link.program));
      return maker.make(program, link, notes, folder).made;
    },
    detach(folder, link) {
      const path = pinOf(folder, link);
      for (const pin of [asideOf(path), path]) if (exists(pin)) detachAndWait(pin);
    },
    swap(folder, link, from, to, notes) {
      if (!exists(to)) return link;
      if (replacing !== 'swap') return changed(maker, { folder, link, program: to, notes });
      using next = Program.fromPin(to);
      using expected = Program.fromPin(from);
      using pinned = Link.fromPin(pinOf(folder, link));
      const info = pinned.info();
      // What is taken back may never have been done: another's program stays where it is.
      const isUndone = dirname(dirname(to)) === folder;
      if (isUndone && info.programId !== expected.info().id) return link;
      // A dead link has nothing to swap.
      if (info.programId !== next.info().id && !isDead(info, link)) pinned.update(next, expected);
      return link;
    },
    isAlive(folder, link) {
      const path = pinOf(folder, link);
      if (!exists(path)) return false;
      using pinned = Link.fromPin(path);
      return !isDead(pinned.info(), link);
    },
    look(folder, link): Seen {
      const pin = pinOf(folder, link);
      const info = infoOf(pin);
      if (info === undefined) return { pin: undefined, info, programId: undefined, dead: true };
      const programId = info.programId === 0 ? undefined : info.programId;
      return { pin, info, programId, dead: isDead(info, link) };
    },
  };
}

interface Making<L extends LinkState> {
  readonly folder: string;
  readonly link: L;
  /** The path of the program's pin. */
  readonly program: string;
  readonly notes: Notes;
}

function attachPinned<L extends LinkState>(maker: LinkMaker<L>, making: Making<L>): L {
  return madeAt(maker, making, pinOf(making.folder, making.link));
}

function madeAt<L extends LinkState>(maker: LinkMaker<L>, making: Making<L>, path: string): L {
  using program = Program.fromPin(making.program);
  const result = maker.make(program, making.link, making.notes, making.folder);
  using made = result.made;
  if (!(made instanceof Link)) throw onlyHeld(making.link, reasonOf(made));
  makeFolder(join(making.folder, 'links'));
  made.pin(path);
  return result.link;
}

function reasonOf({ holder }: Attachment): string {
  return holder === 'process' ? 'only a process can hold it' : 'it is no link that could be pinned';
}

/** What cannot stay attached when netkit has ended. */
export function onlyHeld({ program, hook }: LinkState, why: string): NetkitError {
  return new NetkitError(
    'unsupported',
    `on this kernel '${program}' cannot stay attached to ${hook}: ${why}`,
    {
      hint: 'add --hold: netkit then stays in the foreground, and detaches when it is stopped',
    },
  );
}

/**
 * Puts another program into the place of one that cannot be swapped: beside it first, and its pin in the other's place;
 * or after it, where the kernel takes only one. Done already is fine, and so is anything in between.
 */
function changed<L extends LinkState>(maker: LinkMaker<L>, making: Making<L>): L {
  const path = pinOf(making.folder, making.link);
  const aside = asideOf(path);
  if (exists(aside)) detachAndWait(aside);
  const present = infoOf(path);
  if (present !== undefined && present.programId === programIdOf(making.program)) return making.link;
  if (maker.replacing === 'gap') {
    if (exists(path)) detachAndWait(path);
    steppingStone();
    return attachPinned(maker, making);
  }
  const link = madeAt(maker, making, aside);
  steppingStone();
  renameSync(aside, path);
  steppingStone();
  if (present !== undefined) waitUntilGone(present.id);
  return link;
}

function programIdOf(path: string): number {
  using program = Program.fromPin(path);
  return program.info().id;
}

export function pinOf(folder: string, link: LinkState): string {
  return pinPath(folder, 'links', link.name);
}

/** Where a new link waits beside the one whose place it takes. No program's name begins with a plus sign. */
export function asideOf(path: string): string {
  const slash = path.lastIndexOf('/') + 1;
  return `${path.slice(0, slash)}+${path.slice(slash)}`;
}

/** Also what is no link shows nothing: one thing out of place must not keep the rest from being listed. */
function infoOf(path: string): LinkInfo | undefined {
  if (!exists(path)) return undefined;
  try {
    using link = Link.fromPin(path);
    return link.info();
  } catch (error) {
    if (error instanceof NetkitError && (error.code === 'not-found' || error.code === 'usage'))
      return undefined;
    throw error;
  }
}
