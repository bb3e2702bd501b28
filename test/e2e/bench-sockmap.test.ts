import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
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
  tools: ['setpriv'],
  timing: true,
};

/** Processes that were not there before, and the threads that take the packets of a benchmark. */
function companions(pid: number, before: ReadonlySet<number>): string[] {
  return otherProcesses()
    .filter((each) => !before.has(each))
    .filter(
      (each) =>
        /bench-peer\.js|iperf3/.test(procText(`/proc/${each}/cmdline`)) ||
        commandOf(each).startsWith(`napi/nk${pid.toString(36)}r`),
    )
    .map((each) => `${each} ${commandOf(each)}`);
}

describeAsRoot(
  'netkit bench sockmap',
  () => {
    let folder: string;
    expectUnchangedAfterAll();
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'netkit-bench-'));
    });
    afterAll(() => {
      rmSync(folder, { recursive: true });
    });

    function measured(words: readonly string[], env: Readonly<Record<string, string>> = {}): BenchDocument {
      const result = netkit(['bench', 'sockmap', ...words, '--json'], { env });
      expect(`${result.status} ${result.stderr}`).toBe('0 ');
      const document = result.json() as BenchDocument;
      expectValid('bench sockmap', document);
      for (const { variants } of document.groups) {
        for (const { name, checks, samples } of variants) {
          for (const check of checks)
            if (check.name !== 'generator') expect(check, name).toMatchObject({ ok: true });
          // What others on this machine take is no fault of the accounts.
          const accounts = samples.flatMap((sample) => sample.checks);
          expect(
            accounts.filter((check) => ['account', 'way'].includes(check.name)),
            name,
          ).toEqual([]);
        }
      }
      return document;
    }

    it('brings all bytes through every path, past a proxy that reads none of them where they are redirected', () => {
      const document = measured(['--seconds', '6', '--seed', '11']);
      expect(document).toMatchObject({ scenario: 'sockmap', seed: 11, ended: 'whole' });
      expect(document.groups.map(({ name }) => name)).toEqual(['requests', 'stream', 'cost', 'chunks']);
      for (const { variants } of document.groups) {
        expect(variants.map(({ name, role }) => [name, role])).toEqual([
          ['copy', 'reference'],
          ['sk-skb', 'variant'],
          ['sk-msg', 'variant'],
          ['direct', 'variant'],
          ['copy again', 'control'],
        ]);
      }
      const ways = document.groups[0]?.variants.map(
        ({ checks }) => checks.find(({ name }) => name === 'way')?.detail,
      );
      expect(ways).toEqual([
        'the proxy read 4.00 MiB, programs redirected 0 bytes',
        'the proxy read 0 bytes, programs redirected 4.00 MiB',
        'the proxy read 0 bytes, programs redirected 4.00 MiB',
        'the proxy read 0 bytes, programs redirected 0 bytes',
        'the proxy read 4.00 MiB, programs redirected 0 bytes',
      ]);
      const proxyTime = (name: string) =>
        document.results.find(
          ({ group, variant, metric }) => group === 'cost' && variant === name && metric === 'proxy',
        )?.median ?? Number.NaN;
      expect(proxyTime('sk-skb')).toBeLessThan(proxyTime('copy') / 10);
      expect(proxyTime('sk-msg')).toBeLessThan(proxyTime('copy') / 10);
    });

    it.each([
      ['--family', 'ipv6'],
      ['--request-size', '16384'],
      ['--chunk-size', '1048576'],
    ])('does so with %s %s', (...words) => {
      measured([...words, '--only', 'copy,sk-skb,sk-msg', '--seconds', '2']);
    });

    it('has a second opinion where iperf3 is installed, and says so where it is not', () => {
      const said = '{"end":{"sum_received":{"bits_per_second":8e9}}}';
      const script = `#!/bin/sh\ncase "$*" in *--version*) echo 'iperf 3.12';; *--client*) echo '${said}';; *) exec sleep 30;; esac\n`;
      const path = join(folder, 'iperf3');
      writeFileSync(path, script);
      chmodSync(path, 0o755);
      const words = ['--only', 'direct', '--seconds', '1'];
      const processes = new Set(otherProcesses());
      const { limits, environment } = measured(words, {
        PATH: [folder, process.env.PATH ?? ''].join(delimiter),
      });
      expect(limits[0]).toMatchObject({ name: 'iperf3', value: 1e9, unit: 'bytes/s' });
      expect(environment.tools).toContainEqual({ name: 'iperf3', version: '3.12' });
      expect(companions(0, processes)).toEqual([]);
      writeFileSync(path, '#!/bin/sh\necho \'{"error":"unable to send"}\'\n');
      const broken = measured(words, { PATH: [folder, process.env.PATH ?? ''].join(delimiter) });
      expect(broken.notes[0]).toBe('Left out: a second opinion by iperf3, since iperf3: unable to send.');
    });

    it('shows a table, and writes the reports asked for', () => {
      const reports = ['html', 'json', 'csv', 'md'].map((ending) => join(folder, `sockmap.${ending}`));
      const words = reports.flatMap((path) => ['--report', path]);
      const result = netkit(['bench', 'sockmap', '--only', 'copy,sk-skb', '--seconds', '2', ...words]);
      expect(`${result.status} ${result.stderr}`).toBe('0 ');
      expect(result.stdout).toMatch(/proxy, sk_skb redirect/);
      for (const path of reports) expect(readFileSync(path, 'utf8').length, path).toBeGreaterThan(500);
    });

    it.each(['SIGKILL', 'SIGINT'] as const)(
      'leaves no process, namespace or program after %s',
      async (signal) => {
        for (const moment of [400, 2000, 5000]) {
          const before = snapshotKernelState();
          const processes = new Set(otherProcesses());
          using running = startNetkit(['bench', 'sockmap', '--seconds', '30']);
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
      [['--only', 'copy,sk-mgs'], /there is no path 'sk-mgs'[\s\S]*sk-msg/],
      [['--request-size', '0'], /--request-size/],
      [['--chunk-size', '1023'], /--chunk-size/],
      [['--family', 'ipx'], /--family/],
    ])('refuses %j at once', (words, message) => {
      const result = netkit(['bench', 'sockmap', ...words]);
      expect(result.stderr).toMatch(message);
      expect(result.status).toBe(2);
      expect(result.stdout).toBe('');
    });
  },
  needs,
);
