import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listNetns } from '../../src/host/netns.js';
import { describeAsRoot, twoCpus } from '../support/requirements.js';
import { isThorough, sampled } from '../support/sampling.js';
import { temporaryFolder } from './bench-ground.js';
import { endsWithoutOrphans } from './bench-orphans.js';

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

describeAsRoot(
  'a benchmark that is killed',
  () => {
    const folder = temporaryFolder();

    async function killAfter(
      milliseconds: number,
      signal: NodeJS.Signals,
      words: readonly string[],
    ): Promise<void> {
      const names = listNetns().map(({ name }) => name);
      const temporary = readdirSync(tmpdir()).filter((name) => /^(netkit|nk)-?bench/.test(name));
      const report = join(folder.path, 'killed.html');
      await endsWithoutOrphans([...words, '--seconds', '30', '--report', report], signal, milliseconds);
      expect(listNetns().map(({ name }) => name)).toEqual(names);
      expect(readdirSync(tmpdir()).filter((name) => /^(netkit|nk)-?bench/.test(name))).toEqual(temporary);
      // Killed, it leaves no half a report either.
      if (signal === 'SIGKILL') expect(readdirSync(folder.path)).toEqual([]);
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
        rmSync(join(folder.path, 'killed.html'), { force: true });
      },
      60_000,
    );
  },
  { kernelHas: ['live-frames'], tools: ['iptables', 'nft'], ...twoCpus },
);
