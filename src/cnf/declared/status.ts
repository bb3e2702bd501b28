/** How declared functions and chains are: what runs where, what is waited for, what they count. */
import { NetkitError } from '../../base/errors.js';
import { type StandingOrder, standingOrder } from '../link-order.js';
import type { ListedLink } from '../listed-link.js';
import { functionsOf, type PendingChange, readablePending } from '../pending/record.js';
import { planLinks } from './links.js';
import { type MetricReading, readMetrics } from './metrics.js';
import { type Around, type Observed, observe, observeAll } from './observe.js';
import { Problems } from './problems.js';
import { type ChainStatus, statusOfChain } from './status-chain.js';

/**
 * `running`: everything is attached. `partly`: something is not attached that is to be. `absent`: it is not in the kernel.
 * `unknown`: what is recorded cannot be read.
 */
export type FunctionCondition = 'running' | 'partly' | 'absent' | 'unknown';

export interface LinkStatus {
  readonly listed: ListedLink;
  readonly alive: boolean;
  /** Whether the manifest asked for it; else somebody attached it by hand. */
  readonly declared: boolean;
  /** The chain that asked for it. */
  readonly chain: string | undefined;
  /** Undefined where there is no order, and for what this user may not see. */
  readonly order: StandingOrder | undefined;
}

/** A place that is declared, and where nothing is attached. */
export interface OpenPlace {
  readonly program: string;
  readonly hook: string | undefined;
  /** The interface or pattern, or another target. */
  readonly target: string | undefined;
  readonly netns: string | undefined;
  /**
   * `waiting`: there is no such interface yet. `missing`: likewise, and that is a mistake. `open`: it is there, and nothing
   * was attached yet. `detached`: somebody took it off.
   */
  readonly reason: 'waiting' | 'missing' | 'open' | 'detached';
}

export interface FunctionStatus extends Pick<Observed, 'name' | 'state' | 'problems'> {
  readonly condition: FunctionCondition;
  readonly programs: Observed['listed']['programs'];
  readonly links: readonly LinkStatus[];
  readonly places: readonly OpenPlace[];
  /** The change that is taken back unless it is confirmed, or turns out healthy. */
  readonly pending: PendingChange | undefined;
  readonly metrics: readonly MetricReading[];
}

export interface Status {
  readonly functions: readonly FunctionStatus[];
  readonly chains: readonly ChainStatus[];
}

/**
 * @param names functions and chains; all that are declared when it is empty. A chain stands for itself alone.
 * @throws NetkitError `not-found` for a name that no manifest declares
 */
export async function declaredStatus(names: readonly string[], around: Around): Promise<Status> {
  const { store } = around;
  const chainNames = store.chainNames();
  const waiting = readablePending(store).filter(({ stage }) => stage === 'waiting');
  const functions: FunctionStatus[] = [];
  if (names.length === 0)
    for (const observed of await observeAll(around)) functions.push(statusOf(observed, waiting));
  for (const name of new Set(names)) {
    if (chainNames.includes(name)) continue;
    const observed = await observe(name, around);
    if (observed === undefined) throw undeclared(name, around);
    functions.push(statusOf(observed, waiting));
  }
  const chains = chainNames.filter((name) => names.length === 0 || names.includes(name));
  return { functions, chains: chains.map((name) => statusOfChain(name, around)) };
}

/** @returns the error for a name that stands for nothing that is declared */
export function undeclared(name: string, { store }: Pick<Around, 'store'>): NetkitError {
  const isLoaded = store.peek(name) !== undefined;
  return new NetkitError(
    'not-found',
    isLoaded
      ? `'${name}' was loaded by hand: no manifest declares it`
      : `nothing called '${name}' is declared`,
    { hint: isLoaded ? `'netkit list ${name}' shows it` : "'netkit status' shows what is" },
  );
}

function statusOf(observed: Observed, waiting: readonly PendingChange[]): FunctionStatus {
  const { name, state, listed, folder, isLoaded, recorded, problems } = observed;
  const links = listed.links.map((each) => statusOfLink(each, state?.declared?.links ?? []));
  const { places, problem } = openPlaces(observed);
  const metrics =
    recorded === undefined
      ? []
      : readMetrics(recorded.document.spec.metrics ?? [], { spec: recorded.spec, function: name, folder });
  return {
    name,
    state,
    problems: problem === undefined ? problems : [...problems, problem],
    condition: conditionOf(state !== undefined, isLoaded, links, places),
    programs: listed.programs,
    links,
    places,
    pending: waiting.find((change) => functionsOf(change).has(name)),
    metrics,
  };
}

function conditionOf(
  isKnown: boolean,
  isLoaded: boolean,
  links: readonly LinkStatus[],
  places: readonly OpenPlace[],
): FunctionCondition {
  if (!isKnown) return 'unknown';
  if (!isLoaded) return 'absent';
  const isWhole = links.every(({ alive }) => alive) && places.every(({ reason }) => reason === 'waiting');
  return isWhole ? 'running' : 'partly';
}

function statusOfLink(
  listed: ListedLink,
  declared: readonly { readonly name: string; readonly chain: string | null }[],
): LinkStatus {
  const known = declared.find(({ name }) => name === listed.name);
  return {
    listed,
    alive: !listed.dead,
    declared: known !== undefined,
    chain: known?.chain ?? undefined,
    order: standingOrder(listed, undefined),
  };
}

/** What the document asks for beyond the links that there are. Those that were lost are told as links. */
function openPlaces({ recorded, state, isLoaded }: Observed): {
  readonly places: readonly OpenPlace[];
  readonly problem?: string;
} {
  if (recorded === undefined) return { places: [] };
  const problems = new Problems();
  try {
    const known = isLoaded ? state : undefined;
    const { waiting, steps } = planLinks(recorded, recorded.places, known, { problems, onlyAppeared: false });
    const names = new Set(known?.links.map(({ name }) => name));
    const attached = new Set(
      known?.declared?.links.flatMap(({ name, place }) => (names.has(name) ? [place] : [])),
    );
    const open = steps.flatMap((step) =>
      step.kind === 'attach' && !attached.has(step.place.key) ? [step] : [],
    );
    const missing = recorded.places.filter(({ path }) =>
      problems.found.some((each) => each.path.join() === path.join()),
    );
    return {
      places: [
        ...open.map(({ place, again }) => ({
          place,
          reason: again ? ('detached' as const) : ('open' as const),
        })),
        ...missing.map((place) => ({ place, reason: 'missing' as const })),
        ...waiting.map((place) => ({ place, reason: 'waiting' as const })),
      ].map(({ place: { program, hook, target, netns }, reason }) => {
        return { program, hook: hook ?? undefined, target, netns, reason };
      }),
    };
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'not-permitted') throw error;
    return { places: [], problem: `places that are waited for are unknown: ${error.message}` };
  }
}
