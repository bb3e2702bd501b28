/**
 * What netkit can do to the system, as data. A plan is a list of these; `execute.ts` performs it, undoes it when a step
 * fails, and after a crash finishes or undoes it from the journal. So every action can be performed and undone from its
 * own data and what is there, twice as well as once.
 */
import { describeDuration } from '../base/duration.js';
import type { PinnedObject } from '../ebpf/pin-index.js';
import type { ChainState } from './chain-state.js';
import type { OldEntries } from './entries/old-entries.js';
import { describeTarget } from './hooks/index.js';
import type { LinkState } from './link-state.js';
import type { FunctionState } from './state.js';

/** Keeps a copy of the object file in the state directory, so that the function can be described and brought back. */
export interface StoreObject {
  readonly kind: 'store-object';
  readonly function: string;
  /** File name in the state directory. */
  readonly file: string;
}

/** Loads the object and pins its programs and maps below `folder`. */
export interface Load {
  readonly kind: 'load';
  readonly function: string;
  readonly folder: string;
}

export interface Attach {
  readonly kind: 'attach';
  readonly function: string;
  readonly folder: string;
  readonly link: LinkState;
}

export interface Detach {
  readonly kind: 'detach';
  readonly function: string;
  readonly folder: string;
  readonly link: LinkState;
  /** Somebody else had detached it: only its pin is removed, and nothing is to be brought back. */
  readonly wasDead?: boolean | undefined;
}

/** Puts the program pinned at `to` into a link in place of the one pinned at `from`. */
export interface Swap {
  readonly kind: 'swap';
  readonly function: string;
  readonly folder: string;
  readonly link: LinkState;
  readonly from: string;
  readonly to: string;
  /** The name of the one at `to`, where that is another program of the function. */
  readonly program?: string | undefined;
}

/** Copies the entries of a map to the one that is to succeed it; until the programs are swapped nobody else writes there. */
export interface Migrate {
  readonly kind: 'migrate';
  readonly function: string;
  readonly from: string;
  readonly to: string;
}

/** Runs the test packets through the programs in `folder`. Fails when a verdict is another one than was expected. */
export interface TestPrograms {
  readonly kind: 'test';
  readonly function: string;
  readonly folder: string;
}

/** Copies what has changed in migrated maps since, right before the swap. */
export interface CatchUp {
  readonly kind: 'catch-up';
  readonly function: string;
  readonly folder: string;
}

/** Carries over to migrated maps what the old programs wrote until they were swapped. */
export interface CarryOver {
  readonly kind: 'carry-over';
  readonly function: string;
  readonly folder: string;
}

/** Gives what is attached another place among the others on its hook, without detaching it. */
export interface Rearrange {
  readonly kind: 'rearrange';
  readonly function: string;
  readonly folder: string;
  readonly link: LinkState;
  /** The same link, as it is to be. */
  readonly next: LinkState;
}

/** Renames a folder of pins. */
export interface Move {
  readonly kind: 'move';
  readonly function: string;
  readonly from: string;
  readonly to: string;
  /**
   * There only when what was at `to` had been moved out of the way before: without it this move was not made, and
   * taking it back would take away what is at `to` still.
   */
  readonly displaced?: string | undefined;
}

/** From here on the change is taken back unless somebody confirms it in time. Stands before the record of the function. */
export interface AwaitConfirmation {
  readonly kind: 'await-confirmation';
  readonly function: string;
  /** How long, in milliseconds. */
  readonly forMs: number;
}

/** A program, map or link that another tool made, and the name of the pin that it gets. */
export interface AdoptedObject {
  readonly folder: 'progs' | 'maps' | 'links';
  readonly name: string;
  /** The kernel's. */
  readonly id: number;
}

/** Pins what another tool made below `folder`, beside whatever else holds it. */
export interface Adopt {
  readonly kind: 'adopt';
  readonly function: string;
  readonly folder: string;
  readonly objects: readonly AdoptedObject[];
}

/** Removes the other tool's pins of what was adopted. Comes last. */
export interface DropPins {
  readonly kind: 'drop-pins';
  readonly function: string;
  readonly pins: readonly PinnedObject[];
}

/** Keeps the entries that were declared for a map in the state directory. */
export interface StoreEntries {
  readonly kind: 'store-entries';
  readonly function: string;
  /** File name in the state directory. */
  readonly file: string;
}

/** Removes stored entries. Comes last, as what it removes cannot be brought back. */
export interface DropEntries {
  readonly kind: 'drop-entries';
  readonly function: string;
  readonly file: string;
}

/** Brings what was declared for a map into it. */
export interface WriteEntries {
  readonly kind: 'write-entries';
  readonly function: string;
  /** The map's pin. */
  readonly map: string;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** What is to be there again when it is undone; null for a map that nobody has used yet. */
  readonly old: OldEntries | null;
}

/** Writes the file of a chain that a manifest declares, or removes it. */
export interface RecordChain {
  readonly kind: 'record-chain';
  /** The chain's name. */
  readonly function: string;
  readonly before: ChainState | null;
  readonly after: ChainState | null;
}

/** Writes the function's state file, or removes it. In each plan the record of `Plan.function` is the point of no return. */
export interface RecordState {
  readonly kind: 'record';
  readonly function: string;
  readonly before: FunctionState | null;
  readonly after: FunctionState | null;
}

/** Removes a folder with all its pins. Comes last: what it removes cannot be brought back. */
export interface Unpin {
  readonly kind: 'unpin';
  readonly function: string;
  readonly folder: string;
}

/** Removes a stored object file. Comes last too. */
export interface DropObject {
  readonly kind: 'drop-object';
  readonly function: string;
  readonly file: string;
}

/** Puts a folder of pins out of the way, in place of `unpin`, where a later step may want it back. */
export interface SetAside {
  readonly kind: 'set-aside';
  readonly function: string;
  readonly folder: string;
  readonly to: string;
}

export type Action =
  | StoreObject
  | Load
  | Attach
  | Detach
  | Swap
  | Migrate
  | TestPrograms
  | CatchUp
  | CarryOver
  | Rearrange
  | Move
  | AwaitConfirmation
  | StoreEntries
  | DropEntries
  | WriteEntries
  | RecordChain
  | Adopt
  | DropPins
  | RecordState
  | Unpin
  | SetAside
  | DropObject;

export interface Plan {
  /** Identifies the change in the journal and in the state that it leaves. */
  readonly change: string;
  /** Pins, links and filters of another boot are gone: only files are left to be put right. */
  readonly bootId: string;
  /** The command line, for messages. */
  readonly command: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly function: string;
  readonly actions: readonly Action[];
}

const adoptedNouns = { progs: 'program', maps: 'map', links: 'link' } as const;

/** One line about an action, for `--dry-run` and messages. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case 'store-object':
      return `keep a copy of the object of ${action.function}`;
    case 'load':
      return `load the programs and maps of ${action.function} and pin them in ${action.folder}`;
    case 'attach':
      return `attach ${action.function}/${action.link.program} to ${describeTarget(action.link)}`;
    case 'detach':
      return `detach ${action.function}/${action.link.program} from ${describeTarget(action.link)}`;
    case 'swap':
      if (action.program !== undefined) {
        return `put ${action.function}/${action.program} in the place of ${action.link.program} on ${describeTarget(action.link)}`;
      }
      return `swap ${action.function}/${action.link.program} on ${describeTarget(action.link)}`;
    case 'migrate':
      return `copy the entries of ${action.from} to ${action.to}`;
    case 'test':
      return `run the test packets through the new programs of ${action.function}`;
    case 'catch-up':
      return `copy what has changed in the maps of ${action.function} since`;
    case 'carry-over':
      return `carry over what the old programs of ${action.function} wrote meanwhile`;
    case 'rearrange':
      return `make ${action.function}/${action.link.program} on ${describeTarget(action.link)} what is to be ${describeTarget(action.next)}`;
    case 'move':
      return `rename ${action.from} to ${action.to}`;
    case 'await-confirmation':
      return `have the change taken back unless it is confirmed within ${describeDuration(action.forMs)}`;
    case 'adopt':
      return `pin ${action.objects.map(({ folder, id }) => `${adoptedNouns[folder]} ${id}`).join(', ')} in ${action.folder}`;
    case 'drop-pins':
      return `remove the pins ${action.pins.map(({ path }) => path).join(', ')}`;
    case 'store-entries':
      return `keep the declared entries of ${action.function}`;
    case 'drop-entries':
      return `remove kept entries of ${action.function}`;
    case 'write-entries':
      return `write the declared entries of ${action.map}: ${describeEntryCounts(action)}`;
    case 'record-chain':
      return action.after === null
        ? `forget the chain ${action.function}`
        : `record the chain ${action.function}`;
    case 'record':
      return action.after === null ? `forget ${action.function}` : `record the state of ${action.function}`;
    case 'unpin':
      return `remove the pins in ${action.folder}`;
    case 'set-aside':
      return `put aside the pins in ${action.folder}`;
    case 'drop-object':
      return `remove the copy of the object of ${action.function}`;
  }
}

/** `2 added, 1 removed` */
export function describeEntryCounts(counts: Pick<WriteEntries, 'added' | 'changed' | 'removed'>): string {
  const words = (['added', 'changed', 'removed'] as const).flatMap((word) =>
    counts[word] === 0 ? [] : [`${counts[word]} ${word}`],
  );
  return words.join(', ') || 'none';
}
