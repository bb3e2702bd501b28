/** What tests of changes with `--confirm` share: the processes that take changes back, and time that passes at once. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import type { DocumentOf } from '../../src/cli/schema/index.js';
import { emulated, kernelLacks } from '../support/known-kernels.js';
import { documentOf, fixture, type Ground } from './ground.js';

export const ingress = kernelLacks('tcx') === undefined ? 'tcx/ingress' : 'tc/ingress';
/** The words that load the function `f`, which drops every packet or passes it. */
export const dropping = ['load', fixture('tc'), '--name', 'f', '--set', 'drop_all=true'];
export const passing = ['load', fixture('tc'), '--name', 'f', '--set', 'drop_all=false'];

/** The words that attach a function until it is confirmed, or until that time is over. */
export function attaching(ground: Ground, time: string, name = 'f', hook: string = ingress): string[] {
  return ['attach', name, ...ground.place, '--hook', hook, '--confirm', time];
}

/** Unloads the function `f`, after which nobody watches and nothing is left. */
export async function finish(ground: Ground): Promise<void> {
  ground.does('unload', 'f');
  await noWatchers(ground);
  ground.expectOnlyLock();
}

/** A process that takes a change back, or the shell that starts it again. */
export interface WatcherProcess {
  readonly pid: number;
  readonly isShell: boolean;
  /** The id of its session. */
  readonly session: number;
}

/** Those that watch over changes of this ground. */
export function watchers({ bpffs }: Ground): WatcherProcess[] {
  const mark = `NETKIT_STATE_DIR=${bpffs.stateDir}\0`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const found = processAt(pid);
      const isOne =
        found?.environment.includes(mark) === true && /takes back|await-confirm/.test(found.words);
      return isOne
        ? [{ pid: Number(pid), isShell: found.words.startsWith('/bin/sh'), session: found.session }]
        : [];
    });
}

function processAt(pid: string) {
  try {
    const [environment, words, status] = ['environ', 'cmdline', 'stat'].map((file) =>
      readFileSync(join('/proc', pid, file), 'utf8'),
    );
    // What follows the name in parentheses: state, parent, group, session.
    const session = Number(status?.slice(status.lastIndexOf(')') + 2).split(' ')[3]);
    return { environment: environment ?? '', words: words ?? '', session };
  } catch {
    // It has ended.
    return undefined;
  }
}

/** Ends them, as somebody who kills whatever he finds would. */
export function killWatchers(ground: Ground): void {
  for (let left = watchers(ground); left.length > 0; left = watchers(ground))
    // The shell first, which would start another one.
    for (const { pid } of left.sort((a, b) => Number(b.isShell) - Number(a.isShell))) kill(pid);
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Time for some commands before the return, on a busy machine too. */
export const soonSeconds = emulated ? 30 : 6;
export const soon = `${soonSeconds}s`;

export async function until(what: string, isSo: () => boolean, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!isSo()) {
    expect(performance.now(), what).toBeLessThan(deadline);
    await sleep(50);
  }
}

/** Waits until nobody watches any more. */
export async function noWatchers(ground: Ground): Promise<void> {
  await until('nobody watches any more', () => watchers(ground).length === 0);
}

/** Has the time of what waits be over. */
export function passTime({ bpffs }: Ground, functionName = 'f'): void {
  const path = join(bpffs.stateDir, `${functionName}.pending`);
  const change = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...change, deadline: { ...change.deadline, bootMs: 0 } }));
}

/** What waits, as `list` has it. */
export function pendingOf(ground: Ground): DocumentOf<'list'>['pending'] {
  return documentOf(documents.list, ground.does('list', '--json')).pending;
}
