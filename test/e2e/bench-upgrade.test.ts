import { expect, it } from 'vitest';
import type { BenchDocument } from '../../src/bench/document.js';
import { upgradeWayNames } from '../../src/bench/scenarios/upgrade.js';
import { netkit } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot, ownProcessId } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';

/** There to show what the others spare. */
const contrasts = ['xdp-again', 'tcx-beside'];

describeAsRoot(
  'netkit bench upgrade',
  () => {
    expectUnchangedAfterAll();

    it('loses and misjudges no packet by any way but those for contrast, and accounts for each', () => {
      const words = ['--seconds', '8', '--seed', '11', '--json'];
      // Emulated machines take minutes for what is timed in seconds.
      const result = netkit(['bench', 'upgrade', ...words], { timeout: 170_000 });
      expect(`${result.status} ${result.stderr}`).toBe('0 ');
      const json = result.json();
      expectValid('bench upgrade', json);
      const { groups, notes } = json as BenchDocument;
      expect(groups.map(({ name }) => name)).toEqual(['packets', 'time']);
      const [packets, time] = groups;
      const leftOut = notes.filter((note) => note.startsWith('Left out: '));
      // Before Linux 6.6 there is no tcx.
      if (leftOut.length > 0) expect(leftOut).toHaveLength(2);
      const names = (packets?.variants ?? []).map(({ name }) => name);
      expect(names.length).toBe(upgradeWayNames.length - leftOut.length + 1);
      expect(names.at(-1)).toBe('xdp-link again');
      for (const { name, checks, samples } of packets?.variants ?? []) {
        const early = checks.filter((check) => check.name !== 'packets');
        expect(early, name).toMatchObject([
          { name: 'verdict', ok: true },
          { name: 'verdict', ok: true },
          { name: 'control', ok: true },
        ]);
        const counted = samples.filter((sample) => sample.checks.length === 0);
        // A busy machine may leave a slice without a replacement; the accounts are right on every one.
        expect(
          samples.flatMap((sample) => sample.checks).filter((check) => check.name === 'accounting'),
        ).toEqual([]);
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
