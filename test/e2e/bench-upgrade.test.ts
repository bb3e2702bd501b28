import { expect, it } from 'vitest';
import { upgradeWayNames } from '../../src/bench/scenarios/upgrade.js';
import { netkit } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot, ownProcessId } from '../support/requirements.js';
import { brokenAccounts, leftOut, measured } from './bench-ground.js';

/** There to show what the others spare. */
const contrasts = ['xdp-again', 'tcx-beside'];

describeAsRoot(
  'netkit bench upgrade',
  () => {
    expectUnchangedAfterAll();

    it('loses and misjudges no packet by any way but those for contrast, and accounts for each', () => {
      const document = measured('upgrade', ['--seconds', '8']);
      const { groups } = document;
      expect(groups.map(({ name }) => name)).toEqual(['packets', 'time']);
      const [packets, time] = groups;
      const missing = leftOut(document);
      // Before Linux 6.6 there is no tcx.
      if (missing.length > 0) expect(missing).toHaveLength(2);
      const names = (packets?.variants ?? []).map(({ name }) => name);
      expect(names.length).toBe(upgradeWayNames.length - missing.length + 1);
      expect(names.at(-1)).toBe('xdp-link again');
      expect(brokenAccounts(document, 'accounting')).toEqual([]);
      for (const { name, checks, samples } of packets?.variants ?? []) {
        const early = checks.filter((check) => check.name !== 'packets');
        expect(early, name).toMatchObject([
          { name: 'verdict', ok: true },
          { name: 'verdict', ok: true },
          { name: 'control', ok: true },
        ]);
        const counted = samples.filter((sample) => sample.checks.length === 0);
        // A busy machine may leave a slice without a replacement; the accounts are right on every one.
        const sum = (metric: string): number =>
          counted.reduce((all, { values }) => all + (values[metric] ?? Number.NaN), 0);
        if (contrasts.includes(name)) {
          if (counted.length > 0) expect(sum('misjudged'), name).toBeGreaterThan(0);
        } else expect([sum('lost'), sum('misjudged')], name).toEqual([0, 0]);
      }
      const reference = time?.variants.find(({ role }) => role === 'reference');
      expect(reference?.name).toBe('xdp-link');
      const histogram = reference?.histograms.find(({ metric }) => metric === 'time');
      expect(histogram?.buckets.length).toBeGreaterThan(0);
    });

    it('refuses a way that there is not', () => {
      expect(netkit(['bench', 'upgrade', '--only', 'xdp-links'])).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/there is no way 'xdp-links'[\s\S]*xdp-link/),
      });
    });
  },
  { ...ownProcessId, kernelHas: ['live-frames'] },
);
