import { expect, it } from 'vitest';
import type { BenchDocument } from '../../src/bench/document.js';
import { hookAvailable } from '../../src/ebpf/feature/hooks.js';
import { netkit } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot, ownProcessId } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';

describeAsRoot(
  'netkit bench chain',
  () => {
    expectUnchangedAfterAll();

    it('measures each way with each number of functions, all of which saw every packet in order', () => {
      const words = ['--functions', '0', '--functions', '8', '--seconds', '6', '--seed', '11', '--json'];
      // Emulated machines take minutes for what is timed in seconds.
      const result = netkit(['bench', 'chain', ...words], { timeout: 170_000 });
      expect(`${result.status} ${result.stderr}`).toBe('0 ');
      const json = result.json();
      expectValid('bench chain', json);
      const { groups, notes, scenario } = json as BenchDocument;
      expect(scenario).toBe('chain');
      expect(groups.map(({ name, axis }) => [name, axis?.title])).toEqual([
        ['rate', 'Functions'],
        ['cost', 'Functions'],
        ['step', undefined],
      ]);
      const leftOut = notes.filter((note) => note.startsWith('Left out: ')).map((note) => note.split(',')[0]);
      const [hasFreplace, hasTcx] = (['freplace', 'tcx/ingress'] as const).map(
        (hook) => hookAvailable(hook).available !== false,
      );
      expect(leftOut).toEqual([
        ...(hasFreplace ? [] : ["Left out: libxdp's dispatcher"]),
        ...(hasTcx ? [] : ['Left out: tcx']),
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
        const broken = checks.filter(({ ok, name: what }) => !ok && what !== 'generator');
        expect(broken, name).toEqual([]);
      }
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
