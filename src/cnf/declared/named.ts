/** Declared functions and chains by their names: to go back a generation, or to go altogether. */
import { NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import type { Generation } from '../declaration.js';
import type { FunctionKind } from '../function-kind.js';
import { checkFunctionName } from '../names.js';
import type { FunctionState } from '../state.js';
import type { StateStore } from '../store.js';
import { type Desires, type Leaving, recordedFunction } from './plan-manifest.js';

interface Around {
  readonly store: StateStore;
  readonly kinds: readonly FunctionKind[];
  readonly signal: AbortSignal | undefined;
}

/** @throws NetkitError `not-found` for a function that no manifest declares */
export function declaredState(store: StateStore, name: string): FunctionState & { declared: object } {
  const state = store.read(checkFunctionName(name));
  const { declared } = state ?? {};
  if (state !== undefined && declared !== undefined) return { ...state, declared };
  const names = store.names().filter((each) => store.peek(each)?.declared !== undefined);
  throw new NetkitError(
    'not-found',
    state === undefined
      ? `no function '${name}' is declared`
      : `'${name}' was loaded by hand: no manifest declares it`,
    { hint: suggestion(name, names) },
  );
}

/** A function as one of its former generations was. @param number the latest former one when left out @throws NetkitError `not-found`, `bad-state` */
export async function desireRollback(
  name: string,
  number: number | undefined,
  around: Around,
): Promise<Desires> {
  const state = declaredState(around.store, name);
  const generation = formerGeneration(state, number);
  const desire = await recordedFunction(state, around, generation);
  return { functions: [{ ...desire, from: generation.number }], chains: [], manifests: [] };
}

function formerGeneration({ name, declared }: FunctionState, number: number | undefined): Generation {
  const former = declared?.former ?? [];
  const found = number === undefined ? former.at(-1) : former.find((each) => each.number === number);
  if (found !== undefined) return found;
  const numbers = former.map((each) => each.number).join(', ');
  throw new NetkitError(
    'not-found',
    number === undefined
      ? `'${name}' has no former generation`
      : number === declared?.present.number
        ? `generation ${number} of '${name}' is the one that runs`
        : `generation ${number} of '${name}' is not kept`,
    { hint: numbers === '' ? "'netkit apply --keep N' keeps more of them" : `kept are ${numbers}` },
  );
}

/** All that is recorded, as it was declared last. @throws NetkitError `bad-state` */
export async function desireRecorded(names: readonly string[], around: Around): Promise<Desires> {
  const functions: Desires['functions'][number][] = [];
  for (const name of names) functions.push(await recordedFunction(declaredState(around.store, name), around));
  return { functions, chains: [], manifests: [] };
}

/** Names of everything that manifests declare. */
export function declaredNames(store: StateStore): Leaving {
  const functions = store.names().filter((name) => store.peek(name)?.declared !== undefined);
  return { functions, chains: store.chainNames() };
}

/** What of the names are functions, and what chains. @throws NetkitError `not-found` */
export function leavingOf(store: StateStore, names: readonly string[]): Leaving {
  const chains = names.filter((name) => store.chainNames().includes(name));
  const functions = names.filter((name) => !chains.includes(name));
  for (const name of functions) declaredState(store, name);
  return { functions, chains };
}
