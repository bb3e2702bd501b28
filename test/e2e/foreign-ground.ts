/** A machine on which other tools have their programs: what there is of them, in which order, and whether it sees packets. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { Scope } from '../../src/base/scope.js';
import { cgroup, netfilter, tcx, xdp } from '../../src/ebpf/attach/index.js';
import { Link } from '../../src/ebpf/link.js';
import { BpfMap } from '../../src/ebpf/map.js';
import { Program } from '../../src/ebpf/program.js';
import { TestCgroup } from '../support/cgroup.js';
import { kernelLacks } from '../support/known-kernels.js';
import { makeVethPair, run, type VethEnd, type VethPair } from '../support/netns.js';
import { newerTool } from '../support/newer-tools.js';
import { bpftool, type Ground, makeGround, type Objects } from './ground.js';

const xdpShow = z.array(
  z.looseObject({
    ifname: z.string(),
    xdp: z.optional(z.looseObject({ mode: z.int(), prog: z.looseObject({ id: z.int() }) })),
  }),
);
const netShow = z.array(
  z.looseObject({
    tc: z.array(
      z.looseObject({
        devname: z.string(),
        kind: z.string(),
        prog_id: z.optional(z.int()),
        link_id: z.optional(z.int()),
      }),
    ),
  }),
);
const cgroupShow = z.array(z.looseObject({ id: z.int() }));

/** The index that a program counts under, in its own copy of the map. */
const counters = { xdp: 0, tc: 1, cgroup: 2, netfilter: 3 } as const;

/** One program of another tool. */
interface Foreign {
  readonly name: string;
  readonly programId: number;
  readonly counter: number;
  readonly seen: BpfMap;
  /** Undefined for what is attached without a link, which nothing can name. */
  readonly linkId: number | undefined;
}

/**
 * The interfaces of the defended host: `everything` has XDP by bpftool, tcx and clsact; `generic` has generic XDP by ip and
 * an ingress qdisc; `linked` has XDP through a link; `free` has no XDP program.
 */
export class ForeignGround implements Disposable {
  readonly ground: Ground;
  readonly interfaces: {
    readonly everything: string;
    readonly generic: string;
    readonly linked: string;
    readonly free: string;
  };
  readonly cgroup: TestCgroup;
  readonly #pairs: readonly VethPair[];
  readonly #folder: string;
  readonly #objects: { readonly plain: string; readonly netfilter: string };
  readonly #all: Foreign[] = [];
  readonly #scope: Scope;

  constructor(objects: { readonly plain: string; readonly netfilter: string }) {
    using scope = new Scope();
    this.ground = scope.use(makeGround());
    this.cgroup = scope.use(new TestCgroup());
    const { a, b } = this.ground.veth;
    const more = [1, 2, 3].map(() => scope.use(makeVethPair({ a: a.netns, b: b.netns })));
    this.#pairs = [this.ground.veth, ...more];
    const [everything = '', generic = '', linked = '', free = ''] = this.#pairs.map((pair) => pair.b.ifname);
    this.interfaces = { everything, generic, linked, free };
    this.#objects = objects;
    this.#folder = join(this.ground.bpffs.root.path, 'theirs');
    mkdirSync(this.#folder);
    this.#scope = scope.move();
    this.#populate();
  }

  /** Programs by their names: `tcx-1` and so on. */
  id(name: string): number {
    return this.#named(name).programId;
  }

  linkId(name: string): number {
    const { linkId } = this.#named(name);
    if (linkId === undefined) throw new Error(`${name} has no link`);
    return linkId;
  }

  /** The pin of a program. */
  pin(name: string): string {
    return join(this.#folder, name, 'progs', programName(name));
  }

  mapPin(name: string): string {
    return join(this.#folder, name, 'maps/seen');
  }

  /** Those with a link, which a command can name. */
  get linked(): readonly string[] {
    return this.#all.flatMap(({ name, linkId }) => (linkId === undefined ? [] : [name]));
  }

  get names(): readonly string[] {
    return this.#all.map(({ name }) => name);
  }

  #named(name: string): Foreign {
    const found = this.#all.find((each) => each.name === name);
    if (found === undefined) throw new Error(`nobody put ${name} there`);
    return found;
  }

  /** Loads with bpftool, which pins programs and maps. */
  #load(name: string): string {
    const folder = join(this.#folder, name);
    mkdirSync(folder);
    const object = programName(name) === 'on_filter' ? this.#objects.netfilter : this.#objects.plain;
    const args = ['prog', 'loadall', object, join(folder, 'progs'), 'pinmaps', join(folder, 'maps')];
    // The older one does not know netfilter.
    if (programName(name) === 'on_filter') newerTool('bpftool', args);
    else run('bpftool', args);
    return this.pin(name);
  }

  /** @param attach puts the pinned program there; what it gives back is pinned, as another tool would */
  #put(
    name: string,
    kind: keyof typeof counters,
    attach: (pin: string, program: Program) => Link | undefined,
  ): void {
    const pin = this.#load(name);
    using program = Program.fromPin(pin);
    using link = attach(pin, program);
    link?.pin(join(this.#folder, name, 'link'));
    this.#all.push({
      name,
      programId: program.info().id,
      counter: counters[kind],
      seen: this.#scope.use(BpfMap.fromPin(this.mapPin(name))),
      linkId: link?.info().id,
    });
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
    this.#put('xdp-bpftool', 'xdp', (pin) => {
      netns.run('bpftool', ['net', 'attach', 'xdp', 'pinned', pin, 'dev', everything]);
      return undefined;
    });
    this.#put('xdp-ip', 'xdp', (pin) => {
      ip('link', 'set', 'dev', generic, 'xdpgeneric', 'pinned', pin);
      return undefined;
    });
    this.#put('xdp-link', 'xdp', (_pin, program) =>
      made(program.attach(xdp({ ifname: linked, mode: 'native', netns: netns.handle }))),
    );
    if (kernelLacks('tcx') === undefined) {
      const byBpftool = (side: string, ifname: string) => (pin: string) => {
        newerTool('bpftool', ['net', 'attach', `tcx_${side}`, 'pinned', pin, 'dev', ifname], netns);
        return undefined;
      };
      const byLink = (direction: 'ingress' | 'egress') => (_pin: string, program: Program) =>
        made(program.attach(tcx({ ifname: everything, direction, netns: netns.handle })));
      this.#put('tcx-1', 'tc', byBpftool('ingress', everything));
      this.#put('tcx-2-link', 'tc', byLink('ingress'));
      this.#put('tcx-3', 'tc', byBpftool('ingress', everything));
      this.#put('tcx-egress-link', 'tc', byLink('egress'));
      this.#put('tcx-egress', 'tc', byBpftool('egress', everything));
      this.#put('tcx-free', 'tc', byBpftool('ingress', free));
    }
    tc('qdisc', 'add', 'dev', everything, 'clsact');
    const filter =
      (dev: string, ...place: string[]) =>
      (pin: string) => {
        tc('filter', 'add', 'dev', dev, ...place, 'bpf', 'da', 'pinned', pin);
        return undefined;
      };
    // The second one has the handle and the priority that netkit could choose.
    this.#put('tc-1', 'tc', filter(everything, 'ingress', 'prio', '49', 'handle', '1'));
    this.#put('tc-2', 'tc', filter(everything, 'ingress', 'prio', '50', 'handle', '0x6e6b0001'));
    this.#put('tc-egress', 'tc', filter(everything, 'egress', 'prio', '1'));
    tc('qdisc', 'add', 'dev', generic, 'ingress');
    this.#put('tc-ingress-qdisc', 'tc', filter(generic, 'ingress', 'prio', '50'));
    const attachType = 'cgroup_inet_egress';
    const { path } = this.cgroup;
    this.#put('cgroup-bpftool', 'cgroup', (pin) => {
      run('bpftool', ['cgroup', 'attach', path, attachType, 'pinned', pin, 'multi']);
      return undefined;
    });
    this.#put('cgroup-link', 'cgroup', (_pin, program) => made(program.attach(cgroup({ path, attachType }))));
    if (kernelLacks('netfilter-links') === undefined) {
      this.#put('netfilter-link', 'netfilter', (_pin, program) =>
        made(
          program.attach(netfilter({ family: 'ipv4', stage: 'input', priority: -100, netns: netns.handle })),
        ),
      );
    }
    // Beside netkit's folder, and under a name that begins like it.
    mkdirSync(join(this.ground.bpffs.root.path, 'netkit-of-theirs'));
    using program = Program.fromPin(this.pin('tc-1'));
    program.pin(join(this.ground.bpffs.root.path, 'netkit-of-theirs/tc'));
  }

  /** What there is of theirs: by hook in their order, with links, modes and places, and their pins. */
  standing(): unknown {
    const ids = new Set(this.#all.map(({ programId }) => programId));
    const { netns, bpffs } = this.ground;
    const texts = xdpShow
      .parse(JSON.parse(netns.run('ip', ['-j', '-d', 'link', 'show'])))
      .flatMap(({ ifname, xdp: on }) =>
        on !== undefined && ids.has(on.prog.id) ? [`xdp ${on.mode} of ${ifname}: ${on.prog.id}`] : [],
      );
    if (kernelLacks('tcx') === undefined) {
      const shown = netShow.parse(JSON.parse(newerTool('bpftool', ['-j', 'net', 'show'], netns)));
      for (const { devname, kind, prog_id: id, link_id: link } of shown.flatMap((each) => each.tc))
        if (kind.startsWith('tcx') && id !== undefined && ids.has(id))
          texts.push(`${kind} of ${devname}: ${id} link ${link ?? 'none'}`);
    }
    const { everything, generic } = this.interfaces;
    for (const [dev, side] of [
      [everything, 'ingress'],
      [everything, 'egress'],
      [generic, 'ingress'],
    ] as const) {
      for (const line of netns.run('tc', ['filter', 'show', 'dev', dev, side]).split('\n')) {
        const [, place, id] = /^filter (.*) direct-action .* id (\d+) /.exec(line) ?? [];
        if (place !== undefined && ids.has(Number(id))) texts.push(`tc ${side} of ${dev}: ${place} ${id}`);
      }
    }
    const onCgroup = cgroupShow.parse(bpftool('cgroup', 'show', this.cgroup.path)).map(({ id }) => id);
    texts.push(...onCgroup.filter((id) => ids.has(id)).map((id) => `cgroup: ${id}`));
    for (const name of this.linked) {
      using link = openLink(join(this.#folder, name, 'link'));
      const { id, programId, gone } = link?.info() ?? {};
      texts.push(`link of ${name}: ${id} with ${programId}${gone === false ? '' : ', which is gone'}`);
    }
    const pins = bpffs.pins().filter((pin) => !/^netkit\/|^xdp\//.test(pin));
    return { texts, pins };
  }

  /** Sends packets past every program. @returns how many each has seen, of two on each of the interfaces */
  async seeing(): Promise<Readonly<Record<string, number>>> {
    const before = this.#all.map(({ seen, counter }) => Number(seen.get(counter)));
    const { a } = this.ground.veth;
    const ping = (end: VethEnd) => `ping -n -q -c 2 -i 0.002 -W 0.3 ${end.address} >/dev/null &`;
    const pings = this.#pairs.map(({ b }) => ping(b)).join('\n');
    a.netns.run('sh', ['-c', `echo $$ >${this.cgroup.path}/cgroup.procs\n${pings}\nwait`]);
    return Object.fromEntries(
      this.#all.map(({ name, seen, counter }, index) => [
        name,
        Number(seen.get(counter)) - (before[index] ?? 0),
      ]),
    );
  }

  /** Fails unless every one of them sees packets, but for those that were taken off. */
  async expectSeeing(but: readonly string[] = []): Promise<void> {
    const seeing = await this.seeing();
    for (const [name, packets] of Object.entries(seeing)) {
      if (but.includes(name)) expect(packets, name).toBe(0);
      else expect(packets, `packets that ${name} saw`).toBeGreaterThanOrEqual(2);
    }
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

export async function makeForeignGround(objects: Objects): Promise<ForeignGround> {
  const source = 'test/fixtures/foreign.bpf.c';
  const plain = await objects.compile(source);
  return new ForeignGround({ plain, netfilter: await objects.compile(source, ['WITH_NETFILTER']) });
}

function programName(name: string): string {
  const [kind = ''] = name.split('-');
  return kind === 'xdp'
    ? 'on_xdp'
    : kind === 'cgroup'
      ? 'on_cgroup'
      : kind === 'netfilter'
        ? 'on_filter'
        : 'on_tc';
}

function openLink(pin: string): Link | undefined {
  try {
    return Link.fromPin(pin);
  } catch {
    return undefined;
  }
}
