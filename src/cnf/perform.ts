/** How each action is performed and undone. Both are safe to repeat: recovery does not know how far a killed command got. */
import { lstatSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Scope } from '../base/scope.js';
import type { KernelObject } from '../ebpf/kernel-object.js';
import { Link } from '../ebpf/link.js';
import { type LoadTarget, load } from '../ebpf/load.js';
import { BpfMap } from '../ebpf/map.js';
import { Program } from '../ebpf/program.js';
import { exists, makeFolder, namesIn } from '../host/folders.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { Action } from './action.js';
import { dropPins, pinAdopted, unpinAdopted } from './adopt/pins.js';
import { attachLink, detachLink, isAlive, rearrangeLink, swapLink } from './attachment.js';
import { leaveChains } from './chain/leave.js';
import { bpffsOf, type PinFolder, pinPath, removeEmptyFolders } from './layout.js';
import type { LinkState } from './link-state.js';
import { beginWaiting, removePending, type Unconfirmed } from './pending/record.js';
import { steppingStone } from './stepping-stone.js';
import type { StateStore } from './store.js';

/** What actions act on, and what they leave for the ones after them. */
export interface Stage {
  readonly store: StateStore;
  /** Where functions are pinned. */
  readonly bpffs: string;
  /** The object to load, with its globals, sizes and choice of programs; undefined in plans without `load`. */
  readonly spec?: ObjectSpec | undefined;
  /** Existing maps for the object, by its map names. */
  readonly reuse?: ReadonlyMap<string, BpfMap> | undefined;
  /** What tracing programs are loaded for, where that is not what their sections say. */
  readonly targets?: ReadonlyMap<string, LoadTarget> | undefined;
  /** What a replacement does beside swapping; undefined in plans without one. */
  readonly succession?: SuccessionWork | undefined;
  /** The change that is to be confirmed; undefined in plans without that. */
  readonly unconfirmed?: Unconfirmed | undefined;
  /** Links as they really were made, by name: the mode taken, the qdisc made. */
  readonly made: Map<string, LinkState>;
  /** Says something worth knowing that is no error. */
  note(text: string, link?: string): void;
}

/** What only the command that replaces a function can do: it takes its time, and remembers what it did. */
export interface SuccessionWork {
  migrate(from: string, to: string, signal: AbortSignal | undefined): Promise<void>;
  test(folder: string, signal: AbortSignal | undefined): Promise<void>;
  catchUp(signal: AbortSignal | undefined): Promise<void>;
  carryOver(): Promise<void>;
}

type Of<K extends Action['kind']> = Extract<Action, { kind: K }>;
interface Interpreter<K extends Action['kind']> {
  perform(action: Of<K>, stage: Stage): void;
  undo(action: Of<K>, stage: Stage): void;
}

/** What takes its time, and is done by {@link performWaiting}. */
const waiting = {
  perform: ({ kind }: { readonly kind: string }) => {
    throw new TypeError(`a step '${kind}' has to be waited for`);
  },
  undo: () => undefined,
};

const interpreters: { readonly [K in Action['kind']]: Interpreter<K> } = {
  'store-object': {
    perform(action, stage) {
      if (stage.spec !== undefined) stage.store.storeObject(action.file, stage.spec.bytes);
    },
    undo: (action, stage) => stage.store.dropObject(action.file),
  },
  load: {
    perform: (action, stage) => loadAndPin(action, stage),
    undo: (action) => removePins(action.folder),
  },
  attach: {
    perform: (action, stage) => {
      stage.made.set(action.link.name, attachLink(action.folder, action.link, stage));
    },
    undo: (action) => detachLink(action.folder, action.link),
  },
  detach: {
    perform: (action) => detachLink(action.folder, action.link),
    undo: (action, stage) => {
      if (action.wasDead === true || isAlive(action.folder, action.link)) return;
      // Of a link that was detached only, the dead pin is left.
      detachLink(action.folder, action.link);
      attachLink(action.folder, action.link, stage);
    },
  },
  swap: {
    perform: (action, stage) => {
      const swapped = swapLink(action.folder, action.link, action.from, action.to, stage);
      const { program = swapped.program } = action;
      stage.made.set(action.link.name, { ...swapped, program });
    },
    undo: (action, stage) => {
      if (exists(action.to)) swapLink(action.folder, action.link, action.to, action.from, stage);
    },
  },
  // Only the command that planned them can do these; what they wrote goes with the new maps.
  migrate: waiting,
  test: waiting,
  'catch-up': waiting,
  'carry-over': waiting,
  rearrange: {
    perform: (action) => rearrangeLink(action.folder, action.link, action.next),
    undo: (action) => rearrangeLink(action.folder, action.next, action.link),
  },
  move: {
    perform: (action) => rename(action.from, action.to),
    undo: (action) => {
      if (action.displaced === undefined || exists(action.displaced)) rename(action.to, action.from);
    },
  },
  adopt: { perform: pinAdopted, undo: unpinAdopted },
  'drop-pins': { perform: (action) => dropPins(action.pins), undo: () => undefined },
  'await-confirmation': {
    perform(action, stage) {
      if (stage.unconfirmed === undefined) throw new TypeError('nothing that could be taken back');
      beginWaiting(stage.store, stage.unconfirmed, action.forMs);
    },
    undo: (action, stage) => removePending(stage.store, action.function),
  },
  record: {
    perform(action, stage) {
      if (action.after === null) stage.store.remove(action.function);
      else
        stage.store.write({
          ...action.after,
          links: action.after.links.map((link) => stage.made.get(link.name) ?? link),
        });
    },
    undo(action, stage) {
      if (action.before === null) stage.store.remove(action.function);
      else stage.store.write(action.before);
    },
  },
  unpin: {
    perform: (action) => removePins(action.folder),
    // It comes last and restores by itself what it could not finish.
    undo: () => undefined,
  },
  'set-aside': {
    perform: (action) => rename(action.folder, action.to),
    undo: (action) => rename(action.to, action.folder),
  },
  'drop-object': {
    perform: (action, stage) => stage.store.dropObject(action.file),
    undo: () => undefined,
  },
};

/** {@link perform} for every kind of action: some take their time. @throws NetkitError `interrupted` too */
export async function performWaiting(action: Action, stage: Stage, signal?: AbortSignal): Promise<void> {
  const { succession } = stage;
  switch (action.kind) {
    case 'migrate':
      return succession?.migrate(action.from, action.to, signal);
    case 'test':
      return succession?.test(action.folder, signal);
    case 'catch-up':
      return succession?.catchUp(signal);
    case 'carry-over':
      return succession?.carryOver();
    default:
      perform(action, stage);
  }
}

/** Performs one action. @throws whatever went wrong, with the action's own partial work possibly there: undo it too */
export function perform(action: Action, stage: Stage): void {
  interpreterOf(action).perform(action, stage);
}

/** Takes an action back, also one that was performed in part or not at all. */
export function undo(action: Action, stage: Stage): void {
  interpreterOf(action).undo(action, stage);
}

/** The table's type ties each interpreter to its kind; TypeScript cannot follow that through an index. */
function interpreterOf<A extends Action>(action: A): Interpreter<A['kind']> {
  return interpreters[action.kind] as unknown as Interpreter<A['kind']>;
}

function loadAndPin(action: Of<'load'>, stage: Stage): void {
  if (stage.spec === undefined) throw new TypeError('a load without an object');
  using object = load(stage.spec, {
    name: action.function,
    ...(stage.reuse === undefined ? {} : { reuse: stage.reuse }),
    ...(stage.targets === undefined ? {} : { targets: stage.targets }),
  });
  makeFolder(join(action.folder, 'progs'));
  makeFolder(join(action.folder, 'maps'));
  for (const [name, program] of object.programs) program.pin(pinPath(action.folder, 'progs', name));
  steppingStone();
  for (const [name, map] of object.maps) map.pin(pinPath(action.folder, 'maps', name));
}

function rename(from: string, to: string): void {
  if (exists(from) && !exists(to)) renameSync(from, to);
}

const openers: Record<PinFolder, (path: string) => KernelObject> = {
  progs: (path) => Program.fromPin(path),
  maps: (path) => BpfMap.fromPin(path),
  links: (path) => Link.fromPin(path),
  chain: (path) => Program.fromPin(path),
};

/**
 * Removes a function's folder with all pins, all or none: every object is held open meanwhile, and pinned again when a
 * pin cannot be removed. Links go last: detached, because their last reference would let go only later, and a detached
 * link cannot be brought back.
 */
function removePins(folder: string): void {
  using scope = new Scope();
  const removed: [string, KernelObject | undefined][] = [];
  try {
    // A replacement's folder holds `old_progs` and `old_maps` too; whatever is in there, its pins are netkit's.
    for (const kind of linksLast(namesIn(folder))) {
      const below = join(folder, kind);
      if (!isFolder(below)) {
        // Nothing of netkit's; but the folder goes.
        unlinkSync(below);
        continue;
      }
      for (const name of namesIn(below)) {
        const path = join(below, name);
        const object = openQuietly(kind.replace(/^old_/, ''), path);
        if (object !== undefined) scope.use(object);
        if (object instanceof Link) detachQuietly(object);
        // Other pins keep it in its chain.
        if (kind === 'chain' && object instanceof Program) leaveChains(bpffsOf(folder), object.info().id);
        if (isFolder(path)) rmdirSync(path);
        else unlinkSync(path);
        removed.push([path, object]);
      }
      rmdirSync(below);
      steppingStone();
    }
  } catch (error) {
    for (const [path, object] of removed) {
      makeFolder(dirname(path));
      object?.pin(path);
    }
    throw error;
  }
  removeEmptyFolders(folder);
}

function linksLast(kinds: readonly string[]): string[] {
  return [...kinds.filter((kind) => kind !== 'links'), ...kinds.filter((kind) => kind === 'links')];
}

function isFolder(path: string): boolean {
  return lstatSync(path).isDirectory();
}

/** A pin that cannot be opened is still ours to remove; it only cannot be brought back. */
function openQuietly(kind: string, path: string): KernelObject | undefined {
  const open = openers[kind as PinFolder];
  try {
    return open?.(path);
  } catch {
    return undefined;
  }
}

function detachQuietly(link: Link): void {
  try {
    link.detach();
  } catch {
    // A kind without detach lets go when its last reference does.
  }
}
