import { expect, it } from 'vitest';
import { hookAvailable } from '../../src/ebpf/feature/hooks.js';
import { netkit } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot, ownProcessId } from '../support/requirements.js';
import { brokenChecks, leftOut, measured } from './bench-ground.js';

describeAsRoot(
  'netkit bench chain',
  () => {
    expectUnchangedAfterAll();

    it('measures each way with each number of functions, all of which saw every packet in order', () => {
      const document = measured('chain', ['--functions', '0', '--functions', '8', '--seconds', '6']);
      const { groups, scenario } = document;
      expect(scenario).toBe('chain');
      expect(groups.map(({ name, axis }) => [name, axis?.title])).toEqual([
        ['rate', 'Functions'],
        ['cost', 'Functions'],
        ['step', undefined],
      ]);
      const [hasFreplace, hasTcx] = (['freplace', 'tcx/ingress'] as const).map(
        (hook) => hookAvailable(hook).available !== false,
      );
      expect(leftOut(document)).toEqual([
        ...(hasFreplace ? [] : ["libxdp's dispatcher"]),
        ...(hasTcx ? [] : ['tcx']),
      ]);
      const ways = [
        'one program',
        ...(hasFreplace ? ["libxdp's dispatcher"] : []),
        'tail calls',
        ...(hasTcx ? ['tcx'] : []),
      ];
      for (const { axis, variants } of groups.filter((group) => group.axis !== null)) {
        expect(axis?.unit).toBe('functions');
        const points = variants.filter(({ role }) => role !== 'control');
        expect(points.map(({ series, x }) => [series, x])).toEqual(
          ways.flatMap((way) => [
            [way, 0],
            [way, 8],
          ]),
        );
      }
      for (const { name, checks, samples } of groups[0]?.variants ?? []) {
        expect(samples.length).toBeGreaterThan(0);
        const all = name.includes('-8') ? 'each of 9 functions' : 'the one function';
        const orders = checks.filter((check) => check.name === 'order');
        expect(orders, name).toMatchObject([
          { ok: true, detail: `${all} saw each of 64 packets, in order` },
          { ok: true, detail: expect.stringContaining(all) },
        ]);
      }
      expect(brokenChecks(document)).toEqual([]);
      const steps = groups[2]?.variants ?? [];
      expect(steps.filter(({ role }) => role !== 'control').map(({ name }) => name)).toEqual(ways);
      expect(steps.filter(({ role }) => role === 'control')).toHaveLength(1);
    });

    it.each([
      [['--only', 'tail-call'], /there is no way 'tail-call'[\s\S]*tail-calls/],
      [['--functions', '9'], /--functions/],
    ])('refuses %j', (words, message) => {
      expect(netkit(['bench', 'chain', ...words])).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(message),
      });
    });
  },
  { ...ownProcessId, kernelHas: ['live-frames'] },
);
