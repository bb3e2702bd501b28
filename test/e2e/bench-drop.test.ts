import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { BenchDocument } from '../../src/bench/document.js';
import { rungNames } from '../../src/bench/scenarios/drop.js';
import { findTool } from '../../src/host/command.js';
import { netkit, netkitPath, startNetkit } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot, ownProcessId, type Requirements } from '../support/requirements.js';
import {
  brokenChecks,
  documentIn,
  leftOut,
  measured,
  outputWithReports,
  temporaryFolder,
} from './bench-ground.js';

const needs: Requirements = {
  // The kernel's threads are processes of the first namespace.
  ...ownProcessId,
  kernelHas: ['live-frames'],
  tools: ['iptables', 'ip6tables', 'nft', 'setpriv', 'unshare', 'taskset'],
};
const short = ['--seconds', '3'];

/** Names of the variants of the first group. */
const namesIn = ({ groups }: BenchDocument): string[] => (groups[0]?.variants ?? []).map(({ name }) => name);

describeAsRoot(
  'netkit bench drop',
  () => {
    const folder = temporaryFolder();
    expectUnchangedAfterAll();

    it('measures the rungs asked for, the reference twice, with every packet checked and accounted for', () => {
      const document = measured('drop', ['--only', 'tc,xdp-native', ...short]);
      expect(document).toMatchObject({ scenario: 'drop', seed: 11, ended: 'whole' });
      expect(document.command).toBe('netkit bench drop --only tc,xdp-native --seconds 3 --seed 11 --json');
      const [rate, cost] = document.groups;
      expect(rate?.name).toBe('rate');
      expect(rate?.variants.map(({ name, role }) => [name, role])).toEqual([
        ['tc', 'reference'],
        ['xdp-native', 'variant'],
        ['tc again', 'control'],
      ]);
      for (const { checks, samples } of rate?.variants ?? []) {
        const early = checks.filter(({ name }) => name !== 'generator');
        expect(early.map(({ name, ok }) => [name, ok])).toEqual([
          ['verdict', true],
          ['nothing behind', true],
          ['other packets', true],
        ]);
        expect(samples.length).toBeGreaterThan(0);
        for (const { values } of samples) expect(values['rate']).toBeGreaterThan(1000);
        // What others on this machine take is no fault of the accounts.
        expect(
          samples
            .flatMap((sample) => sample.checks)
            .filter(({ name }) => name !== 'receiver' && name !== 'sender'),
        ).toEqual([]);
      }
      expect(cost?.metrics.map(({ unit }) => unit)).toEqual(['ns']);
      // The cost of a packet, other than its rate, hardly depends on who else runs here.
      const costs = (name: string) =>
        document.results.find(({ group, variant }) => group === 'cost' && variant === name)?.median ?? 0;
      expect(costs('xdp-native')).toBeLessThan(costs('tc'));
      expect(document.limits[0]).toMatchObject({ name: 'sender', unit: 'packets/s' });
      expect(document.environment.commands.join('\n')).toContain('type veth peer');
      expect(document.environment.placement).toHaveLength(2);
      expect(document.environment.interfaces.map(({ driver }) => driver)).toEqual(['veth', 'veth']);
    });

    it('has a rung for every name, or says why there is none', () => {
      const document = measured('drop', ['--seconds', '6']);
      const rungs = namesIn(document).filter((name) => !name.endsWith(' again'));
      expect(rungs.length + leftOut(document).length).toBe(rungNames.length);
      expect(brokenChecks(document)).toEqual([]);
    });

    it.each([
      ['ipv6', '--family', 'ipv6'],
      ['large packets of many flows', '--packet-size', '1514', '--flows', '4096'],
    ])('drops %s too, as the checks see', (_, ...options) => {
      const only = ['--only', 'tc,socket,no-listener,socket-filter,xdp-native', '--seconds', '2'];
      expect(brokenChecks(measured('drop', [...only, ...options]))).toEqual([]);
    });

    it('leaves out a rung whose program is not installed, and says so', () => {
      // Hidden from this command alone.
      const hide =
        'for tool; do [ "$tool" = -- ] && break; mount --bind /dev/null "$(readlink -f "$tool")"; shift; done';
      const tools = ['iptables', 'nft'].map((tool) => findTool(tool) ?? '');
      const words = ['bench', 'drop', '--only', 'tc,iptables-raw,nft-ingress', ...short, '--json'];
      const run = [...tools, '--', process.execPath, netkitPath, ...words];
      const unshare = [
        '--mount',
        '--propagation',
        'private',
        'sh',
        '-c',
        `${hide}; shift; exec "$@"`,
        'sh',
        ...run,
      ];
      const result = spawnSync('unshare', unshare, { encoding: 'utf8', timeout: 60_000 });
      expect(`${result.status} ${result.stderr}`).toBe('0 ');
      const document = documentIn('drop', result.stdout);
      expect(namesIn(document)).toEqual(['tc', 'tc again']);
      expect(document.notes.slice(0, 2)).toEqual([
        "Left out: iptables raw, since the program 'iptables' is not installed.",
        "Left out: nft ingress, since the program 'nft' is not installed.",
      ]);
    });

    it('says that sender and receiver share a CPU where there is one alone', () => {
      const words = ['bench', 'drop', '--only', 'tc', '--seconds', '2', '--json'];
      const run = ['-c', '0', process.execPath, netkitPath, ...words];
      const result = spawnSync('taskset', run, { encoding: 'utf8', timeout: 60_000 });
      expect(`${result.status} ${result.stderr}`).toBe('0 ');
      const { notes, environment } = documentIn('drop', result.stdout);
      expect(notes.join('\n')).toMatch(/one CPU, which sender and receiver share/);
      expect(environment.placement.map(({ cpus }) => cpus)).toEqual([[0], [0]]);
    });

    it('needs rights that it names, and makes nothing without them', () => {
      const run = [
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        process.execPath,
        netkitPath,
        'bench',
        'drop',
      ];
      const result = spawnSync('setpriv', [...run, '--quick'], { encoding: 'utf8', timeout: 60_000 });
      expect(result.status).toBe(4);
      expect(result.stderr).toMatch(/network namespaces[\s\S]*run as root, or with CAP_SYS_ADMIN/);
    });

    it('shows a table, and writes the reports asked for', () => {
      const output = outputWithReports('drop', ['--only', 'tc,xdp-native', ...short], folder.path);
      expect(output).toMatch(/XDP native/);
      expect(output).toMatch(/packets\/s/);
    });

    it('keeps on Ctrl-C what was measured until then, and ends with 130', async () => {
      const path = join(folder.path, 'cut.json');
      const words = ['bench', 'drop', '--only', 'tc,tcx', '--seconds', '60', '--report', path];
      // An emulated machine has measured nothing after six seconds.
      for (const wait of [6000, 50_000]) {
        using running = startNetkit(words);
        await new Promise((resolve) => setTimeout(resolve, wait));
        const { status, stdout, stderr } = await running.stop('SIGINT');
        expect(status).toBe(130);
        if (/before anything was measured/.test(stderr) && wait === 6000) continue;
        expect(stdout).toMatch(/tcx/);
        break;
      }
      const document = documentIn('drop', readFileSync(path, 'utf8'));
      expect(document.ended).toBe('interrupted');
      expect(document.groups[0]?.variants[0]?.samples.length).toBeGreaterThan(0);
    });

    it.each([
      [['--only', 'tc,xpd-native'], 2, /there is no rung 'xpd-native'[\s\S]*xdp-native/],
      [['--quick', '--full'], 2, /--quick|--full/],
      [['--quick', '--seconds', '3'], 2, /--seconds/],
      [['--seconds', '0'], 2, /--seconds/],
      [['--packet-size', '63'], 2, /--packet-size/],
      [['--packet-size', '1515'], 2, /--packet-size/],
      [['--flows', '0'], 2, /--flows/],
      [['--family', 'ipx'], 2, /--family/],
      [['--seed', '-1'], 2, /--seed/],
      [['--report', 'drop.pdf'], 2, /drop\.pdf/],
      [['--report', '/nowhere/drop.html'], 3, /\/nowhere/],
      [['--report', '/proc/drop.html'], 3, /\/proc\/drop\.html/],
    ])('refuses %j at once, with status %i', (words, status, message) => {
      const started = performance.now();
      const result = netkit(['bench', 'drop', ...words]);
      expect(result.stderr).toMatch(message);
      expect(result.status).toBe(status);
      expect(result.stdout).toBe('');
      expect(performance.now() - started).toBeLessThan(5000);
    });
  },
  needs,
);
