import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BenchDocument } from '../../src/bench/document.js';
import { commandOf, otherProcesses, procText } from '../../src/host/proc.js';
import { netkit, startNetkit } from '../support/cli.js';
import { expectUnchanged, expectUnchangedAfterAll, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot, type Requirements, twoCpus } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';

const needs: Requirements = {
  ...twoCpus,
  kernelHas: ['napi-threads'],
  tools: ['iptables', 'ip6tables', 'nft', 'taskset'],
  timing: true,
};
const short = ['--seconds', '4', '--seed', '11'];
const shares = [10, 50, 70, 90];

/** Clients and servers that were not there before, and the threads that take the packets of a benchmark. */
function companions(pid: number, before: ReadonlySet<number>): string[] {
  return otherProcesses()
    .filter((each) => !before.has(each))
    .filter(
      (each) =>
        procText(`/proc/${each}/cmdline`).includes('bench-peer.js') ||
        commandOf(each).startsWith(`napi/nk${pid.toString(36)}r`),
    )
    .map((each) => `${each} ${commandOf(each)}`);
}

describeAsRoot(
  'netkit bench latency',
  () => {
    let folder: string;
    expectUnchangedAfterAll();
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'netkit-bench-'));
    });
    afterAll(() => {
      rmSync(folder, { recursive: true });
    });

    it('measures each hook at each load, with every request answered and counted by the hook', () => {
      const result = netkit(['bench', 'latency', ...short, '--json']);
      expect(result.stderr).toBe('');
      expect(result.status).toBe(0);
      const document = result.json() as BenchDocument;
      expectValid('bench latency', document);
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
      const result = netkit(['bench', 'latency', ...only, ...words, '--seconds', '2', '--json']);
      expect(`${result.status} ${result.stderr}`).toBe('0 ');
      const document = result.json() as BenchDocument;
      for (const { variants } of document.groups)
        for (const { checks } of variants)
          expect(checks.filter(({ name, ok }) => name !== 'generator' && !ok)).toEqual([]);
    });

    it('measures at the load that is asked for', () => {
      const words = ['--only', 'nothing,tcx', '--load', '1000', '--seconds', '2', '--json'];
      const { groups, notes } = netkit(['bench', 'latency', ...words]).json() as BenchDocument;
      expect(groups.at(-1)?.title).toMatch(/90 % of the load, 900 requests\/s/);
      expect(notes.join(' ')).toMatch(
        /100 % of the load are 1\.00 k requests\/s, which is what was asked for\./,
      );
    });

    it('compares with the first when nothing is not among those asked for', () => {
      const result = netkit(['bench', 'latency', '--only', 'tcx,tc', '--seconds', '2', '--json']);
      const { groups } = result.json() as BenchDocument;
      expect(groups[1]?.variants.map(({ name, role }) => [name, role])).toEqual([
        ['tcx-10', 'reference'],
        ['tc-10', 'variant'],
        ['tcx-10 again', 'control'],
      ]);
    });

    it('shows a table, and writes the reports asked for', () => {
      const reports = ['html', 'json', 'csv', 'md'].map((ending) => join(folder, `latency.${ending}`));
      const words = reports.flatMap((path) => ['--report', path]);
      const result = netkit(['bench', 'latency', '--only', 'nothing,tcx', '--seconds', '2', ...words]);
      expect(`${result.status} ${result.stderr}`).toBe('0 ');
      expect(result.stdout).toMatch(/nothing attached at 90 %/);
      expect(result.stdout).toMatch(/100 % of the load are/);
      for (const path of reports) expect(readFileSync(path, 'utf8').length, path).toBeGreaterThan(500);
    });

    it.each(['SIGKILL', 'SIGINT'] as const)(
      'leaves no process, namespace or program after %s',
      async (signal) => {
        for (const moment of [300, 1500, 4000]) {
          const before = snapshotKernelState();
          const processes = new Set(otherProcesses());
          using running = startNetkit(['bench', 'latency', '--seconds', '30']);
          const { pid = 0 } = running.process;
          await new Promise((resolve) => setTimeout(resolve, moment));
          running.process.kill(signal);
          await running.ended.catch(() => undefined);
          const deadline = performance.now() + 10_000;
          while (companions(pid, processes).length > 0 && performance.now() < deadline)
            await new Promise((resolve) => setTimeout(resolve, 50));
          expect(companions(pid, processes)).toEqual([]);
          await expectUnchanged(before, 10_000);
        }
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
