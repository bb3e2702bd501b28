/** A machine on which other tools have their programs: what there is of them, in which order, and whether it sees packets. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { cgroup, netfilter, tcx, xdp } from '../../src/ebpf/attach/index.js';
import { Link } from '../../src/ebpf/link.js';
import { BpfMap } from '../../src/ebpf/map.js';
import { Program } from '../../src/ebpf/program.js';
import { writeProgramEntry } from '../../src/ebpf/redirect-entry.js';
import { TestCgroup } from '../support/cgroup.js';
import { tcActionLack } from '../support/kernel-config.js';
import { kernelLacks } from '../support/known-kernels.js';
import { makeVethPair, run, type TestNetns, type VethPair } from '../support/netns.js';
import { newerTool } from '../support/newer-tools.js';
import { addressOf, openSocket, sendOn } from '../support/socket-calls.js';
import { compileForeign, ForeignPrograms, type ObjectFiles } from './foreign-programs.js';
import { textsOf } from './foreign-standing.js';
import { type Ground, makeGround } from './ground.js';
import { elsewhere } from './kinds-ground.js';
import type { Objects } from './objects.js';

/**
 * The interfaces of the defended host: `everything` has XDP by bpftool, tcx and clsact; `generic` has generic XDP by ip and
 * an ingress qdisc; `linked` has XDP through a link; `free` has no XDP program; those of `processor` and `port` redirect to
 * an entry of a map. A route over `everything` has a program too.
 */
export class ForeignGround implements Disposable {
  readonly ground: Ground;
  readonly interfaces: Readonly<
    Record<'everything' | 'generic' | 'linked' | 'free' | 'processor' | 'port', string>
  >;
  readonly cgroup: TestCgroup;
  readonly programs: ForeignPrograms;
  readonly #pairs: readonly VethPair[];
  readonly #port: VethPair;
  readonly #scope: Scope;

  constructor(objects: ObjectFiles) {
    using scope = new Scope();
    this.ground = scope.use(makeGround());
    this.cgroup = scope.use(new TestCgroup());
    const { a, b } = this.ground.veth;
    const more = [1, 2, 3, 4].map(() => scope.use(makeVethPair({ a: a.netns, b: b.netns })));
    this.#port = scope.use(makeVethPair({ a: a.netns, b: b.netns }));
    this.#pairs = [this.ground.veth, ...more, this.#port];
    const names = this.#pairs.map((pair) => pair.b.ifname);
    const [everything = '', generic = '', linked = '', free = '', processor = '', port = ''] = names;
    this.interfaces = { everything, generic, linked, free, processor, port };
    const folder = join(this.ground.bpffs.root.path, 'theirs');
    mkdirSync(folder);
    this.programs = scope.use(new ForeignPrograms(folder, objects));
    this.#scope = scope.move();
    this.#populate();
    this.#populateFurther();
  }

  /** The words for the route that has a program, and for another one over the same interface. */
  route(destination = elsewhere): string {
    const { a, b } = this.ground.veth;
    return `${destination} dev ${b.ifname} via ${a.address}`;
  }

  #populate(): void {
    const { netns } = this.ground;
    const { everything, generic, linked, free } = this.interfaces;
    const ip = (...words: string[]) => void netns.run('ip', words);
    const tc = (...words: string[]) => void netns.run('tc', words);
    const made = (link: unknown): Link => {
      if (link instanceof Link) return link;
      throw new Error('no link');
    };
    this.programs.put('xdp-bpftool', (pin) => {
      netns.run('bpftool', ['net', 'attach', 'xdp', 'pinned', pin, 'dev', everything]);
      return undefined;
    });
    this.programs.put('xdp-ip', (pin) => {
      ip('link', 'set', 'dev', generic, 'xdpgeneric', 'pinned', pin);
      return undefined;
    });
    this.programs.put('xdp-link', (_pin, program) =>
      made(program.attach(xdp({ ifname: linked, mode: 'native', netns: netns.handle }))),
    );
    if (kernelLacks('tcx') === undefined) {
      const byBpftool = (side: string, ifname: string) => (pin: string) => {
        newerTool('bpftool', ['net', 'attach', `tcx_${side}`, 'pinned', pin, 'dev', ifname], netns);
        return undefined;
      };
      const byLink = (direction: 'ingress' | 'egress') => (_pin: string, program: Program) =>
        made(program.attach(tcx({ ifname: everything, direction, netns: netns.handle })));
      this.programs.put('tcx-1', byBpftool('ingress', everything));
      this.programs.put('tcx-2-link', byLink('ingress'));
      this.programs.put('tcx-3', byBpftool('ingress', everything));
      this.programs.put('tcx-egress-link', byLink('egress'));
      this.programs.put('tcx-egress', byBpftool('egress', everything));
      this.programs.put('tcx-free', byBpftool('ingress', free));
    }
    tc('qdisc', 'add', 'dev', everything, 'clsact');
    const filter =
      (dev: string, ...place: string[]) =>
      (pin: string) => {
        tc('filter', 'add', 'dev', dev, ...place, 'bpf', 'da', 'pinned', pin);
        return undefined;
      };
    // The second one has the handle and the priority that netkit could choose.
    this.programs.put('tc-1', filter(everything, 'ingress', 'prio', '49', 'handle', '1'));
    this.programs.put('tc-2', filter(everything, 'ingress', 'prio', '50', 'handle', '0x6e6b0001'));
    this.programs.put('tc-egress', filter(everything, 'egress', 'prio', '1'));
    tc('qdisc', 'add', 'dev', generic, 'ingress');
    this.programs.put('tc-ingress-qdisc', filter(generic, 'ingress', 'prio', '50'));
    const attachType = 'cgroup_inet_egress';
    const { path } = this.cgroup;
    this.programs.put('cgroup-bpftool', (pin) => {
      run('bpftool', ['cgroup', 'attach', path, attachType, 'pinned', pin, 'multi']);
      return undefined;
    });
    this.programs.put('cgroup-link', (_pin, program) => made(program.attach(cgroup({ path, attachType }))));
    if (kernelLacks('netfilter-links') === undefined) {
      this.programs.put('netfilter-link', (_pin, program) =>
        made(
          program.attach(netfilter({ family: 'ipv4', stage: 'input', priority: -100, netns: netns.handle })),
        ),
      );
    }
    // Beside netkit's folder, and under a name that begins like it.
    mkdirSync(join(this.ground.bpffs.root.path, 'netkit-of-theirs'));
    using program = Program.fromPin(this.programs.pin('tc-1'));
    program.pin(join(this.ground.bpffs.root.path, 'netkit-of-theirs/tc'));
  }

  #populateFurther(): void {
    const { netns, veth } = this.ground;
    const { everything, generic, processor, port } = this.interfaces;
    this.programs.put('route', (pin) => {
      const way = ['via', veth.a.address, 'dev', everything];
      netns.run('ip', ['route', 'add', elsewhere, 'encap', 'bpf', 'xmit', 'pinned', pin, ...way]);
      return undefined;
    });
    const redirecting = (kind: 'cpumap' | 'devmap', ifname: string, where: number) => {
      this.programs.put(kind, (_pin, program) => {
        using map = BpfMap.fromPin(this.programs.redirectingPin(kind));
        writeProgramEntry(map, 0, where, program, kind, netns.handle);
        return undefined;
      });
      const pin = this.programs.pin(kind, kind === 'cpumap' ? 'to_processor' : 'to_port');
      netns.run('bpftool', ['net', 'attach', 'xdp', 'pinned', pin, 'dev', ifname]);
    };
    redirecting('cpumap', processor, 64);
    // Back to where they came from, which has to take XDP packets.
    redirecting('devmap', port, this.#port.b.ifindex);
    const { a } = this.#port;
    a.netns.run('ip', ['link', 'set', 'dev', a.ifname, 'xdpdrv', 'pinned', this.programs.pin('xdp-ip')]);
    if (tcActionLack() === undefined)
      this.programs.put('action', (pin) => {
        const filter = ['dev', generic, 'ingress', 'prio', '7', 'matchall'];
        netns.run('tc', ['filter', 'add', ...filter, 'action', 'bpf', 'object-pinned', pin, 'continue']);
        return undefined;
      });
  }

  /** What there is of theirs: by hook in their order, with links, modes and places, and their pins. */
  standing(): unknown {
    const links = this.programs.linked.map((name) => [name, this.programs.linkPin(name)] as const);
    const { everything, generic } = this.interfaces;
    const texts = textsOf({
      programIds: new Set(this.programs.all.map(({ programId }) => programId)),
      netns: this.ground.netns,
      cgroup: this.cgroup.path,
      filtered: [everything, generic],
      links,
      maps: [this.programs.redirectingPin('cpumap'), this.programs.redirectingPin('devmap')],
    });
    return { texts, pins: this.ground.bpffs.pins().filter((pin) => !/^netkit\/|^xdp\//.test(pin)) };
  }

  /** Fails unless every one of them sees both packets sent to each interface, but for those that were taken off. */
  async expectSeeing(but: readonly string[] = []): Promise<void> {
    const seen = (): number[] => this.programs.all.map((each) => Number(each.seen.get(each.counter)));
    const before = seen();
    this.#sendPackets();
    const missing = (): string[] => {
      const now = seen();
      return this.programs.all.flatMap(({ name }, index) => {
        const packets = (now[index] ?? 0) - (before[index] ?? 0);
        const right = but.includes(name) ? packets === 0 : packets >= 2;
        return right ? [] : [`${name} saw ${packets} packets`];
      });
    };
    // What runs for an entry of a cpumap does so in a thread of its own, a little later.
    const deadline = performance.now() + 1000;
    while (missing().length > 0 && performance.now() < deadline) await setTimeout(10);
    expect(missing()).toEqual([]);
  }

  /** By datagrams, which cost no process; what goes over the route leaves by `everything`. */
  #sendPackets(): void {
    const { a, b } = this.ground.veth;
    this.cgroup.inside(() => {
      for (const { address } of this.#pairs.map((pair) => pair.b)) sendTwo(a.netns, address);
      sendTwo(b.netns, elsewhere.replace('0/24', '1'));
    });
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

export async function makeForeignGround(objects: Objects): Promise<ForeignGround> {
  return new ForeignGround(await compileForeign(objects));
}

/** Two datagrams. */
function sendTwo(netns: TestNetns, host: string): void {
  const address = addressOf('ipv4', 9);
  address.set(host.split('.').map(Number), 4);
  netns.inside(() => {
    using socket = openSocket('ipv4', 'datagram');
    sendOn(socket, address);
    sendOn(socket, address);
  });
}
