/** Numbered packets from one end of a veth pair, about a million a second, beside other work. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { packageRoot } from '../../src/host/package-root.js';
import { emulated } from './known-kernels.js';
import type { VethEnd } from './netns.js';
import { isThorough } from './sampling.js';

/** Packets a second; more would leave an emulated machine no time for anything else. */
const rate = emulated ? 1_000 : 1_000_000;

/** A machine that has other work beside sends fewer: the whole load is asked for where all is looked at, else what tells it from none. */
export const leastPerSecond = emulated ? 0 : isThorough ? 500_000 : 100_000;

const report = z.object({
  generated: z.int(),
  sent: z.int(),
  queueDrops: z.int(),
  redirectErrors: z.int(),
  seconds: z.number(),
});
/** What became of them: generated = sent + queueDrops + redirectErrors. */
export type SentPackets = z.infer<typeof report>;

/** Sends while `work` goes on. @param numbering the compiled test/fixtures/numbering.bpf.c */
export async function underTraffic(
  { netns, ifindex }: VethEnd,
  numbering: string,
  work: () => Promise<void>,
): Promise<SentPackets> {
  const args = ['scripts/run.mjs', 'test/support/numbered-traffic.ts', numbering, `${ifindex}`, `${rate}`];
  // On one CPU, or packets would wait on the CPU that it has left, and the queue be full.
  const child = netns.inside(() =>
    spawn('taskset', ['-c', `${firstCpu()}`, process.execPath, ...args], {
      cwd: packageRoot(),
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  try {
    while (!said.includes('sending')) {
      if (child.exitCode !== null) throw new Error('nothing was sent');
      await sleep(5);
    }
    await work();
  } finally {
    child.stdin.end();
    await ended;
  }
  return report.parse(JSON.parse(said.trim().split('\n').at(-1) ?? ''));
}

/** The first CPU that this process may run on. */
function firstCpu(): number {
  return Number(/^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);
}
