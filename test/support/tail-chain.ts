/** Chains of XDP programs by tail calls, from the command line, also on kernels that could have a dispatcher. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { BpfMap } from '../../src/ebpf/map.js';
import { documentOf, type Ground, makeGround } from '../e2e/ground.js';
import { leavingNothing } from './kernel-state.js';

/** For commands that are to do without freplace. */
export const withoutFreplace = { NETKIT_TEST_WITHOUT_FREPLACE: '1' } as const;

/** Runs a test on fresh ground, and checks that the kernel and the interfaces are afterwards as before. */
export async function onTailGround(work: (ground: Ground) => void | Promise<void>): Promise<void> {
  using ground = makeGround(withoutFreplace);
  await leavingNothing(async () => {
    const before = ground.hooks();
    await work(ground);
    for (const { name } of ground.list()) ground.does('unload', name);
    expect(ground.hooks()).toEqual(before);
    expect(ground.bpffs.pins()).toEqual([]);
    expect(readdirSync(ground.bpffs.root.path).filter((name) => name === 'netkit')).toEqual([]);
    expect(readdirSync(ground.bpffs.stateDir)).toEqual(['lock']);
  });
}

/** Loads the function `c`, or one that writes into its maps. */
export function loadTail(ground: Ground, name: string, path: string): void {
  const reuse = ['marks', 'verdicts'].flatMap((map) => ['--reuse', `${map}=c/${map}`]);
  ground.does('load', path, '--name', name, ...(name === 'c' ? [] : reuse));
}

export const place = (ground: Ground): string[] => [ground.ifname, '--netns', ground.netns.name];

/** What `net` says of XDP on the defended interface: programs with their priorities, and what it says more. */
export function seen(ground: Ground) {
  const { interfaces } = documentOf(documents.net, ground.does('net', ...place(ground), '--json'));
  return (interfaces[0]?.receive ?? [])
    .filter(({ hook }) => hook.startsWith('xdp'))
    .map(({ hook, program, priority, detail, owner }) => ({
      hook,
      name: program?.name,
      priority,
      detail,
      owner: owner.function?.program ?? null,
    }));
}

/** The marks that one packet leaves, in the function `c`; and whether it was answered. */
export function ran(ground: Ground, name = 'c'): number[] {
  const marks = mapOf(ground, `${name}/maps/marks`);
  using owned = marks;
  owned.set(0, 0);
  ground.ping(1);
  return Array.from({ length: Number(owned.get(0)) }, (_, index) => Number(owned.get(index + 1)));
}

/** What a member returns from now on, as a number of XDP. */
export function returns(ground: Ground, member: number, verdict: number, name = 'c'): void {
  using verdicts = mapOf(ground, `${name}/maps/verdicts`);
  verdicts.set(member, (verdict - 2) >>> 0);
}

function mapOf(ground: Ground, pin: string): BpfMap {
  return BpfMap.fromPin(join(ground.bpffs.root.path, 'netkit', pin));
}
