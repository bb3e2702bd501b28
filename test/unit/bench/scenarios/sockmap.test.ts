import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import type { BenchGroup, BenchSample } from '../../../../src/bench/document.js';
import { rateIn } from '../../../../src/bench/lab/iperf.js';
import type { Loop, RunResult } from '../../../../src/bench/lab/requests/orders.js';
import { costMetrics, streamMetrics, withCosts } from '../../../../src/bench/scenarios/sockmap/metrics.js';
import { paceOf } from '../../../../src/bench/scenarios/sockmap/pace.js';
import type { PassageRun } from '../../../../src/bench/scenarios/sockmap/passage.js';
import { type Path, pathNames } from '../../../../src/bench/scenarios/sockmap/paths.js';
import {
  CheckedPath,
  type Measured,
  type Passable,
  SockmapVariant,
} from '../../../../src/bench/scenarios/sockmap/variant.js';
import { sockmapScenario } from '../../../../src/bench/scenarios/sockmap.js';

const chunks = { size: 1000, answer: 8 };
const copying: Path = { name: 'copy', title: 'proxy', description: 'a proxy', hasProxy: true };
const joining: Path = {
  ...copying,
  name: 'sk-skb',
  joint: () => ({ join: () => undefined, bytes: () => 0 }),
};
const without: Path = { ...copying, name: 'direct', hasProxy: false };

/** What becomes of the bytes: by default all arrive, by the way that the path is about. */
interface Fate {
  readonly path?: Path;
  /** Bytes that did not arrive, and that the proxy read beyond or short of what it should. */
  readonly missing?: number;
  readonly astray?: number;
  readonly unanswered?: number;
  /** Of the receiver's CPU. */
  readonly busy?: number;
}

function passage({ path = copying, ...fate }: Fate): Passable {
  const through = (bytes: number) => ({
    copied: path.joint !== undefined || !path.hasProxy ? (fate.astray ?? 0) : bytes + (fate.astray ?? 0),
    redirected: path.joint === undefined ? 0 : bytes,
  });
  return {
    path,
    compare: async (bytes) => ({
      same: bytes - (fate.missing ?? 0),
      received: bytes,
      ...through(2 * bytes),
    }),
    run: async (_, loop: Loop): Promise<PassageRun> => {
      const sent = 1000;
      const answered = sent - (fate.unanswered ?? 0);
      const share = (fate.busy ?? 1) * 1e9 * loop.seconds;
      const result: RunResult = {
        wanted: sent,
        sent,
        answered,
        seconds: loop.seconds,
        sending: loop.seconds,
        elapsed: loop.seconds,
        busySeconds: loop.seconds,
        latency: [[1000, 1010, answered]],
        lag: [[0, 10, sent]],
      };
      return {
        result,
        received: answered * chunks.size - (fate.missing ?? 0),
        ...through(answered * (chunks.size + chunks.answer)),
        busy: { napi: share / 2, proxy: share / 4, server: share / 8, workers: share / 8 },
      };
    },
  };
}

const fast: Measured = {
  chunks,
  isPaced: false,
  loop: (seconds) => ({ kind: 'closed', window: 4, seconds, patience: 1 }),
};
const paced: Measured = {
  chunks,
  isPaced: true,
  loop: (seconds, seed) => ({ kind: 'open', rate: 100, seconds, spacing: 'even', seed, patience: 1 }),
};

const variant = (fate: Fate, measured = fast) => {
  const path = passage(fate);
  return new SockmapVariant(path, new CheckedPath(path), measured, 'variant');
};

async function sampleOf(fate: Fate, measured = fast): Promise<BenchSample> {
  const { seconds, values, failed = [] } = await variant(fate, measured).measure(0.5);
  return { block: 0, at: 0, seconds, values: { ...values }, checks: [...failed] };
}

describe('the checks of a path', () => {
  it.each([
    ['a proxy that copies', {}, [true, true]],
    ['a proxy whose bytes are redirected', { path: joining }, [true, true]],
    ['no proxy', { path: without }, [true, true]],
    ['bytes that do not come back', { missing: 1 }, [false, true]],
    ['a proxy that reads what is redirected', { path: joining, astray: 1 }, [true, false]],
    ['bytes that pass by the proxy', { astray: -1 }, [true, false]],
  ])('look at %s', async (_, fate, wanted) => {
    const checks = await variant(fate).check();
    expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
      ['bytes', wanted[0]],
      ['way', wanted[1]],
    ]);
  });

  it('are made once for all that is measured of it', async () => {
    let times = 0;
    const one = passage({});
    const path: Passable = {
      ...one,
      compare: (...words) => {
        times += 1;
        return one.compare(...words);
      },
    };
    const checked = new CheckedPath(path);
    for (const measured of [fast, paced])
      await new SockmapVariant(path, checked, measured, 'variant').check();
    expect(times).toBe(1);
  });

  it('say so when nothing comes back at all', async () => {
    const path = { ...passage({}), compare: () => Promise.reject(new Error('it ended')) };
    expect(await new CheckedPath(path).checks()).toEqual([{ name: 'bytes', ok: false, detail: 'it ended' }]);
  });
});

describe('a sample of a path', () => {
  it('of a stream has its rate, and the CPU time of a MiB', async () => {
    const { values, checks } = await sampleOf({});
    expect(checks).toEqual([]);
    expect(values['rate']).toBe(2_000_000);
    expect(values['receiver']).toBeCloseTo((0.5e9 * 2 ** 20) / 1e6, 0);
    expect(values['proxy']).toBeCloseTo((0.125e9 * 2 ** 20) / 1e6, 0);
    expect(values['cpu.napi']).toBeCloseTo(0.5);
  });

  it('at a pace has times, in a histogram too', async () => {
    const { values, histograms } = await variant({}, paced).measure(0.5);
    expect(values['latency']).toBeGreaterThanOrEqual(1000);
    expect(histograms?.map(({ metric }) => metric)).toEqual(['latency', 'lag']);
  });

  it('counts when the client was late, up to what is said to be too late', async () => {
    const one = passage({});
    const late: Passable = {
      ...one,
      run: async (...words) => {
        const run = await one.run(...words);
        return { ...run, result: { ...run.result, lag: [[2e6, 2.1e6, 1000]] } };
      },
    };
    const names = async (measured: Measured) => {
      const { failed = [] } = await new SockmapVariant(
        late,
        new CheckedPath(late),
        measured,
        'variant',
      ).measure(0.5);
      return failed.map(({ name }) => name);
    };
    expect(await names(paced)).toEqual(['generator']);
    expect(await names({ ...paced, heldUp: 1e7 })).toEqual([]);
  });

  it.each([
    ['bytes are missing', { missing: 1 }, fast, ['account']],
    ['the proxy read what was redirected', { path: joining, astray: 1 }, fast, ['way']],
    ['a chunk is not answered', { unanswered: 1 }, fast, ['answers']],
    ['a request is not answered', { unanswered: 1 }, paced, ['answers']],
  ])('does not count when %s', async (_, fate, measured, names) => {
    expect((await sampleOf(fate, measured)).checks.map(({ name }) => name)).toEqual(names);
  });
});

describe('the verdict on a stream', () => {
  it('is that the client set the pace when the receiver had time left: at least so much', async () => {
    const samples = [await sampleOf({ busy: 0.5 })];
    expect(variant({}).judge(samples, [])).toMatchObject([
      {
        name: 'generator',
        ok: false,
        detail: expect.stringMatching(/^at least 2\.00 M bytes\/s: .* 50\.0 %/),
      },
    ]);
    expect(variant({}).judge([await sampleOf({})], [])).toMatchObject([{ name: 'generator', ok: true }]);
    expect(variant({}).judge([], [])).toEqual([]);
  });

  it('does not touch what it costs', async () => {
    const sample = await sampleOf({ busy: 0.5 });
    const checks = [{ name: 'generator', ok: false, detail: 'at least 1' }];
    const text = {
      name: 'copy',
      title: '',
      description: '',
      role: 'reference' as const,
      series: null,
      x: null,
    };
    const group: BenchGroup = {
      name: 'stream',
      title: '',
      axis: null,
      metrics: [...streamMetrics, ...costMetrics],
      variants: [{ ...text, checks, samples: [sample], histograms: [] }],
    };
    const [stream, cost] = withCosts([group]);
    expect(stream?.variants[0]?.checks).toEqual(checks);
    expect(Object.keys(stream?.variants[0]?.samples[0]?.values ?? {})).toEqual(
      streamMetrics.map(({ name }) => name),
    );
    expect(cost).toMatchObject({ name: 'cost', variants: [{ checks: [] }] });
    expect(Object.keys(cost?.variants[0]?.samples[0]?.values ?? {})).toEqual(['proxy', 'receiver']);
    expect(withCosts([{ ...group, name: 'requests' }])).toHaveLength(1);
  });
});

describe('the pace that all paths are measured at', () => {
  it('is half of what the slowest carries at its best', async () => {
    const path = (rates: number[]) => {
      const one = passage({});
      return {
        run: async (...words: Parameters<Passable['run']>) => {
          const run = await one.run(...words);
          const answered = (rates.shift() ?? 0) * words[1].seconds;
          return { ...run, result: { ...run.result, answered } };
        },
      };
    };
    const slow = path([100, 9100, 5000]);
    expect(await paceOf([path([20_000, 20_000, 20_000]), slow], chunks, () => undefined)).toEqual({
      rate: 4500,
      broken: [undefined, undefined],
    });
  });

  it('does not depend on paths that carry nothing, which are named', async () => {
    const stalled = {
      run: async (...words: Parameters<Passable['run']>) => {
        const run = await passage({}).run(...words);
        return { ...run, result: { ...run.result, answered: 0 } };
      },
    };
    const reset = {
      run: async () => {
        throw new NetkitError('failed', 'the connection was reset');
      },
    };
    const nobody = () => undefined;
    const { rate, broken } = await paceOf([passage({}), stalled, reset], chunks, nobody);
    expect(rate).toBe((await paceOf([passage({})], chunks, nobody)).rate);
    expect(broken).toEqual([
      undefined,
      `no chunk of ${chunks.size} bytes was answered`,
      'the connection was reset',
    ]);
    expect((await paceOf([stalled], chunks, nobody)).rate).toBe(0);
  });

  it('is looked for until nobody wants to know any more', async () => {
    const stop = () => {
      throw new Error('enough');
    };
    await expect(paceOf([passage({})], chunks, stop)).rejects.toThrow('enough');
  });
});

describe('the scenario', () => {
  it('has the paths of the manual', () => {
    expect(pathNames).toEqual(['copy', 'sk-skb', 'sk-msg', 'direct']);
  });

  it('refuses a path that there is not, with the one that was probably meant', () => {
    const options = { family: 'ipv4', requestSize: 64, chunkSize: 65_536 } as const;
    expect(() => sockmapScenario({ ...options, only: ['copy', 'sk-sbk'] })).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining("'sk-sbk'") }),
    );
  });

  it('reads what iperf3 received a second, and nothing from an error', () => {
    const said = {
      end: { sum_sent: { bits_per_second: 9e9 }, sum_received: { seconds: 1, bits_per_second: 8e9 } },
    };
    expect(rateIn(JSON.stringify(said, undefined, '\t'))).toBe(1e9);
    expect(rateIn('{"error": "unable to connect to server: Connection refused"}')).toBeUndefined();
  });
});
