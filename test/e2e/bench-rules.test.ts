import { expect, it } from 'vitest';
import { findTool } from '../../src/host/command.js';
import { netkit } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot, ownProcessId } from '../support/requirements.js';
import { brokenChecks, leftOut, measured } from './bench-ground.js';

describeAsRoot(
  'netkit bench rules',
  () => {
    expectUnchangedAfterAll();

    it('measures each way with each number of rules, which drop what is listed and let others through', () => {
      const document = measured('rules', [
        '--rules',
        '10',
        '--rules',
        '300',
        '--sources',
        '64',
        '--seconds',
        '6',
      ]);
      const { groups, scenario } = document;
      expect(scenario).toBe('rules');
      expect(groups.map(({ name, axis }) => [name, axis?.scale])).toEqual([
        ['rate', 'logarithmic'],
        ['cost', 'logarithmic'],
        ['setup', 'logarithmic'],
      ]);
      const missing = leftOut(document);
      if (findTool('ipset') === undefined) expect(missing).toEqual(['ipset']);
      const ways = ['iptables rules', 'ipset', 'nft interval set', 'nft set', 'firewall function'].filter(
        (title) => !missing.includes(title),
      );
      expect(ways).toEqual(
        expect.arrayContaining(['iptables rules', 'nft interval set', 'nft set', 'firewall function']),
      );
      for (const { variants } of groups) {
        const points = variants.filter(({ role }) => role !== 'control');
        expect(points.map(({ series, x }) => [series, x])).toEqual(
          ways.flatMap((way) => [
            [way, 10],
            [way, 300],
          ]),
        );
        expect(variants.find(({ role }) => role === 'reference')?.name).toBe('nft-set-10');
      }
      for (const { name, series, checks, samples } of groups[0]?.variants ?? []) {
        expect(samples.length).toBeGreaterThan(0);
        expect(samples.every(({ values }) => (values['rate'] ?? 0) > 0)).toBe(true);
        expect(checks.slice(0, 3), name).toMatchObject([
          {
            name: 'verdict',
            ok: true,
            detail: expect.stringMatching(/^32 of 32 .* are listed ended here, 0/),
          },
          { name: 'nothing behind', ok: true },
          { name: 'other packets', ok: true, detail: '32 of 32 packets from other addresses came further' },
        ]);
        const byRule = checks.filter((check) => check.name === 'rule');
        expect(byRule, name).toHaveLength(series === 'firewall function' ? 0 : 2);
        for (const { detail } of byRule)
          expect(detail).toMatch(/^the rule dropped ([1-9]\d*) packets, of \1 that came in and no further$/);
      }
      expect(brokenChecks(document)).toEqual([]);
      for (const { samples } of groups[2]?.variants ?? []) {
        // Slower machines may take longer, and do so once.
        expect([1, 3]).toContain(samples.length);
        for (const { values } of samples) expect(values['setup']).toBeGreaterThan(0);
      }
    });

    it('does so with IPv6, too', () => {
      const words = ['--family', 'ipv6', '--rules', '40', '--only', 'iptables,nft-set,firewall'];
      const document = measured('rules', [...words, '--seconds', '2']);
      expect(leftOut(document)).toEqual([]);
      expect(brokenChecks(document)).toEqual([]);
      expect(document.groups[0]?.variants).toHaveLength(4);
    });

    it('leaves out lists that are too long, and shows texts by their ends', () => {
      const words = ['--only', 'iptables,nft-set', '--rules', '20', '--rules', '100001', '--seconds', '2'];
      const document = measured('rules', words);
      expect(leftOut(document)).toEqual(['iptables rules, 100,001']);
      expect(document.groups[0]?.variants.map(({ name }) => name)).toEqual([
        'iptables-20',
        'nft-set-20',
        'nft-set-100001',
        'nft-set-20 again',
      ]);
      const restored = document.environment.commands.find(
        (command) => command.includes('nft -f -') && command.includes('size 100001'),
      );
      expect(restored).toMatch(/… \d+ lines like these …/);
    });

    it.each([
      [['--only', 'nft-sets'], /there is no way 'nft-sets'[\s\S]*nft-set/],
      [['--rules', '1000001'], /--rules/],
    ])('refuses %j', (words, message) => {
      expect(netkit(['bench', 'rules', ...words])).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(message),
      });
    });
  },
  { ...ownProcessId, kernelHas: ['live-frames'], tools: ['iptables', 'nft'] },
);
