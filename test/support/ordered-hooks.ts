/** Hooks that run several programs, each with a packet to send through it, for tests of their order. */
import { closeSync, mkdirSync, openSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { attachTypes } from '../../src/base/kernel-words.js';
import { Scope } from '../../src/base/scope.js';
import { Link } from '../../src/ebpf/link.js';
import { type OrderedHook, type OrderPlace, type PlacedLink, placed } from '../../src/ebpf/order.js';
import type { Program } from '../../src/ebpf/program.js';
import { cgroupRoot } from '../../src/host/cgroup.js';
import { Block } from '../../src/sys/block.js';
import { bpf } from '../../src/sys/bpf.js';
import { attr } from '../../src/sys/uapi.js';
import { makeNetns, makeVethPair, pingCount, run, type TestNetns, uniqueName } from './netns.js';
import { newerTool } from './newer-tools.js';

export interface TestHook extends Disposable {
  /** The program of order.bpf.c that goes there. */
  readonly programName: 'on_any' | 'on_cgroup';
  readonly place: OrderPlace;
  readonly most: number;
  attach(program: Program, position?: PlacedLink['position']): Link;
  /** Puts a program there without netkit and without a link, behind all others. */
  attachForeign(program: Program): void;
  /** What bpftool says is there: ids of programs in their order; undefined for a hook that it does not list. */
  bpftoolOrder(): readonly number[] | undefined;
  /** Sends one packet through the hook. */
  sendOne(): void;
}

const netShow = z.array(
  z.looseObject({ tc: z.array(z.looseObject({ kind: z.string(), prog_id: z.int() })) }),
);
const cgroupShow = z.array(z.looseObject({ id: z.int() }));

interface TestHookParts {
  readonly hook: OrderedHook;
  readonly scope: Scope;
  readonly netns?: TestNetns;
}

function inside<T>({ netns }: TestHookParts, work: () => T): T {
  return netns === undefined ? work() : netns.inside(work);
}

function attaching(parts: TestHookParts): Pick<TestHook, 'attach' | typeof Symbol.dispose> {
  return {
    attach: (program, position) =>
      inside(parts, () => new Link(placed({ program, hook: parts.hook, position }))),
    [Symbol.dispose]: () => parts.scope[Symbol.dispose](),
  };
}

/** tcx ingress of one end of a veth pair. Foreign programs come from bpftool. */
export function tcxHook(): TestHook {
  using scope = new Scope();
  const { a, b } = scope.use(makeVethPair());
  const { ifname, netns } = b;
  const about = `tcx ingress of ${ifname}`;
  const parts: TestHookParts = {
    hook: { kind: 'tcx', target: b.ifindex, attachType: 'tcx_ingress', about },
    scope: scope.move(),
    netns,
  };
  return {
    programName: 'on_any',
    place: { hook: 'tcx', ifname, direction: 'ingress', netns: netns.handle },
    most: 63,
    ...attaching(parts),
    attachForeign(program) {
      newerTool(
        'bpftool',
        ['net', 'attach', 'tcx_ingress', 'id', String(program.info().id), 'dev', ifname],
        netns,
      );
    },
    bpftoolOrder: () =>
      netShow
        .parse(JSON.parse(newerTool('bpftool', ['-j', 'net', 'show', 'dev', ifname], netns)))
        .flatMap(({ tc }) => tc)
        .filter(({ kind }) => kind === 'tcx/ingress')
        .map(({ prog_id }) => prog_id),
    sendOne: () => void pingCount(a.netns, b.address, 1),
  };
}

/** The primary end of a pair of devices of the type netkit. No tool here attaches to one: foreign programs by hand. */
export function netkitDeviceHook(): TestHook {
  using scope = new Scope();
  const netns = scope.use(makeNetns());
  const other = scope.use(makeNetns());
  // Two steps, because iproute2 6.1 does not know the type and takes no word on the peer.
  const ifname = uniqueName();
  netns.run('ip', ['link', 'add', ifname, 'type', 'netkit']);
  const names = netns.run('ip', ['-br', 'link', 'show', 'type', 'netkit']).match(/^[^@\s]+/gm) ?? [];
  const peer = names.find((name) => name !== ifname) ?? '';
  netns.run('ip', ['link', 'set', peer, 'netns', other.name]);
  for (const [where, name, address] of [
    [netns, ifname, '10.78.0.1'],
    [other, peer, '10.78.0.2'],
  ] as const) {
    where.run('ip', ['addr', 'add', `${address}/24`, 'dev', name]);
    where.run('ip', ['link', 'set', name, 'up']);
  }
  const hook: OrderedHook = {
    kind: 'netkit',
    target: netns.ifindex(ifname),
    attachType: 'netkit_primary',
    about: `netkit-dev primary of ${ifname}`,
  };
  const parts: TestHookParts = { hook, scope: scope.move(), netns };
  return {
    programName: 'on_any',
    place: { hook: 'netkit-dev', ifname, end: 'primary', netns: netns.handle },
    most: 63,
    ...attaching(parts),
    attachForeign: (program) => netns.inside(() => attachWithoutLink(program, hook)),
    bpftoolOrder: () => undefined,
    sendOne: () => void pingCount(netns, '10.78.0.2', 1),
  };
}

function attachWithoutLink(program: Program, { target, attachType }: OrderedHook): void {
  const attach_type = attachTypes.indexOf(attachType);
  const block = new Block(attr.progAttach, {
    target_fd: target,
    attach_bpf_fd: program.fd.value,
    attach_type,
  });
  bpf('PROG_ATTACH', block, 'attach without a link');
}

/** What leaves a cgroup of the test's own. Foreign programs come from bpftool. */
export function cgroupHook(): TestHook {
  using scope = new Scope();
  const { a, b } = scope.use(makeVethPair());
  const path = join(cgroupRoot() ?? '/sys/fs/cgroup', uniqueName());
  mkdirSync(path);
  scope.defer(() => rmdirSync(path));
  const fd = openSync(path, 'r');
  scope.defer(() => closeSync(fd));
  const attachType = 'cgroup_inet_egress';
  const parts: TestHookParts = {
    hook: { kind: 'cgroup', target: fd, attachType, about: `${attachType} of cgroup ${path}` },
    scope: scope.move(),
  };
  return {
    programName: 'on_cgroup',
    place: { hook: 'cgroup', path, attachType },
    most: 64,
    ...attaching(parts),
    attachForeign(program) {
      run('bpftool', ['cgroup', 'attach', path, attachType, 'id', String(program.info().id), 'multi']);
    },
    bpftoolOrder: () =>
      cgroupShow.parse(JSON.parse(run('bpftool', ['-j', 'cgroup', 'show', path]))).map(({ id }) => id),
    sendOne() {
      const command = `echo $$ >${path}/cgroup.procs && exec ping -n -q -c 1 -W 0.3 ${b.address}`;
      a.netns.run('sh', ['-c', command]);
    },
  };
}
