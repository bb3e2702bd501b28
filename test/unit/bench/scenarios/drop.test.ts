import { describe, expect, it } from 'vitest';
import type { BenchSample } from '../../../../src/bench/document.js';
import type { InTurn, Sent } from '../../../../src/bench/lab/sender.js';
import { versionIn } from '../../../../src/bench/lab/tool-versions.js';
import type { Standing } from '../../../../src/bench/scenarios/drop/flood.js';
import { DropsInTurns } from '../../../../src/bench/scenarios/drop/in-turns.js';
import { costGroup, metrics, rateGroup } from '../../../../src/bench/scenarios/drop/metrics.js';
import type { Counts, Sink } from '../../../../src/bench/scenarios/drop/rung.js';
import { DropVariant, type PacketSender } from '../../../../src/bench/scenarios/drop/variant.js';
import { dropScenario, rungNames } from '../../../../src/bench/scenarios/drop.js';

/** What happens to packets that are sent: by default each ends at the rung. */
interface Fate {
  /** Share of them for which the receiver has no room. */
  readonly queueDrops?: number;
  readonly busy?: number;
  readonly senderBusy?: number;
  /** Packets of each run that are counted nowhere, come further, or go astray on the way. */
  readonly missing?: number;
  readonly behind?: number;
  readonly unaccounted?: number;
  /** So many runs end early by a signal. */
  readonly interruptions?: number;
  /** This share of its time the receiver has its CPU, once the packets are sent. */
  readonly receiverShare?: number;
  /** So much of the time it had something to do, and others had its CPU. */
  readonly waited?: number;
  /** Packets to the next port are dropped as well. */
  readonly dropsAll?: boolean;
  /** So many packets of a capture are sent in turn. */
  readonly captured?: number;
}

const second = 1_000_000;

/** A rung that takes a million packets a second. */
function fakeVariant(fate: Fate): { variant: DropVariant; sent: number[]; begun: number[] } {
  const { queueDrops = 0.5, busy = 1, missing = 0, behind = 0, unaccounted = 0 } = fate;
  let interruptions = fate.interruptions ?? 0;
  const counts = { taken: 0, lost: 0, behind: 0 };
  let busyNs = 0;
  let waitedNs = 0;
  const sent: number[] = [];
  const begun: number[] = [];
  const packets = Array.from({ length: fate.captured ?? 0 }, () => new Uint8Array(64));
  const captured = fate.captured === undefined ? {} : { captured: { text: 'packets', packets } };
  const sender: PacketSender = {
    traffic: { family: 'ipv4', size: 64, flows: 1, ...captured },
    send: (_, count, { toPort = 9, first = 0 } = {}): Sent => {
      sent.push(count);
      [sentAt, busyBefore] = [performance.now(), busyNs];
      begun.push(first);
      const interrupted = interruptions > 0;
      interruptions -= 1;
      const generated = interrupted ? 1 : count;
      const dropped = generated < 100 ? 0 : Math.round(generated * queueDrops);
      const through = generated - dropped;
      const isOther = toPort !== 9 && fate.dropsAll !== true;
      if (isOther) counts.behind += through;
      else {
        counts.taken += through - missing - behind;
        counts.behind += behind;
      }
      const seconds = through / second;
      busyNs += seconds * busy * 1e9;
      waitedNs += seconds * (fate.waited ?? 0) * 1e9;
      return {
        generated,
        sent: through,
        queueDrops: dropped - unaccounted,
        redirectErrors: 0,
        seconds,
        busySeconds: seconds * (fate.senderBusy ?? 1),
        interrupted,
      };
    },
  };
  const { receiverShare } = fate;
  let [sentAt, busyBefore] = [0, 0];
  const busyByNow = (): number => {
    if (receiverShare === undefined) return busyNs;
    return Math.min(busyNs, busyBefore + (performance.now() - sentAt) * 1e6 * receiverShare);
  };
  const end = {} as Standing['wire']['from'];
  const standing: Standing = {
    rung: { name: 'tc', title: 'tc', description: () => 'a program' },
    wire: { from: end, to: end, napi: { busyNs: busyByNow, waitedNs: () => waitedNs } },
    sink: { count: (): Counts => ({ ...counts }), isEarly: true },
  };
  return { variant: new DropVariant(standing, sender, 'variant'), sent, begun };
}

async function sampleOf(fate: Fate): Promise<BenchSample> {
  const measured = await fakeVariant(fate).variant.measure(0.1);
  if (measured === undefined) throw new Error('interrupted');
  const { seconds, values, failed = [] } = measured;
  return { block: 0, at: 0, seconds, values: { ...values }, checks: [...failed] };
}

describe('the checks of a rung', () => {
  const oks = async (fate: Fate) => {
    const checks = await fakeVariant(fate).variant.check();
    return checks.map(({ name, ok }) => `${name} ${ok}`);
  };

  it('hold when each packet ends there, none behind, and others come through', async () => {
    expect(await oks({})).toEqual(['verdict true', 'nothing behind true', 'other packets true']);
  });

  it.each([
    [
      'a packet comes further',
      { behind: 1 },
      ['verdict false', 'nothing behind false', 'other packets true'],
    ],
    [
      'a packet for others is dropped',
      { dropsAll: true },
      ['verdict true', 'nothing behind true', 'other packets false'],
    ],
  ])('do not hold when %s', async (_, fate, wanted) => {
    expect(await oks(fate)).toEqual(wanted);
  });

  it('send each packet of a capture once, some at a time', async () => {
    const { variant, sent, begun } = fakeVariant({ captured: 300, queueDrops: 0 });
    expect((await variant.check()).map(({ name, ok }) => `${name} ${ok}`)).toEqual([
      'verdict true',
      'nothing behind true',
    ]);
    expect(sent).toEqual([128, 128, 44]);
    expect(begun).toEqual([0, 128, 256]);
  });

  it('do not hold when a packet of a capture comes further', async () => {
    expect(await oks({ captured: 3, behind: 1, queueDrops: 0 })).toEqual([
      'verdict false',
      'nothing behind false',
    ]);
  });

  it('are made once more when a signal for somebody else came between', async () => {
    expect(await oks({ interruptions: 2 })).toEqual([
      'verdict true',
      'nothing behind true',
      'other packets true',
    ]);
    await expect(oks({ interruptions: 3 })).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('a sample of a rung', () => {
  it('has the rate at which packets end there, and what one costs', async () => {
    const { values, checks } = await sampleOf({});
    expect(values['rate']).toBeCloseTo(second, -1);
    expect(values['cost']).toBeCloseTo(1000, 3);
    expect(values['cpu.napi']).toBeCloseTo(1);
    expect(values['queue']).toBeCloseTo(0.5);
    expect(checks).toEqual([]);
  });

  it('has the rate of a slow receiver until it is through with what it had in its queue', async () => {
    const { values } = await sampleOf({ busy: 4 });
    expect(values['rate']).toBeCloseTo(second / 4, -1);
    expect(values['cost']).toBeCloseTo(4000, 3);
    expect(values['cpu.napi']).toBe(1);
  });

  it('does not count where others had the CPU of a slow receiver while it worked on its queue', async () => {
    const { values, checks } = await sampleOf({ busy: 4, receiverShare: 0.4 });
    expect(checks.map(({ name }) => name)).toEqual(['receiver']);
    expect(values['cpu.napi']).toBeLessThan(0.7);
    expect(values['rate']).toBeLessThan((second / 4) * 0.7);
  });

  it('does not count when packets are not accounted for', async () => {
    const { checks } = await sampleOf({ unaccounted: 1 });
    expect(checks).toMatchObject([
      { name: 'accounting', ok: false, detail: expect.stringContaining('are known of') },
    ]);
  });

  it.each([
    [{ missing: 1 }, ['accounting']],
    [{ behind: 1 }, ['accounting', 'nothing behind']],
  ])(
    'does not count when packets do not end there: %j',
    async (fate, names) => {
      const { checks } = await sampleOf(fate);
      expect(checks.map(({ name }) => name)).toEqual(names);
    },
    20_000,
  );

  it('does not count as a rate when others took the CPU of the receiver', async () => {
    const { checks } = await sampleOf({ busy: 0.5 });
    expect(checks).toMatchObject([
      { name: 'receiver', detail: 'others took its CPU: it had 50 % of the time' },
    ]);
  });

  it('does not count as a rate when the receiver waited for its CPU, however long it was busy', async () => {
    const { values, checks } = await sampleOf({ busy: 1, waited: 0.6 });
    expect(values['rate']).toBeCloseTo(second / 1.6, -1);
    expect(checks).toMatchObject([
      { name: 'receiver', detail: 'others took its CPU: it had 63 % of the time' },
    ]);
  });

  it('does not count as a rate when others took the CPU of the sender, which leaves the receiver idle too', async () => {
    const { checks } = await sampleOf({ busy: 0.1, senderBusy: 0.1 });
    expect(checks).toMatchObject([
      { name: 'sender', detail: 'others took its CPU: it had 10 % of the time' },
    ]);
  });

  it('is as long as was asked for once the pace is known, in several runs when the pace changed', async () => {
    const { variant, sent } = fakeVariant({});
    await variant.measure(0.1);
    const { seconds } = (await variant.measure(0.1)) ?? { seconds: 0 };
    expect(seconds).toBeCloseTo(0.1, 2);
    const before = sent.length;
    expect((await variant.measure(0.4))?.seconds).toBeCloseTo(0.4, 1);
    expect(sent.length).toBe(before + 1);
  });
});

describe('rungs that take turns', () => {
  const rung = { name: 'tc', title: 'tc', description: () => 'a program' };
  const wireOf = (busyNs: () => number): Standing['wire'] => {
    const end = {} as Standing['wire']['from'];
    return { from: end, to: end, napi: { busyNs, waitedNs: () => 0 } };
  };

  /** Each takes so many nanoseconds a packet. */
  function ladder(costs: readonly number[], interruptions = 0) {
    const calls: { turns: number; wires: readonly InTurn[] }[] = [];
    const standings = costs.map((cost) => {
      let taken = 0;
      const sink: Sink = { count: () => ({ taken, lost: 0, behind: 0 }) };
      const standing: Standing = { rung, sink, wire: wireOf(() => taken * cost) };
      const take = (packets: number): void => {
        taken += packets;
      };
      return { standing, take };
    });
    const sentTo = (ends: unknown, count: number): Sent => {
      const found = standings.find(({ standing }) => standing.wire === ends);
      if (found === undefined) throw new Error('no such device');
      found.take(count / 2);
      const seconds = count / 2 / second;
      const text = { generated: count, sent: count / 2, queueDrops: count / 2, redirectErrors: 0 };
      return { ...text, seconds, busySeconds: seconds, interrupted: false };
    };
    const sender = {
      sendInTurns: (wires: readonly InTurn[], turns: number): Sent[] => {
        calls.push({ turns, wires });
        const interrupted = calls.length <= interruptions;
        return wires.map(({ ends, count }) => ({ ...sentTo(ends, count), interrupted }));
      },
    };
    const single: PacketSender = { traffic: { family: 'ipv4', size: 64, flows: 1 }, send: sentTo };
    const variants = standings.map(({ standing }) => new DropVariant(standing, single, 'variant'));
    return { variants, turns: new DropsInTurns(variants, sender), calls, standings };
  }

  it('are flooded in one call, each with its own figures, after a short one that tells their pace', async () => {
    const { variants, turns, calls } = ladder([1000, 2000]);
    const measured = await turns.measure(variants, 0.02);
    expect(measured?.map((each) => each instanceof Error || each.values['cost'])).toEqual([1000, 2000]);
    expect(measured?.map((each) => each instanceof Error || each.values['rate'])).toEqual([
      second,
      second / 2,
    ]);
    expect(calls.map((call) => call.turns)).toEqual([1, 10]);
    await turns.measure(variants, 0.02);
    expect(calls.length).toBe(3);
  });

  it('have turns of two milliseconds, whole batches, and the pauses that were learnt, in the order asked for', async () => {
    const { variants, turns, calls } = ladder([1000, 100_000]);
    await turns.measure(variants.toReversed(), 0.02);
    const [first, then] = calls.map(({ wires }) => wires);
    expect(first?.map(({ pauseSeconds }) => pauseSeconds)).toEqual([0.001, 0.001]);
    // 480 packets may wait; nobody pauses for longer than 10 ms.
    expect(then?.map(({ pauseSeconds }) => pauseSeconds)).toEqual([0.01, 0.00048]);
    expect(then?.map(({ ends }) => ends)).toEqual(variants.map(({ standing }) => standing.wire).toReversed());
    // 4,000 packets are made in that time, 64 at once.
    expect(then?.map(({ count }) => count)).toEqual([40_320, 40_320]);
  });

  it('take several calls where one would keep the CPU for longer than half a second', async () => {
    const { variants, turns, calls } = ladder([1000, 1000, 1000, 1000]);
    const measured = await turns.measure(variants, 0.25);
    const [, ...long] = calls;
    // A round takes four times 2 and 0.48 ms.
    expect(long.map((call) => call.turns)).toEqual([50, 50, 25]);
    expect(measured?.map((each) => each instanceof Error || each.seconds)).toEqual(
      Array.from({ length: 4 }, () => expect.closeTo(0.252, 6)),
    );
  });

  it('mean nothing when a signal ended the call', async () => {
    const { variants, turns } = ladder([1000], 1);
    expect(await turns.measure(variants, 0.02)).toBeUndefined();
    expect(await turns.measure(variants, 0.02)).toHaveLength(1);
  });

  it('go on when one of them cannot be counted, which is told of that one', async () => {
    const { variants, turns, standings } = ladder([1000, 1000]);
    const [broken] = standings;
    if (broken === undefined) throw new Error('no rung');
    broken.standing.sink.count = () => {
      throw new Error('iptables is gone');
    };
    expect(await turns.measure(variants, 0.02)).toMatchObject([
      new Error('iptables is gone'),
      { values: { cost: 1000 } },
    ]);
  });

  it('are flooded one by one when one of them lets nothing be sent, which is told of that one', async () => {
    const { variants, turns, standings } = ladder([1000, 1000]);
    standings.shift();
    const measured = await turns.measure(variants, 0.02);
    expect(measured).toMatchObject([new Error('no such device'), { values: { cost: 1000 } }]);
  });

  it('are those without a program that reads, and without packets of their own', () => {
    const sink: Sink = { count: () => ({ taken: 0, lost: 0, behind: 0 }) };
    const wire = wireOf(() => 0);
    const send = { traffic: { family: 'ipv4', size: 64, flows: 1 }, send: () => undefined } as never;
    const sources = { first: 0, count: 1 };
    const standings: Standing[] = [
      { rung, wire, sink },
      { rung, wire, sink: { ...sink, start: () => ({ end: async () => undefined, busyNs: () => 0 }) } },
      { rung: { ...rung, sources: { taken: sources, others: sources } }, wire, sink },
    ];
    const variants = standings.map((standing) => new DropVariant(standing, send, 'variant'));
    const { variants: inTurns } = new DropsInTurns(variants, { sendInTurns: () => [] });
    expect(inTurns).toEqual(variants.slice(0, 1));
  });

  it('are none at all where they are too many: a control has to be measured as its reference is', () => {
    expect(ladder(Array(64).fill(1000)).turns.variants).toHaveLength(64);
    expect(ladder(Array(65).fill(1000)).turns.variants).toEqual([]);
  });
});

describe('the verdict on all samples of a rung', () => {
  const judged = async (fates: readonly Fate[]) => {
    const samples: BenchSample[] = [];
    for (const fate of fates) samples.push(await sampleOf(fate));
    return fakeVariant({}).variant.judge(samples);
  };
  const limited: Fate = { queueDrops: 0, busy: 0.8 };

  it('is that the sender set the pace when the receiver lost nothing and had time left: at least so many', async () => {
    expect(await judged([limited, limited, limited])).toEqual([
      {
        name: 'generator',
        ok: false,
        detail:
          'at least 1.00 million packets/s: the receiver was idle for 20 % of the time, so the sender set the pace',
      },
    ]);
  });

  it.each([
    ['the receiver lost packets', [{}, {}]],
    ['it lost none and was never idle', [{ queueDrops: 0, busy: 0.99 }]],
    ['it was otherwise in one sample of five', [{}, {}, {}, {}, limited]],
  ])('is none when %s', async (_, fates) => {
    expect(await judged(fates)).toMatchObject([{ name: 'generator', ok: true }]);
  });

  it('is left out without a sample that counts', async () => {
    expect(await judged([])).toEqual([]);
  });
});

describe('the two groups that come of the same samples', () => {
  it('are rates, and costs that hold where a rate does not', async () => {
    const checks = [
      { name: 'verdict', ok: true, detail: '' },
      { name: 'generator', ok: false, detail: 'at least 1' },
    ];
    const text = {
      name: 'tc',
      title: 'tc',
      description: '',
      role: 'reference' as const,
      series: null,
      x: null,
    };
    const samples = [await sampleOf({ busy: 0.5 })];
    const variants = [{ ...text, checks, samples, histograms: [] }];
    const group = { name: 'rate', title: '', axis: null, metrics: [...metrics], variants };
    const [rate, cost] = [rateGroup(group), costGroup(group)].map((each) => each.variants[0]);
    expect(rate?.checks).toEqual(checks);
    expect(Object.keys(rate?.samples[0]?.values ?? {})).toEqual(metrics.map(({ name }) => name));
    expect(rate?.samples[0]?.checks).toHaveLength(1);
    expect(cost?.checks).toEqual(checks.slice(0, 1));
    expect(Object.keys(cost?.samples[0]?.values ?? {})).toEqual(['cost']);
    expect(cost?.samples[0]?.checks).toEqual([]);
  });
});

describe('the ladder', () => {
  it('has the rungs of the manual, each once', () => {
    expect([...rungNames].sort()).toEqual(
      [
        'socket',
        'no-listener',
        'socket-filter',
        'iptables-conntrack',
        'iptables-input',
        'iptables-raw',
        'nft-ingress',
        'tc',
        'tcx',
        'xdp-generic',
        'xdp-native',
      ].sort(),
    );
  });

  it('refuses a rung that there is not, with the one that was probably meant', () => {
    const traffic = { family: 'ipv4', size: 64, flows: 1 } as const;
    expect(() => dropScenario({ ...traffic, only: ['tc', 'xdp-natve'] })).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining("'xdp-natve'") }),
    );
  });

  it.each([
    ['iptables v1.8.9 (nf_tables)\n', '1.8.9 (nf_tables)'],
    ['nftables v1.0.6 (Lester Gooch #5)\n', '1.0.6 (Lester Gooch #5)'],
    ['ip utility, iproute2-6.1.0, libbpf 1.1.2\n', '6.1.0, libbpf 1.1.2'],
  ])('reads the version in %j', (said, version) => {
    expect(versionIn(said)).toBe(version);
  });
});
