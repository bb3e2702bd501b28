import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, it } from 'vitest';
import type { BenchDocument } from '../../src/bench/document.js';
import { otherProcesses } from '../../src/host/proc.js';
import { netkit } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot, type Requirements, twoCpus } from '../support/requirements.js';
import {
  brokenAccounts,
  brokenChecks,
  measured,
  outputWithReports,
  temporaryFolder,
} from './bench-ground.js';
import { endsWithoutOrphans, orphansOf } from './bench-orphans.js';

const needs: Requirements = {
  ...twoCpus,
  kernelHas: ['napi-threads'],
  tools: ['setpriv'],
  timing: true,
};

describeAsRoot(
  'netkit bench sockmap',
  () => {
    const folder = temporaryFolder();
    expectUnchangedAfterAll();

    function measuredSoundly(
      words: readonly string[],
      env?: Readonly<Record<string, string>>,
    ): BenchDocument {
      const document = measured('sockmap', words, env);
      expect(brokenChecks(document)).toEqual([]);
      expect(brokenAccounts(document, 'account', 'way')).toEqual([]);
      return document;
    }

    it('brings all bytes through every path, past a proxy that reads none of them where they are redirected', () => {
      const document = measuredSoundly(['--seconds', '6']);
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
      measuredSoundly([...words, '--only', 'copy,sk-skb,sk-msg', '--seconds', '2']);
    });

    it('has a second opinion where iperf3 is installed, and says so where it is not', () => {
      const said = '{"end":{"sum_received":{"bits_per_second":8e9}}}';
      const script = `#!/bin/sh\ncase "$*" in *--version*) echo 'iperf 3.12';; *--client*) echo '${said}';; *) while :; do sleep 0.1; done;; esac\n`;
      const path = join(folder.path, 'iperf3');
      writeFileSync(path, script);
      chmodSync(path, 0o755);
      const words = ['--only', 'direct', '--seconds', '1'];
      const processes = new Set(otherProcesses());
      const { limits, environment } = measuredSoundly(words, {
        PATH: [folder.path, process.env.PATH ?? ''].join(delimiter),
      });
      expect(limits[0]).toMatchObject({ name: 'iperf3', value: 1e9, unit: 'bytes/s' });
      expect(environment.tools).toContainEqual({ name: 'iperf3', version: '3.12' });
      expect(orphansOf(0, processes)).toEqual([]);
      writeFileSync(path, '#!/bin/sh\necho \'{"error":"unable to send"}\'\n');
      const broken = measuredSoundly(words, { PATH: [folder.path, process.env.PATH ?? ''].join(delimiter) });
      expect(broken.notes[0]).toBe('Left out: a second opinion by iperf3, since iperf3: unable to send.');
    });

    it('shows a table, and writes the reports asked for', () => {
      const output = outputWithReports('sockmap', ['--only', 'copy,sk-skb', '--seconds', '2'], folder.path);
      expect(output).toMatch(/proxy, sk_skb redirect/);
    });

    it.each(['SIGKILL', 'SIGINT'] as const)(
      'leaves no process, namespace or program after %s',
      async (signal) => {
        for (const moment of [400, 2000, 5000])
          await endsWithoutOrphans(['sockmap', '--seconds', '30'], signal, moment);
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
