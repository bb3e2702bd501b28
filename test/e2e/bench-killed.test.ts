import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listNetns } from '../../src/host/netns.js';
import { commandOf, otherProcesses, procText } from '../../src/host/proc.js';
import { startNetkit } from '../support/cli.js';
import { expectUnchanged, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot, twoCpus } from '../support/requirements.js';
import { isThorough, sampled } from '../support/sampling.js';

/** Moments at which it is killed: from before anything is made to the middle of measuring. */
const moments = 100;
/** Milliseconds. */
const lastMoment = 6000;
const commands: readonly (readonly string[])[] = [
  ['drop', '--only', 'socket,iptables-conntrack,nft-ingress,tc,xdp-native'],
  ['chain', '--functions', '0', '--functions', '3'],
  ['rules', '--rules', '10', '--rules', '20000'],
  ['upgrade'],
  ['probes', '--only', 'raw-tracepoint,tracepoint,uprobe,packet-raw-tracepoint'],
  ['cli'],
  ['sockmap', '--only', 'copy,sk-skb'],
];

/** Clients, servers and proxies, which the kernel ends with the process that started them. */
function orphanPeers(before: ReadonlySet<number>): string[] {
  return otherProcesses()
    .filter((pid) => !before.has(pid) && procText(`/proc/${pid}/cmdline`).includes('bench-peer.js'))
    .map((pid) => `${pid} ${commandOf(pid)}`);
}

/** Threads of the kernel and readers that a benchmark of this process had: they end with its namespaces. */
function companionsOf(pid: number): string[] {
  const threads = `napi/nk${pid.toString(36)}r`;
  return otherProcesses()
    .map((each) => `${each} ${commandOf(each)}`)
    .filter((line) => line.includes(threads));
}

/** Programs that read from a socket of a benchmark, whichever it was. */
function orphanReaders(before: ReadonlySet<number>): string[] {
  return otherProcesses()
    .filter((pid) => !before.has(pid) && commandOf(pid) === 'cat')
    .filter(
      (pid) =>
        procText(`/proc/${pid}/cmdline`)
          .split('\0')
          .filter((word) => word !== '').length === 1,
    )
    .map((pid) => `${pid} cat`);
}

async function expectSoon(what: () => readonly string[], patienceMs = 10_000): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (what().length > 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(what()).toEqual([]);
}

describeAsRoot(
  'a benchmark that is killed',
  () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'netkit-bench-'));
    });
    afterAll(() => {
      rmSync(folder, { recursive: true });
    });

    async function killAfter(
      milliseconds: number,
      signal: NodeJS.Signals,
      words: readonly string[],
    ): Promise<void> {
      const before = snapshotKernelState();
      const processes = new Set(otherProcesses());
      const names = listNetns().map(({ name }) => name);
      const temporary = readdirSync(tmpdir()).filter((name) => /^(netkit|nk)-?bench/.test(name));
      const report = join(folder, 'killed.html');
      using running = startNetkit(['bench', ...words, '--seconds', '30', '--report', report]);
      const { pid = 0 } = running.process;
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      running.process.kill(signal);
      await running.ended.catch(() => undefined);
      await expectSoon(() => companionsOf(pid));
      await expectSoon(() => orphanReaders(processes));
      await expectSoon(() => orphanPeers(processes));
      await expectUnchanged(before, 10_000);
      expect(listNetns().map(({ name }) => name)).toEqual(names);
      expect(readdirSync(tmpdir()).filter((name) => /^(netkit|nk)-?bench/.test(name))).toEqual(temporary);
      // Killed, it leaves no half a report either.
      if (signal === 'SIGKILL') expect(readdirSync(folder)).toEqual([]);
    }

    it(
      'at any moment leaves no namespace, program, rule, thread, reader or file',
      async () => {
        for (const [index, moment] of sampled(moments, isThorough ? undefined : 12).entries())
          await killAfter(
            (moment * lastMoment) / moments + Math.random() * (lastMoment / moments),
            'SIGKILL',
            commands[index % commands.length] ?? [],
          );
      },
      isThorough ? 3_600_000 : 240_000,
    );

    it.each(commands.map((words) => ({ words })))(
      'by SIGTERM lets everything go, too: $words',
      async ({ words }) => {
        await killAfter(lastMoment / 2, 'SIGTERM', words);
        rmSync(join(folder, 'killed.html'), { force: true });
      },
      60_000,
    );
  },
  { kernelHas: ['live-frames'], tools: ['iptables', 'nft'], ...twoCpus },
);
