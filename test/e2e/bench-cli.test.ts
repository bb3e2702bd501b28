import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import type { BenchDocument } from '../../src/bench/document.js';
import { taskNames } from '../../src/bench/scenarios/commands/ways.js';
import { netkit } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { leftOut, measured } from './bench-ground.js';

describeAsRoot(
  'netkit bench cli',
  () => {
    expectUnchangedAfterAll();

    it('measures every task by bpftool and by netkit, each of which did what it should', () => {
      const temporary = readdirSync(tmpdir()).sort();
      const document = measured('cli', ['--seconds', '1']);
      const { groups, environment } = document;
      const names = groups.map(({ name }) => name);
      expect(names).toEqual(['start', 'load', 'unload', 'attach', 'detach', 'map-get', 'map-list']);
      expect(names).toEqual(expect.arrayContaining([...taskNames]));
      expect(leftOut(document)).toEqual([]);
      for (const { name, metrics, variants } of groups) {
        expect(metrics.map((metric) => metric.name)).toEqual(['time', 'cpu', 'memory']);
        expect(
          variants.slice(0, 2).map((each) => [each.name, each.role]),
          name,
        ).toEqual([
          ['bpftool', 'reference'],
          ['bpftool again', 'control'],
        ]);
        for (const { name: variant, checks, samples } of variants) {
          expect(
            checks.filter(({ ok }) => !ok),
            `${name} ${variant}`,
          ).toEqual([]);
          expect(checks.length).toBeGreaterThan(0);
          for (const { values } of samples) {
            const { time = 0, cpu = 0, memory = 0 } = values;
            expect(time).toBeGreaterThan(0);
            // As many CPUs as there are can be at work at a time.
            expect(cpu).toBeGreaterThan(0);
            expect(memory).toBeGreaterThan(100_000);
          }
        }
      }
      const memoryOf = (variant: string): number =>
        groups[0]?.variants.find(({ name }) => name === variant)?.samples[0]?.values['memory'] ?? Number.NaN;
      // What holds on every machine: Node is larger than bpftool, and netkit has Node in it.
      expect(memoryOf('bpftool')).toBeLessThan(memoryOf('node'));
      expect(memoryOf('node')).toBeLessThan(memoryOf('netkit-version') * 1.1);
      expect(environment.tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['bpftool', 'ip']));
      expect(readdirSync(tmpdir()).sort()).toEqual(temporary);
    }, 300_000);

    it('touches no bpf file system and no state but its own', () => {
      const env = { NETKIT_BPFFS: '/nowhere', NETKIT_STATE_DIR: '/nowhere/state' };
      const { groups } = measured('cli', ['--only', 'load', '--seconds', '1'], env);
      expect(groups.flatMap(({ variants }) => variants.flatMap(({ checks }) => checks))).toSatisfy(
        (checks: BenchDocument['groups'][number]['variants'][number]['checks']) =>
          checks.every(({ ok }) => ok),
      );
    });

    it('refuses a task that there is not', () => {
      expect(netkit(['bench', 'cli', '--only', 'maps-get'])).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/there is no task 'maps-get'[\s\S]*map-get/),
      });
    });
  },
  { tools: ['bpftool'] },
);
