/** What the tests of hooks share: the programs of `operate.bpf.c`, their count, and the events that they wait for. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { documents } from '../../src/cli/schema/documents.js';
import type { LinkInfo } from '../../src/cli/schema/index.js';
import { type HookName, hookAvailable } from '../../src/ebpf/feature.js';
import { declare, invoke } from '../../src/sys/call.js';
import { leavingNothing } from '../support/kernel-state.js';
import { documentOf, type Ground, makeGround } from './ground.js';
import type { Objects } from './objects.js';

declare('libc', ['int getpgid(int pid)']);

export function compileOperate(objects: Objects): Promise<string> {
  return objects.compile('test/fixtures/operate.bpf.c');
}

/**
 * Makes ground for `work`, unloads what it has not, and looks that nothing is left of it on the interfaces, in the kernel, in
 * the pins and in the state.
 */
export async function onGround(
  work: (ground: Ground) => void | Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  using ground = makeGround(env);
  await leavingNothing(async () => {
    const bare = ground.hooks();
    await work(ground);
    for (const { name } of ground.list()) ground.does('unload', name);
    expect(ground.hooks()).toEqual(bare);
    ground.expectOnlyLock();
  });
}

/** Loads some programs of the object as the function `o`, or another one. */
export function loadOperate(
  ground: Ground,
  object: string,
  programs: readonly string[],
  settings: Readonly<Record<string, number>> = {},
  more: readonly string[] = [],
): void {
  const only = programs.flatMap((program) => ['--only', program]);
  const set = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  ground.does('load', object, '--name', 'o', ...only, ...set, ...more);
}

const counted = z.looseObject({ hits: z.int() });
const withCookie = counted.extend({ cookie: z.int() });

/** The globals of a function's programs. */
export function globalsOf(ground: Ground, name = 'o'): { readonly hits: number; readonly cookie: number } {
  return withCookie.parse(ground.entry(`${name}/.bss`, '0'));
}

export function hitsOf(ground: Ground, name = 'o'): number {
  return counted.parse(ground.entry(`${name}/.bss`, '0')).hits;
}

/** A system call that nothing else of this process makes. Of process 0 the security modules would not be asked. */
export function callGetpgid(times = 1): void {
  for (let done = 0; done < times; done++) invoke('getpgid', [process.pid]);
}

export function linksOf(ground: Ground): readonly LinkInfo[] {
  return documentOf(documents['link list'], ground.does('link', 'list', '--json')).links;
}

/** Why this kernel, or this machine, is known not to have a hook; undefined where it has to work. */
export function hookLack(hook: HookName): string | undefined {
  const { available, reason } = hookAvailable(hook);
  return available === false ? reason : undefined;
}

/** The state file of a function, as text. */
export function stateFile(ground: Ground, name = 'o'): string {
  return join(ground.bpffs.stateDir, `${name}.json`);
}

/** Waits for what the kernel does a little later. */
export async function eventually(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within 5 seconds`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
