import { expect, it } from 'vitest';
import { netkit } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot, type Requirements, twoCpus } from '../support/requirements.js';
import { brokenChecks, measured, outputWithReports, temporaryFolder } from './bench-ground.js';
import { endsWithoutOrphans } from './bench-orphans.js';

const needs: Requirements = {
  ...twoCpus,
  kernelHas: ['napi-threads'],
  tools: ['iptables', 'ip6tables', 'nft', 'taskset'],
  timing: true,
};
const shares = [10, 50, 70, 90];

describeAsRoot(
  'netkit bench latency',
  () => {
    const folder = temporaryFolder();
    expectUnchangedAfterAll();

    it('measures each hook at each load, with every request answered and counted by the hook', () => {
      const document = measured('latency', ['--seconds', '4']);
      expect(document).toMatchObject({ scenario: 'latency', seed: 11, ended: 'whole' });
      const [curves, ...loads] = document.groups;
      expect(curves).toMatchObject({ name: 'latency', axis: { title: 'Load', unit: 'share' } });
      expect(loads.map(({ name }) => name)).toEqual(shares.map((share) => `load-${share}`));
      for (const [index, { variants }] of loads.entries()) {
        const share = shares[index] ?? 0;
        expect(variants.map(({ name, role, x }) => [name, role, x])).toEqual([
          [`nothing-${share}`, 'reference', share / 100],
          ...['xdp', 'tcx', 'tc', 'iptables', 'nft'].map((name) => [
            `${name}-${share}`,
            'variant',
            share / 100,
          ]),
          [`nothing-${share} again`, 'control', share / 100],
        ]);
        for (const { name, checks, samples } of variants) {
          const known = checks.filter((check) => check.name !== 'generator');
          expect(
            known.map((check) => [check.name, check.ok]),
            name,
          ).toEqual([
            ['answers', true],
            ['seen', true],
            ['account', true],
          ]);
          expect(samples.length).toBeGreaterThan(0);
          // A packet takes a microsecond at the very least, and what is slower than a second hangs.
          for (const { values } of samples) {
            expect(values['latency']).toBeGreaterThan(1000);
            expect(values['latency']).toBeLessThan(1e9);
          }
        }
      }
      expect(document.limits.map(({ name }) => name)).toContain('generator');
      expect(document.environment.commands.join('\n')).toMatch(/iptables-restore[\s\S]*nft -f/);
      expect(document.environment.placement.map(({ cpus }) => cpus.length)).toEqual([1, 1]);
    });

    it.each([
      ['--family', 'ipv6', '--spacing', 'even'],
      ['--request-size', '1400', '--rules', '0'],
    ])('does so with %s %s %s %s', (...words) => {
      const only = ['--only', 'nothing,tc,iptables,nft'];
      expect(brokenChecks(measured('latency', [...only, ...words, '--seconds', '2']))).toEqual([]);
    });

    it('measures at the load that is asked for', () => {
      const words = ['--only', 'nothing,tcx', '--load', '1000', '--seconds', '2'];
      const { groups, notes } = measured('latency', words);
      expect(groups.at(-1)?.title).toMatch(/90 % of the load, 900 requests\/s/);
      expect(notes.join(' ')).toMatch(
        /100 % of the load are 1\.00 k requests\/s, which is what was asked for\./,
      );
    });

    it('compares with the first when nothing is not among those asked for', () => {
      const { groups } = measured('latency', ['--only', 'tcx,tc', '--seconds', '2']);
      expect(groups[1]?.variants.map(({ name, role }) => [name, role])).toEqual([
        ['tcx-10', 'reference'],
        ['tc-10', 'variant'],
        ['tcx-10 again', 'control'],
      ]);
    });

    it('shows a table, and writes the reports asked for', () => {
      const output = outputWithReports('latency', ['--only', 'nothing,tcx', '--seconds', '2'], folder.path);
      expect(output).toMatch(/nothing attached at 90 %/);
      expect(output).toMatch(/100 % of the load are/);
    });

    it.each(['SIGKILL', 'SIGINT'] as const)(
      'leaves no process, namespace or program after %s',
      async (signal) => {
        for (const moment of [300, 1500, 4000])
          await endsWithoutOrphans(['latency', '--seconds', '30'], signal, moment);
      },
    );

    it.each([
      [['--only', 'nothing,ntf'], /there is no hook 'ntf'[\s\S]*nft/],
      [['--rules', '10001'], /--rules/],
      [['--load', '99'], /--load/],
      [['--request-size', '7'], /--request-size/],
      [['--spacing', 'odd'], /--spacing/],
    ])('refuses %j at once', (words, message) => {
      const result = netkit(['bench', 'latency', ...words]);
      expect(result.stderr).toMatch(message);
      expect(result.status).toBe(2);
      expect(result.stdout).toBe('');
    });
  },
  needs,
);
