/** What is recorded of declared functions, with their documents read once more, beside what is in the kernel. */
import { messageOf, NetkitError } from '../../base/errors.js';
import { exists } from '../../host/folders.js';
import { bootId } from '../../host/kernel.js';
import type { FunctionKind } from '../function-kind.js';
import { findFunction, type ListedFunction } from '../inventory.js';
import { functionFolder } from '../layout.js';
import type { FunctionState } from '../state.js';
import type { StateStore } from '../store.js';
import type { DesiredFunction } from './desired.js';
import { recordedFunction } from './plan-manifest.js';

export interface Around {
  readonly store: StateStore;
  readonly bpffs: string;
  readonly kinds: readonly FunctionKind[];
  readonly signal: AbortSignal | undefined;
}

/** A function that a manifest declared, or may have: its state cannot be read. */
export interface Observed {
  readonly name: string;
  /** Undefined when it cannot be read. */
  readonly state: FunctionState | undefined;
  readonly listed: ListedFunction;
  /** The folder of its pins. */
  readonly folder: string;
  /** Its pins are there, of this boot. */
  readonly isLoaded: boolean;
  /** Its recorded document, with the stored object; undefined when that cannot be read. */
  readonly recorded: DesiredFunction | undefined;
  /** What is damaged, in a sentence each. */
  readonly problems: readonly string[];
}

/** Undefined for a function that somebody loaded by hand, and where there is none. @throws NetkitError `interrupted` */
export async function observe(name: string, around: Around): Promise<Observed | undefined> {
  const { store, bpffs } = around;
  const listed = findFunction(bpffs, store, name);
  const { state, problem } = listed ?? {};
  if (listed === undefined || (state?.declared === undefined && problem === undefined)) return undefined;
  const folder = functionFolder(state?.bpffs ?? bpffs, name);
  const about = { name, state, listed, folder };
  const isLoaded = exists(folder) && (state === undefined || state.bootId === bootId());
  const problems = problem === undefined ? [] : [problem];
  try {
    const recorded = state === undefined ? undefined : (await recordedFunction(state, around)).desired;
    return { ...about, isLoaded, recorded, problems };
  } catch (error) {
    const problem = error instanceof NetkitError ? messageOf(error) : damagedDocument(error);
    if (problem === undefined || (error instanceof NetkitError && error.code === 'interrupted')) throw error;
    return { ...about, isLoaded, recorded: undefined, problems: [...problems, problem] };
  }
}

/** Those that are declared, by name. @throws NetkitError `interrupted` */
export async function observeAll(around: Around): Promise<Observed[]> {
  const found: Observed[] = [];
  for (const name of around.store.names()) {
    const observed = await observe(name, around);
    if (observed !== undefined) found.push(observed);
  }
  return found;
}

/** What the schema of documents objects to. */
export function damagedDocument(error: unknown): string | undefined {
  return error instanceof Error && 'issues' in error ? 'its recorded document is damaged' : undefined;
}
