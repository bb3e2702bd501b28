/** `netkit bench maps`: what an entry costs, by type and size of the map, from user space and inside the kernel. */
import { NetkitError } from '../../base/errors.js';
import type { Scope } from '../../base/scope.js';
import { suggestion } from '../../base/suggest.js';
import type { BpfMap } from '../../ebpf/map.js';
import { syntheticPacket } from '../../ebpf/profile/empty-program.js';
import type { Program } from '../../ebpf/program.js';
import type { EntryBatch } from '../../obj/entries/batch.js';
import type { BenchCheck, BenchMetric } from '../document.js';
import { goOn } from '../go-on.js';
import { placedAlone } from '../lab/placement.js';
import type { Group, PrepareContext, Prepared, Scenario, Variant } from '../scenario.js';
import { operations, readAll, timeCalls } from './maps/calls.js';
import { entriesOf, filledMap, isArray, type MeasuredType, measuredTypes } from './maps/fixture.js';
import { accessProgram, roundsInARun } from './maps/kernel.js';
import { timeRuns } from './program/timing.js';

export interface MapsOptions {
  /** Names of types; all when empty. */
  readonly only: readonly string[];
  /** How many entries the maps have; a few sizes when empty. */
  readonly sizes: readonly number[];
}

const defaultSizes = [1000, 10_000, 100_000];
const sliceSeconds = 0.04;
const metric: BenchMetric = {
  name: 'time',
  title: 'Time of an entry',
  unit: 'ns',
  better: 'lower',
  isMain: true,
};

const titles: Readonly<Record<string, string>> = {
  lookup: 'Looking up an entry from user space, one call each',
  update: 'Updating an entry from user space, one call each',
  delete: 'Deleting an entry from user space, one call each',
  'batch-read': 'Reading all entries from user space, in batches',
  'batch-write': 'Writing all entries from user space, in batches',
  'kernel-lookup': 'Looking up an entry in a program',
  'kernel-update': 'Updating an entry in a program',
};

/** @throws NetkitError `usage` for a type that is not measured */
export function mapsScenario({ only, sizes }: MapsOptions): Scenario {
  const types = measuredTypes.filter((type) => only.length === 0 || only.includes(type));
  const unknown = only.find((name) => !measuredTypes.some((type) => type === name));
  if (unknown !== undefined) {
    throw new NetkitError('usage', `--only: maps of type '${unknown}' are not measured`, {
      hint: suggestion(unknown, [...measuredTypes]) ?? `the types are ${measuredTypes.join(', ')}`,
    });
  }
  const counts = [...new Set(sizes.length === 0 ? defaultSizes : sizes)].sort((one, other) => one - other);
  return {
    name: 'maps',
    title: 'What does an entry of a map cost, by type and size?',
    sliceSeconds,
    prepare: async (context) => prepare(types, counts, context),
  };
}

/** A type and a size. */
interface Point {
  readonly type: MeasuredType;
  readonly entries: EntryBatch;
}

async function prepare(
  types: readonly MeasuredType[],
  sizes: readonly number[],
  { scope, seed, signal, progress }: PrepareContext,
): Promise<Prepared> {
  const cpu = placedAlone(scope);
  const points = types.flatMap((type) =>
    sizes.map((size) => ({ type, entries: entriesOf(type, size, seed) })),
  );
  const calls = new Map<string, Variant[]>();
  for (const point of points) {
    progress(`filling a ${point.type} of ${point.entries.count} entries`);
    await new Promise((resolve) => setImmediate(resolve));
    goOn(signal);
    // The first that has a group's operation is what the others are compared with, and is there once more.
    const begun = new Set(calls.keys());
    addPoint(calls, point, (name) => (begun.has(name) ? 'variant' : 'reference'), scope);
    if (calls.size > begun.size)
      addPoint(calls, point, (name) => (begun.has(name) ? undefined : 'control'), scope);
  }
  addFloor(calls, points[0], scope);
  return {
    groups: [...calls].map(([name, variants]): Group => {
      return {
        name,
        title: titles[name] ?? name,
        axis: { title: 'Entries', unit: 'entries', scale: 'logarithmic' },
        metrics: [metric],
        variants,
      };
    }),
    environment: () => ({
      placement: [{ what: 'netkit, and the programs in its system calls', cpus: [cpu] }],
    }),
    notes: () => [
      'Keys have 4 bytes (of lpm_trie 4 behind a length of 32), values 8; maps with keys have twice the room that they need. Keys come in random order.',
      `From user space the call is in it, through netkit's own library. In a program it is the mean of ${roundsInARun} accesses in a run; «nothing» chooses a key and accesses nothing, which is in all others too.`,
    ],
  };
}

/** @param roleOf the role of the point in the group of a name; none where it is not to be in it */
function addPoint(
  groups: Map<string, Variant[]>,
  { type, entries }: Point,
  roleOf: (name: string) => Variant['role'] | undefined,
  scope: Scope,
): void {
  const map = filledMap(type, entries, scope);
  const check = async (): Promise<BenchCheck[]> => [checkOf(map, entries)];
  const addTo = (name: string, made: () => Pick<Variant, 'check' | 'measure'>): void => {
    const role = roleOf(name);
    if (role !== undefined) add(groups, name, { ...textsOf(type, entries.count, role), ...made() });
  };
  // Arrays cannot delete.
  for (const [name, operation] of operations(map, entries, !isArray(type)))
    addTo(name, () => ({ check, measure: async (seconds) => timeCalls(operation, seconds) }));
  for (const operation of ['lookup', 'update'] as const)
    addTo(`kernel-${operation}`, () => runsOf(accessProgram(operation, type, entries, scope)));
}

/** What choosing keys costs by itself. */
function addFloor(groups: Map<string, Variant[]>, point: Point | undefined, scope: Scope): void {
  if (point === undefined) return;
  const program = accessProgram('lookup', 'nothing', point.entries, scope);
  const texts = textsOf('nothing', point.entries.count, 'variant');
  add(groups, 'kernel-lookup', { ...texts, ...runsOf(program) });
}

function add(groups: Map<string, Variant[]>, name: string, variant: Variant): void {
  const variants = groups.get(name) ?? [];
  groups.set(name, variants);
  variants.push(variant);
}

function textsOf(
  type: MeasuredType | 'nothing',
  count: number,
  role: Variant['role'],
): Pick<Variant, 'name' | 'title' | 'description' | 'role' | 'series' | 'x'> {
  const again = role === 'control' ? ' again' : '';
  return {
    name: `${type}-${count}${again}`,
    title: `${type}, ${count.toLocaleString('en-GB')} entries${again}`,
    description: type === 'nothing' ? 'no map' : `a map of type ${type} with ${count} entries`,
    role,
    series: type,
    x: count,
  };
}

/** Whether all that was written is there, with its value. */
function checkOf(map: BpfMap, { count }: EntryBatch): BenchCheck {
  const found = readAll(map);
  const sum = (count * (count + 1)) / 2;
  return {
    name: 'entries',
    ok: found.count === count && found.sum === sum,
    detail: `${found.count} of ${count} entries there, their values ${found.sum === sum ? 'as written' : 'are not what was written'}`,
  };
}

/** Runs in a program: each access has to find its entry, or to write it. */
function runsOf(program: Program): Pick<Variant, 'check' | 'measure'> {
  const data = syntheticPacket();
  return {
    check: async () => {
      const { verdict } = program.testRun({ data });
      return [
        {
          name: 'verdict',
          ok: verdict === roundsInARun,
          detail: `${verdict} of ${roundsInARun} accesses succeed`,
        },
      ];
    },
    measure: async (wanted) => {
      const { nsPerRun, seconds } = timeRuns(program, [data], runsInACall, wanted);
      return { seconds, values: { time: nsPerRun / roundsInARun } };
    },
  };
}

/** Some milliseconds. */
const runsInACall = 1000;
