import { describe, expect, test } from 'vitest';
import type { BenchGroup } from '../../../../src/bench/document.js';
import { cliScenario } from '../../../../src/bench/scenarios/cli.js';
import { cliGroups, metricsOf, valuesOf } from '../../../../src/bench/scenarios/commands/metrics.js';
import { type Task, taskNames, tasks } from '../../../../src/bench/scenarios/commands/ways.js';

function task(name: string): Task {
  const found = tasks.find((each) => each.name === name);
  if (found === undefined) throw new TypeError(name);
  return found;
}

const cost = (seconds: number) => ({ seconds, busySeconds: seconds / 2, peakBytes: seconds * 1000 });

describe('what a command took', () => {
  test('is the middle of the rounds of a slice, of what undoes it likewise', () => {
    expect(valuesOf([cost(1), cost(5), cost(2)], [])).toEqual({ time: 2e9, cpu: 1e9, memory: 5000 });
    expect(valuesOf([cost(1)], [cost(3)])).toEqual({
      time: 1e9,
      cpu: 0.5e9,
      memory: 1000,
      'undo.time': 3e9,
      'undo.cpu': 1.5e9,
      'undo.memory': 3000,
    });
  });

  test.each(tasks.map(({ name }) => name))('has a value for each metric of %s', (name) => {
    const { undo } = task(name);
    const values = valuesOf([cost(1)], undo === undefined ? [] : [cost(1)]);
    expect(Object.keys(values)).toEqual(metricsOf(task(name)).map((metric) => metric.name));
  });

  test('is shown in a group of its own for the command that undoes the other', () => {
    const group: BenchGroup = {
      name: 'load',
      title: 'load',
      axis: null,
      metrics: [...metricsOf(task('load'))],
      variants: [
        {
          name: 'netkit',
          title: 'netkit load',
          description: '',
          role: 'reference',
          series: null,
          x: null,
          checks: [],
          samples: [{ block: 0, at: 0, seconds: 1, values: valuesOf([cost(1)], [cost(3)]), checks: [] }],
          histograms: [],
        },
      ],
    };
    const groups = cliGroups(group, task('load'));
    expect(groups.map(({ name, title }) => [name, title])).toEqual([
      ['load', 'load'],
      ['unload', task('load').undo?.title],
    ]);
    expect(groups.map(({ variants }) => variants[0]?.title)).toEqual(['netkit load', 'netkit unload']);
    expect(groups.map(({ variants }) => variants[0]?.samples[0]?.values)).toEqual([
      { time: 1e9, cpu: 0.5e9, memory: 1000 },
      { time: 3e9, cpu: 1.5e9, memory: 3000 },
    ]);
    for (const { metrics } of groups)
      expect(metrics.map(({ name }) => name)).toEqual(['time', 'cpu', 'memory']);
  });
});

test('each task has commands of netkit, and those of a tool before them', () => {
  for (const { ways } of tasks) {
    const tools = ways.map(({ tool }) => tool);
    expect(tools[0]).toBe('bpftool');
    expect(tools.at(-1)).toBeUndefined();
  }
});

test('a task that there is not is refused, with those that there are', () => {
  expect(() => cliScenario({ only: ['unload'], netkit: ['node'] })).toThrow("there is no task 'unload'");
  expect(taskNames).toEqual(['start', 'load', 'attach', 'map-get', 'map-list']);
});
