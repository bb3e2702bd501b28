/** How each action is performed and undone. Both are safe to repeat: recovery does not know how far a killed command got. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { type LoadTarget, load } from '../ebpf/load.js';
import { BpfMap } from '../ebpf/map.js';
import { exists, makeFolder } from '../host/folders.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { Action } from './action.js';
import { dropPins, pinAdopted, unpinAdopted } from './adopt/pins.js';
import { attachLink, detachLink, isAlive, rearrangeLink, swapLink } from './attachment.js';
import { restoreEntries } from './entries/old-entries.js';
import { pinPath } from './layout.js';
import type { LinkState } from './link-state.js';
import { beginWaiting, removePending, type Unconfirmed } from './pending/record.js';
import { removePins } from './remove-pins.js';
import { steppingStone } from './stepping-stone.js';
import type { StateStore } from './store.js';
import { relocated, sameTarget } from './targets/index.js';

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
  /** What a manifest declares of maps; undefined in plans without that. */
  readonly declared?: DeclaredWork | undefined;
  /** The change that is to be confirmed; undefined in plans without that. */
  readonly unconfirmed?: Unconfirmed | undefined;
  /** Links as they really were made, by name: the mode taken, the qdisc made. */
  readonly made: Map<string, LinkState>;
  /** Gets the links whose targets went before they were attached, which are then not recorded; without it that fails. */
  readonly leftOut?: Map<string, NetkitError> | undefined;
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

/** What only the command that read the manifest knows. */
export interface DeclaredWork {
  /** The contents of a file of entries that is to be stored. */
  bytesOf(file: string): Uint8Array;
  /** Writes what was planned for the map that is pinned at a path. */
  write(map: string, signal: AbortSignal | undefined): Promise<void>;
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
      const { folder, link } = action;
      try {
        stage.made.set(link.name, attachLink(folder, link, stage));
      } catch (error) {
        if (stage.leftOut === undefined || !(error instanceof NetkitError) || !isTargetGone(link))
          throw error;
        detachLink(folder, link);
        stage.leftOut.set(link.name, error);
      }
    },
    undo: (action) => detachLink(action.folder, action.link),
  },
  detach: {
    perform: (action) => detachLink(action.folder, action.link),
    undo: (action, stage) => {
      if (action.wasDead === true || isAlive(action.folder, action.link)) return;
      // Of a link that was detached only, the dead pin is left.
      detachLink(action.folder, action.link);
      // With its interface the attachment would have gone too.
      if (isTargetGone(action.link)) return;
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
    perform: (action, stage) => rearrangeLink(action.folder, action.link, action.next, stage),
    undo: (action, stage) => rearrangeLink(action.folder, action.next, action.link, stage),
  },
  move: {
    perform: (action) => rename(action.from, action.to),
    undo: (action) => {
      if (action.displaced === undefined || exists(action.displaced)) rename(action.to, action.from);
    },
  },
  adopt: { perform: pinAdopted, undo: unpinAdopted },
  'drop-pins': { perform: (action) => dropPins(action.pins), undo: () => undefined },
  'store-entries': {
    perform(action, stage) {
      if (stage.declared !== undefined)
        stage.store.storeObject(action.file, stage.declared.bytesOf(action.file));
    },
    undo: (action, stage) => stage.store.dropObject(action.file),
  },
  'drop-entries': {
    perform: (action, stage) => stage.store.dropObject(action.file),
    undo: () => undefined,
  },
  'write-entries': {
    perform: waiting.perform,
    undo(action) {
      // The entries of a map that is gone went with it.
      if (action.old === null || !exists(action.map)) return;
      using map = BpfMap.fromPin(action.map);
      restoreEntries(map, action.old);
    },
  },
  'record-chain': {
    perform: (action, stage) => stage.store.writeChain(action.function, action.after),
    undo: (action, stage) => stage.store.writeChain(action.function, action.before),
  },
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
      else {
        const there = action.after.links.filter(({ name }) => stage.leftOut?.has(name) !== true);
        const links = there.map((link) => stage.made.get(link.name) ?? link);
        stage.store.write({ ...action.after, links });
      }
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
    case 'write-entries':
      return stage.declared?.write(action.map, signal);
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

/** An interface that was made again under its name is another one. */
function isTargetGone({ target }: LinkState): boolean {
  try {
    const there = relocated(target);
    return target.kind === 'interface' && !sameTarget(there, target);
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return true;
    throw error;
  }
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
