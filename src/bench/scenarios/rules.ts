/** `netkit bench rules`: what a packet costs by the number of rules, or members of a set, that it may match. */
import { formatAddress } from '../../base/address.js';
import { NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import { requireTool } from '../../host/command.js';
import type { Family } from '../lab/packet.js';
import type { Traffic } from '../lab/sender.js';
import { sourceAddress } from '../lab/sources.js';
import type { Scenario } from '../scenario.js';
import { DropLab, floodSlices, type Ladder } from './drop/drop-lab.js';
import { costGroup, rateGroup } from './drop/metrics.js';
import type { Rung, Stand } from './drop/rung.js';
import { type SetUpTime, setUpGroup } from './rules/set-up-group.js';
import { type RulesWay, rulesWays } from './rules/ways.js';

export interface RulesOptions extends Traffic {
  /** Names of ways; all when empty. */
  readonly only: readonly string[];
  /** How many rules; some sizes when empty. */
  readonly rules: readonly number[];
  /** Whether a million is among these. */
  readonly isFull: boolean;
  /** From how many members of a set packets come in turn. */
  readonly sources: number;
}

/** The names of all ways. */
export const rulesWayNames: readonly string[] = rulesWays.map(({ name }) => name);

export const mostRules = 1_000_000;
const usualRules = [10, 100, 1000, 10_000, 100_000];
/** What is set up in less than so many seconds is set up so often more, since one time says little. */
const quickSetUp = 0.1;
const moreOfQuick = 2;
/** One set-up must not take more of the whole time, as far as that can be told before. */
const mostOfTheTime = 0.2;
/** Smaller sizes tell little of larger ones: what does not grow is most of their time. */
const tellingSize = 1000;
/** Addresses that are in no list. */
const otherSources = 32;
/** The one at which the receiver sets the pace for sure comes first. */
const bestReferences = ['nft-set', 'ipset', 'nft-interval', 'iptables', 'firewall'];

/** @throws NetkitError `usage` for a way that there is not */
export function rulesScenario({ only, rules, isFull, sources, ...traffic }: RulesOptions): Scenario {
  const unknown = only.find((name) => !rulesWayNames.includes(name));
  if (unknown !== undefined) {
    throw new NetkitError('usage', `--only: there is no way '${unknown}'`, {
      hint: suggestion(unknown, rulesWayNames) ?? `the ways are ${rulesWayNames.join(', ')}`,
    });
  }
  const isAsked = rules.length > 0;
  const usual = isFull ? [...usualRules, mostRules] : usualRules;
  const counts = [...new Set(isAsked ? rules : usual)].sort((one, other) => one - other);
  const ways = rulesWays.filter(({ name }) => only.length === 0 || only.includes(name));
  return {
    name: 'rules',
    title: 'What does a packet cost that so many rules, or members of a set, may match?',
    ...floodSlices,
    prepare: async (context) => {
      const lab = new DropLab(context, traffic);
      const times = new SetUpTimes(context.seconds * mostOfTheTime);
      const prepared = await lab.prepare(
        ways.flatMap((way) =>
          counts.map((count) => rulesRung(way, count, { sources, isAsked, counts, times, ...traffic })),
        ),
        ladder(Math.min(...counts), times),
      );
      return { ...prepared, notes: () => [...(prepared.notes?.() ?? []), ...notes(sources)] };
    },
  };
}

function notes(sources: number): string[] {
  return [
    `A list of rules is gone through one by one: all its packets come from the address of the last. To sets and maps they come from ${sources === 1 ? 'one member' : `up to ${sources.toLocaleString('en-GB')} members in turn, or from all where there are fewer`}.`,
    'Each way stands where it is fastest: iptables and ipset in PREROUTING of the table raw, nft at netdev ingress, the firewall in native XDP.',
    'Set-up was timed three times where it took less than a tenth of a second, else once: too seldom for verdicts. Tools are started, and read a text; netkit reads the same addresses in its own process, which loads the program and attaches it, too.',
  ];
}

function ladder(least: number, times: SetUpTimes): Ladder {
  return {
    title: 'How many packets a second are dropped?',
    axis: { title: 'Rules or set members', unit: '', scale: 'logarithmic' },
    references: bestReferences.map((name) => pointName(name, least)),
    complete: (group) => [rateGroup(group), costGroup(group), setUpGroup(group, times.byRung)],
  };
}

/** When each rung was set up, and how long its rules took. */
class SetUpTimes {
  /** Seconds. */
  readonly #most: number;
  /** For each time that it was set up to stay, with the rehearsals that followed. */
  readonly byRung = new Map<string, SetUpTime[][]>();
  readonly #rehearsals = new Map<string, number>();
  readonly #started = performance.now();

  /** @param most seconds that a set-up should take */
  constructor(most: number) {
    this.#most = most;
  }

  /** Why so many rules would take too long, as the sizes before let expect. */
  tooLong(way: string, counts: readonly number[], count: number): string | undefined {
    const before = counts.filter((each) => each < count && each >= tellingSize).toReversed();
    for (const each of before) {
      const times = this.byRung.get(pointName(way, each))?.[0];
      if (times === undefined) continue;
      const took = Math.min(...times.map(({ seconds }) => seconds));
      if ((took * count) / each <= this.#most) return undefined;
      return `setting up ${each.toLocaleString('en-GB')} took ${took.toFixed(1)} s, and so many more would take too much of the time`;
    }
    return undefined;
  }

  add(rung: string, seconds: number): void {
    const time = { at: (performance.now() - this.#started) / 1000 - seconds, seconds };
    const all = this.byRung.get(rung) ?? [];
    const left = this.#rehearsals.get(rung) ?? 0;
    this.#rehearsals.set(rung, Math.max(0, left - 1));
    this.byRung.set(rung, all);
    const last = all.at(-1);
    if (left > 0 && last !== undefined) last.push(time);
    else all.push([time]);
  }

  rehearsals(rung: string): number {
    const took = this.byRung.get(rung)?.at(-1)?.[0]?.seconds ?? 0;
    const count = took < quickSetUp ? moreOfQuick : 0;
    this.#rehearsals.set(rung, count);
    return count;
  }
}

function pointName(way: string, count: number): string {
  return `${way}-${count}`;
}

interface PointOptions extends Traffic {
  readonly sources: number;
  /** Whether the user named the sizes. */
  readonly isAsked: boolean;
  /** All sizes, in order. */
  readonly counts: readonly number[];
  readonly times: SetUpTimes;
}

/** A way with so many rules. */
function rulesRung(way: RulesWay, count: number, options: PointOptions): Rung {
  const { title, tool, most } = way;
  const { family, isAsked, counts, times } = options;
  const sources = way.isList ? 1 : Math.min(count, options.sources);
  const name = pointName(way.name, count);
  const allowed = most === undefined ? mostRules : most.count * (isAsked ? 10 : 1);
  return {
    name,
    title: `${title}, ${count.toLocaleString('en-GB')}`,
    series: title,
    x: count,
    description: ({ family: of }) => way.description(of, count),
    ...(tool === undefined ? {} : { tool }),
    sources: {
      taken: { first: count - sources, count: sources },
      others: { first: count, count: otherSources },
    },
    require: () => {
      for (const needed of way.needs(family)) requireTool(needed);
      if (count > allowed)
        throw new NetkitError('unsupported', most?.why ?? `${mostRules} are the most that are measured`);
      const why = times.tooLong(way.name, counts, count);
      if (why !== undefined) throw new NetkitError('unsupported', why);
    },
    setUp: (stand) => {
      answerable(stand);
      const { seconds, sink } = way.setUp(stand, addresses(family, count));
      times.add(name, seconds);
      return sink;
    },
    rehearsals: () => times.rehearsals(name),
  };
}

function addresses(family: Family, count: number): string[] {
  return Array.from({ length: count }, (_, number) => formatAddress(sourceAddress(family, number)));
}

/** Without a way back, packets from elsewhere may be dropped for that alone. */
function answerable({ wire, log, family }: Stand): void {
  const via = formatAddress(wire.from.endpoint.address);
  const words = [...(family === 'ipv6' ? ['-6'] : []), 'route', 'add', 'default', 'via', via];
  log.run(wire.to.place, 'ip', [...words, 'dev', wire.to.ifname]);
}
