/** Plans of several parts, or that concern several functions or boots: what files share that kill the commands with them. */
import { unlinkSync } from 'node:fs';
import { Link } from '../../src/ebpf/link.js';
import { queryOrder } from '../../src/ebpf/order.js';
import { Program } from '../../src/ebpf/program.js';
import type { TestCgroup } from '../support/cgroup.js';
import { kernelLacks } from '../support/known-kernels.js';
import type { Ground } from './ground.js';
import { listedBothWays, type Picture, remains, withoutIds } from './kill-ground.js';
import { removeClsact } from './other-tools.js';
import { reboot } from './reboot.js';

/** What commands are about. Those with `LOAD` need the object of hooks, those with `CGROUP` the cgroup. */
export interface Stage {
  readonly ground: Ground;
  readonly cgroup?: TestCgroup;
  readonly object?: string;
}

/**
 * The words of a command. In it `@` stands for the interface and its namespace, `CGROUP` and `NETNS` for those of the test,
 * and `LOAD` for loading the object of hooks as the function f.
 */
export function wordsOf({ ground, cgroup, object }: Stage, command: string): string[] {
  return ground.wordsOf(command, {
    NETNS: [ground.netns.name],
    ...(cgroup === undefined ? {} : { CGROUP: [cgroup.path] }),
    ...(object === undefined
      ? {}
      : { LOAD: ['load', object, '--name', 'f', '--set', `only_process=${process.pid}`] }),
  });
}

/**
 * Runs commands, which have to succeed. `REBOOT` is what a reboot does, `KILL` somebody else who removes a link, `TAKE` one
 * who puts another program into it.
 */
export async function prepare(stage: Stage, commands: readonly string[]): Promise<void> {
  const { ground } = stage;
  for (const command of commands) {
    const [word, what = ''] = command.split(' ');
    if (word === 'REBOOT') {
      reboot(ground);
      clearFilters(ground);
    } else if (word === 'KILL' || word === 'TAKE') interfere(ground, word, what);
    else await ground.manages(...wordsOf(stage, command));
  }
}

/** Somebody else detaches and unpins a link of f, or puts a program of his own into it. */
function interfere({ bpffs, ifname }: Ground, how: 'KILL' | 'TAKE', what: string): void {
  const folder = `${bpffs.root.path}/netkit/f`;
  const pin = `${folder}/${what}${ifname}`;
  using link = Link.fromPin(pin);
  if (how === 'KILL') {
    link.detach();
    unlinkSync(pin);
    return;
  }
  using theirs = Program.fromPin(`${folder}/progs/on_ingress`);
  using present = Program.fromPin(`${folder}/progs/on_egress`);
  link.update(theirs, present);
}

/** Without clsact and its filters, as an interface is after a reboot. */
export function clearFilters(ground: Ground): void {
  const qdiscs = ground.netns.run('tc', ['qdisc', 'show', 'dev', ground.ifname]);
  if (qdiscs.includes('clsact')) removeClsact(ground);
}

/** All that netkit's commands change, on one interface. */
export function picture({ ground }: Stage): Picture {
  const listed = listedBothWays(ground);
  const hooks = ground.hooks().map(withoutIds);
  const comparable = { functions: listed.comparable, ...remains(ground), hooks, order: orderOn(ground) };
  // A program that could only overlap, or be put back over a gap, has another link.
  const exact = JSON.stringify(JSON.parse(String(listed.exact)), (key, value: unknown) =>
    key === 'links' ? [] : value,
  );
  return { exact, comparable };
}

/** Which of the programs, by their place among those that the functions have. */
function orderOn({ bpffs, ifname, netns }: Ground): unknown {
  if (kernelLacks('tcx') !== undefined) return undefined;
  const pins = bpffs.pins().filter((pin) => pin.includes('/progs/'));
  const names = new Map(
    pins.map((pin) => {
      using program = Program.fromPin(`${bpffs.root.path}/${pin}`);
      return [program.info().id, pin];
    }),
  );
  return (['ingress', 'egress'] as const).map((direction) =>
    queryOrder({ hook: 'tcx', ifname, direction, netns: netns.handle }).entries.map(({ programId }) =>
      names.get(programId),
    ),
  );
}
