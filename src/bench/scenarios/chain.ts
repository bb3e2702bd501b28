/** `netkit bench chain`: what each further function costs, by each way to run several of them on a packet. */
import { NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import type { BenchGroup } from '../document.js';
import type { Traffic } from '../lab/sender.js';
import type { Scenario } from '../scenario.js';
import { stepGroup, withoutTwice } from './chain/steps.js';
import { chainRung, chainWays, mostFunctions, pointName } from './chain/ways.js';
import { DropLab, floodSlices, type Ladder } from './drop/drop-lab.js';
import { costGroup, rateGroup } from './drop/metrics.js';
import type { Rung } from './drop/rung.js';

export interface ChainOptions extends Traffic {
  /** Names of ways; all when empty. */
  readonly only: readonly string[];
  /** How many functions there are in front of the one that drops; 0 to 8 when empty. */
  readonly functions: readonly number[];
}

/** The names of all ways. */
export const chainWayNames: readonly string[] = chainWays.map(({ name }) => name);

/** The one at which the receiver sets the pace for sure comes first. */
const bestReferences = ['tcx', 'tail-calls', 'dispatcher', 'one-program'];

/** @throws NetkitError `usage` for a way that there is not */
export function chainScenario({ only, functions, ...traffic }: ChainOptions): Scenario {
  const unknown = only.find((name) => !chainWayNames.includes(name));
  if (unknown !== undefined) {
    throw new NetkitError('usage', `--only: there is no way '${unknown}'`, {
      hint: suggestion(unknown, chainWayNames) ?? `the ways are ${chainWayNames.join(', ')}`,
    });
  }
  const all = Array.from({ length: mostFunctions + 1 }, (_, count) => count);
  const counts = all.filter((count) => functions.length === 0 || functions.includes(count));
  const ways = chainWays.filter(({ name }) => only.length === 0 || only.includes(name));
  return {
    name: 'chain',
    title: 'What does each further function on the way of a packet cost?',
    ...floodSlices,
    prepare: async (context) => {
      const lab = new DropLab(context, traffic);
      const prepared = await lab.prepare(
        ways.flatMap((way) => counts.map((count) => chainRung(way, count))),
        ladder(Math.min(...counts)),
      );
      return { ...prepared, notes: () => [...(prepared.notes?.() ?? []), ...notes] };
    },
  };
}

const notes = [
  'A function here counts the packet in a map of the CPU, checks that it is its turn, and passes the packet on; another one drops it at the end. What «one program» shows is that work itself; what others show beyond that is the way from one function to the next.',
] as const;

function ladder(least: number): Ladder {
  return {
    title: 'How many packets a second get through so many functions?',
    axis: { title: 'Functions', unit: 'functions', scale: 'linear' },
    references: bestReferences.map((name) => pointName({ name }, least)),
    twice: ({ series }, standing) => longest(standing.filter((rung) => rung.series === series)),
    complete: (group) => {
      const cost = costGroup(group);
      const steps = stepGroup(cost);
      return [
        withoutTwice(rateGroup(group)),
        withoutTwice(cost),
        ...(steps === undefined ? [] : [steps]),
      ] satisfies BenchGroup[];
    },
  };
}

/** Together with the reference made once more it gives the control a slope. */
function longest(rungs: readonly Rung[]): Rung | undefined {
  if (rungs.length < 2) return undefined;
  return rungs.reduce((one, other) => ((other.x ?? 0) > (one.x ?? 0) ? other : one));
}
