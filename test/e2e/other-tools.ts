/** What others do on a ground: bpftool pins a program, tc puts it on the defended interface. */
import { join } from 'node:path';
import { run } from '../support/netns.js';
import type { Ground } from './ground.js';

/** A program that bpftool loads and pins, outside of netkit's folder. @returns the pin */
export function pinTheirs(ground: Ground, object: string, name = 'theirs'): string {
  const pin = join(ground.bpffs.root.path, name);
  run('bpftool', ['prog', 'load', object, pin]);
  return pin;
}

export function addClsact({ netns, ifname }: Ground): void {
  netns.run('tc', ['qdisc', 'add', 'dev', ifname, 'clsact']);
}

/** Removes it with all its filters. */
export function removeClsact({ netns, ifname }: Ground): void {
  netns.run('tc', ['qdisc', 'del', 'dev', ifname, 'clsact']);
}

/** Puts a pinned program into a filter. @param place its priority and handle, as tc takes them; tc chooses what is left out */
export function addFilter(
  { netns, ifname }: Ground,
  side: 'ingress' | 'egress',
  pin: string,
  ...place: readonly string[]
): void {
  netns.run('tc', ['filter', 'add', 'dev', ifname, side, ...place, 'bpf', 'da', 'pinned', pin]);
}
