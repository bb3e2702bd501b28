/** What the tests of `reconcile --watch` share: a watch that runs, and interfaces that come and go under it. */
import { performance } from 'node:perf_hooks';
import { expect } from 'vitest';
import { NetkitError } from '../../src/base/errors.js';
import { type HookOccupant, interfaceHooks } from '../../src/ebpf/interface-hooks.js';
import { Program } from '../../src/ebpf/program.js';
import { type Interface, listInterfaces } from '../../src/host/interfaces.js';
import { type Netns, openNetns } from '../../src/host/netns.js';
import { SysError } from '../../src/sys/errno.js';
import type { RunningCli } from '../support/cli.js';
import { run } from '../support/netns.js';
import { functionOf, ingress, type ManifestDocument, type ManifestGround } from './manifest-ground.js';

/** Those that were started. */
const started = new Set<Disposable>();

/** To be called after each test: one that takes too long ends none of its watches by itself. */
export function endLeftWatches(): void {
  for (const each of started) each[Symbol.dispose]();
  started.clear();
}

/** Has something end with the test, however that ends. */
export function endsWithTest<T extends Disposable>(running: T): T {
  started.add(running);
  return running;
}

/** A watch that follows everything. */
export async function watches(g: ManifestGround, ...more: string[]): Promise<RunningCli> {
  const running = endsWithTest(g.ground.start('reconcile', '--watch', ...more));
  try {
    await running.output(/following interfaces/);
  } catch (error) {
    running[Symbol.dispose]();
    throw error;
  }
  return running;
}

/** Has a watch end, which has to be prompt and without a word of something wrong. */
export async function ends(watch: RunningCli): Promise<void> {
  const result = await watch.stop('SIGTERM');
  // As a shell says it of what SIGTERM ends.
  expect(result.status, result.stderr).toBe(143);
  expect(result.stderr).not.toMatch(/ {4}at /);
}

/** A function with the program `one` on interfaces of a namespace, the defended host's when left out. */
export function onInterfaces(
  g: ManifestGround,
  interfaces: readonly string[],
  {
    name = 'f',
    netns = g.ground.netns.name,
    ...spec
  }: { name?: string; netns?: string; [more: string]: unknown } = {},
): ManifestDocument {
  const attach = [{ program: 'one', hook: ingress, interfaces, netns, missing: 'wait' }];
  return functionOf({ program: { object: g.object, only: ['one'] }, attach, ...spec }, name);
}

/** The interfaces of a namespace that have the program `one`, once for each time, as the kernel says. */
export function attachedIn(name: string): string[] {
  using netns = openNetns(name);
  return listInterfaces(netns)
    .flatMap((each) => programsOn(each, netns).map(() => each.ifname))
    .sort();
}

function programsOn(target: Interface, netns: Netns): HookOccupant[] {
  try {
    const { receive } = interfaceHooks(target, netns, { bpffs: '/sys/fs/bpf' });
    return receive.filter(({ hook, programId }) => hook === ingress && isOne(programId));
  } catch (error) {
    // It went meanwhile.
    if (error instanceof SysError) return [];
    throw error;
  }
}

function isOne(id: number | undefined): boolean {
  try {
    using program = Program.fromId(id ?? 0);
    return program.info().name === 'one';
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return false;
    throw error;
  }
}

/** Waits until these interfaces have the program, and no others. @returns after how many milliseconds it was seen */
export async function untilAttached(
  netns: string,
  interfaces: readonly string[],
  ms = 10_000,
): Promise<number> {
  const start = performance.now();
  const wanted = [...interfaces].sort().join();
  for (;;) {
    const now = attachedIn(netns).join();
    const passed = performance.now() - start;
    if (now === wanted) return passed;
    if (passed > ms) throw new Error(`in ${netns} the program is on '${now}', not on '${wanted}'`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Long enough for a watch to do what it should not do. */
export async function aWhile(ms = 400): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Adds a pair; its other end is called `p-…`. */
export function addPair(netns: string, ifname: string): void {
  run('ip', ['-n', netns, 'link', 'add', ifname, 'type', 'veth', 'peer', 'name', `p-${ifname}`]);
}

export function removePair(netns: string, ifname: string): void {
  run('ip', ['-n', netns, 'link', 'del', ifname]);
}
