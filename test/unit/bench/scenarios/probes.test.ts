import { describe, expect, test } from 'vitest';
import type { BenchGroup, BenchVariant } from '../../../../src/bench/document.js';
import { timeMetric, withAdded } from '../../../../src/bench/scenarios/probes/added.js';
import { clockPeriod, type Hook, hookNames, hooks } from '../../../../src/bench/scenarios/probes/hooks.js';
import { type Operation, timeOperation } from '../../../../src/bench/scenarios/probes/operations.js';
import { bareVariant } from '../../../../src/bench/scenarios/probes/variant.js';
import { probesScenario } from '../../../../src/bench/scenarios/probes.js';

function variant(name: string, role: BenchVariant['role'], times: readonly number[]): BenchVariant {
  return {
    name,
    title: name,
    description: '',
    role,
    series: null,
    x: null,
    checks: [],
    samples: times.map((time, block) => ({ block, at: 0, seconds: 1, values: { time }, checks: [] })),
    histograms: [],
  };
}

function hook(name: string): Hook {
  const found = hooks.find((each) => each.name === name);
  if (found === undefined) throw new TypeError(name);
  return found;
}

function addedBy(one: Hook, ...variants: BenchVariant[]): BenchGroup[] {
  const group: BenchGroup = {
    name: 'call',
    title: 'time',
    axis: null,
    metrics: [timeMetric],
    variants: [
      variant('nothing', 'reference', [100, 200, 100]),
      variant('nothing again', 'control', [101, 199, 102]),
      ...variants,
    ],
  };
  const names = new Set(variants.map(({ name }) => name));
  const hookOf = (name: string): Hook | undefined => (names.has(name) ? one : undefined);
  return withAdded([group], [{ group: 'call', title: 'added', reference: 'p', control: 'p again', hookOf }]);
}

describe('what a probe adds', () => {
  test('is the time with it less the time without in the same block, and never less than nothing', () => {
    const [added, measured, ...more] = addedBy(
      hook('kprobe'),
      variant('p', 'variant', [130, 230, 90]),
      variant('p again', 'variant', [131, 231, 131]),
      variant('p counting', 'variant', [140, 240, 140]),
    );
    expect(more).toEqual([]);
    expect(measured?.name).toBe('call');
    expect(added).toMatchObject({ name: 'added-call', title: 'added' });
    expect(added?.metrics.map(({ name, unit }) => [name, unit])).toEqual([['added', 'ns']]);
    expect(
      added?.variants.map(({ name, role, samples }) => [name, role, samples.map((s) => s.values)]),
    ).toEqual([
      ['p', 'reference', [{ added: 30 }, { added: 30 }, { added: 0 }]],
      ['p again', 'control', [{ added: 31 }, { added: 31 }, { added: 31 }]],
      ['p counting', 'variant', [{ added: 40 }, { added: 40 }, { added: 40 }]],
    ]);
  });

  test('is by the clock what a run takes of the time between two', () => {
    const [added] = addedBy(hook('perf-event'), variant('p', 'variant', [102, 250, 400]));
    // With a run of 20 of each 100 µs, 80 of them are left for what took 200: it takes 250.
    const shares = [2 / 102, 1 / 5, 3 / 4];
    const values = (added?.variants[0]?.samples ?? []).map((sample) => sample.values['added']);
    expect(values).toEqual(shares.map((share) => expect.closeTo(clockPeriod * share, 6)));
  });

  test('is not known of a block without the bare operation', () => {
    const [added] = addedBy(hook('kprobe'), variant('p', 'variant', [130, 230, 130, 130]));
    expect(added?.variants[0]?.samples.map(({ block }) => block)).toEqual([0, 1, 2]);
  });
});

describe('the hooks', () => {
  test('have names of their own, and those of a group stand together', () => {
    expect(new Set(hookNames).size).toBe(hookNames.length);
    const groups = hooks.map(({ group }) => group);
    expect(groups.filter((group, at) => group !== groups[at - 1])).toEqual([
      'call',
      'library',
      'clock',
      'packet',
    ]);
  });

  test('that there are not are refused, with the one that was meant', () => {
    expect(() => probesScenario(['kprobes'])).toThrow("there is no hook 'kprobes'");
  });
});

test('an operation is done in chunks that the clock can tell, and each counts', async () => {
  let done = 0;
  const operation: Operation = {
    description: 'counting',
    run: (count) => {
      for (let at = 0; at < count; at++) done += 1;
    },
  };
  const { operations, time, seconds } = timeOperation(operation, 0.005);
  expect(operations).toBe(done);
  expect(time).toBeGreaterThan(0);
  expect(seconds).toBeGreaterThanOrEqual(0.005);
  const bare = bareVariant(operation, { name: 'nothing', title: 'nothing', role: 'reference' });
  expect(await bare.check()).toMatchObject([{ name: 'operation', ok: true }]);
  expect((await bare.measure(0.001))?.values).toEqual({ time: expect.any(Number) });
});
