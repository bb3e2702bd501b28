import { expect, it } from 'vitest';
import { measuredTypes } from '../../src/bench/scenarios/maps/fixture.js';
import { netkit } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { measured } from './bench-ground.js';

describeAsRoot('netkit bench maps', () => {
  expectUnchangedAfterAll();

  it('measures every type at each size, each map full of what was written', () => {
    const document = measured('maps', ['--entries', '64', '--entries', '2000', '--seconds', '20']);
    const groups = [
      'lookup',
      'update',
      'batch-read',
      'batch-write',
      'delete',
      'kernel-lookup',
      'kernel-update',
    ];
    expect(document.groups.map(({ name }) => name)).toEqual(groups);
    for (const { name, variants } of document.groups) {
      expect(variants.slice(0, 2).map((each) => [each.name, each.role])).toEqual([
        ['hash-64', 'reference'],
        ['hash-64 again', 'control'],
      ]);
      const series = new Set(variants.map((each) => each.series));
      const types = measuredTypes.filter((type) => name !== 'delete' || !type.endsWith('array'));
      expect([...series]).toEqual(name === 'kernel-lookup' ? [...types, 'nothing'] : types);
      for (const { checks, samples } of variants) {
        expect(checks.map(({ ok }) => ok)).toEqual([true]);
        expect(samples.length).toBeGreaterThan(0);
        for (const { values } of samples) expect(values['time']).toBeGreaterThan(0);
      }
    }
    const of = (group: string, variant: string): number =>
      document.results.find((each) => each.group === group && each.variant === variant)?.median ?? Number.NaN;
    // What holds on every machine: a program needs no call, and a batch one for many.
    expect(of('kernel-lookup', 'hash-2000')).toBeLessThan(of('lookup', 'hash-2000'));
    expect(of('batch-read', 'hash-2000')).toBeLessThan(of('lookup', 'hash-2000'));
    expect(of('kernel-lookup', 'nothing-64')).toBeLessThan(of('kernel-lookup', 'hash-64'));
  });

  it('measures the types asked for', () => {
    const document = measured('maps', ['--only', 'array,percpu_array', '--entries', '64', '--seconds', '5']);
    expect(document.groups.map(({ name }) => name)).not.toContain('delete');
    expect(document.groups[0]?.variants.map(({ name }) => name)).toEqual([
      'array-64',
      'array-64 again',
      'percpu_array-64',
    ]);
    expect(netkit(['bench', 'maps', '--only', 'hush'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('hash'),
    });
  });
});
