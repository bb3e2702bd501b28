/** What a benchmark could leave running: its peers, the threads and readers of its namespaces. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { commandOf, otherProcesses, procText } from '../../src/host/proc.js';
import { startNetkit } from '../support/cli.js';
import { expectUnchanged, snapshotKernelState } from '../support/kernel-state.js';

/** Of those processes that were not there before: what a benchmark of this process had beside itself. */
export function orphansOf(pid: number, before: ReadonlySet<number>): string[] {
  return otherProcesses()
    .filter((each) => !before.has(each) && isCompanion(each, pid))
    .map((each) => `${each} ${commandOf(each)}`);
}

function isCompanion(pid: number, of: number): boolean {
  const command = commandOf(pid);
  const words = procText(`/proc/${pid}/cmdline`)
    .split('\0')
    .filter((word) => word !== '');
  // Clients, servers and proxies, which the kernel ends with the process that started them.
  if (/bench-peer\.js|iperf3/.test(words.join(' '))) return true;
  // Threads of the kernel that take packets end with the namespaces.
  if (command.includes(`napi/nk${of.toString(36)}r`)) return true;
  // Programs that read from a socket of a benchmark, whichever it was.
  return command === 'cat' && words.length === 1;
}

/**
 * Ends a benchmark by a signal, and looks that its processes and everything that it made in the kernel goes with it.
 * @param moment milliseconds after its start
 */
export async function endsWithoutOrphans(
  words: readonly string[],
  signal: NodeJS.Signals,
  moment: number,
): Promise<void> {
  const before = snapshotKernelState();
  const processes = new Set(otherProcesses());
  using running = startNetkit(['bench', ...words]);
  const { pid = 0 } = running.process;
  await sleep(moment);
  // It is at work: what has ended by itself leaves nothing either.
  expect(running.process.exitCode).toBeNull();
  running.process.kill(signal);
  await running.ended.catch(() => undefined);
  const deadline = performance.now() + 10_000;
  while (orphansOf(pid, processes).length > 0 && performance.now() < deadline) await sleep(50);
  expect(orphansOf(pid, processes)).toEqual([]);
  await expectUnchanged(before, 10_000);
}
