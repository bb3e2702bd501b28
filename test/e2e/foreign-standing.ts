/** What other tools have on a machine, as their own tools and the kernel show it. */
import { z } from 'zod';
import { Link } from '../../src/ebpf/link.js';
import { kernelLacks } from '../support/known-kernels.js';
import type { TestNetns } from '../support/netns.js';
import { newerTool } from '../support/newer-tools.js';
import { bpftool } from './ground.js';

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
const entryShown = z.looseObject({ value: z.array(z.string()) });
const cgroupShow = z.array(z.looseObject({ id: z.int() }));

/** Where to look, and for whose programs. */
export interface Theirs {
  readonly programIds: ReadonlySet<number>;
  readonly netns: TestNetns;
  readonly cgroup: string;
  /** Interfaces with a clsact or ingress qdisc. */
  readonly filtered: readonly string[];
  /** Names of links, and their pins. */
  readonly links: readonly (readonly [name: string, pin: string])[];
  /** Pins of devmaps and cpumaps whose first entry has a program. */
  readonly maps: readonly string[];
}

/** One text each, of what is there. */
export function textsOf(theirs: Theirs): string[] {
  return [
    ...onInterfaces(theirs),
    ...theirs.filtered.flatMap((ifname) => filtersOf(theirs, ifname)),
    ...cgroupShow
      .parse(bpftool('cgroup', 'show', theirs.cgroup))
      .flatMap(({ id }) => (theirs.programIds.has(id) ? [`cgroup: ${id}`] : [])),
    ...routesOf(theirs),
    ...theirs.maps.map(firstEntryOf),
    ...theirs.links.map(([name, pin]) => linkText(name, pin)),
  ];
}

function onInterfaces({ netns, programIds }: Theirs): string[] {
  const xdp = xdpShow
    .parse(JSON.parse(netns.run('ip', ['-j', '-d', 'link', 'show'])))
    .flatMap(({ ifname, xdp: on }) =>
      on !== undefined && programIds.has(on.prog.id) ? [`xdp ${on.mode} of ${ifname}: ${on.prog.id}`] : [],
    );
  if (kernelLacks('tcx') !== undefined) return xdp;
  const shown = netShow.parse(JSON.parse(newerTool('bpftool', ['-j', 'net', 'show'], netns)));
  const tcx = shown
    .flatMap((each) => each.tc)
    .flatMap(({ devname, kind, prog_id: id, link_id: link }) =>
      kind.startsWith('tcx') && id !== undefined && programIds.has(id)
        ? [`${kind} of ${devname}: ${id} link ${link ?? 'none'}`]
        : [],
    );
  return [...xdp, ...tcx];
}

/** Filters that are programs, and those that have programs as their actions. */
function filtersOf({ netns, programIds }: Theirs, ifname: string): string[] {
  return ['ingress', 'egress'].flatMap((side) => {
    const shown = netns.run('tc', ['filter', 'show', 'dev', ifname, side]);
    return shown.split(/^(?=filter )/m).flatMap((filter) => {
      const id = /\bid (\d+) tag /.exec(filter)?.[1];
      return id !== undefined && programIds.has(Number(id))
        ? [`tc ${side} of ${ifname}: ${filter.replaceAll(/\s+/g, ' ').trim()}`]
        : [];
    });
  });
}

/** The kernel knows of the program of a route what whoever made the route called it: iproute2, by the path of the pin. */
function routesOf({ netns }: Theirs): string[] {
  return netns
    .run('ip', ['route'])
    .split('\n')
    .filter((route) => route.includes('/theirs/'))
    .map((route) => `route: ${route.trim()}`);
}

function firstEntryOf(pin: string): string {
  const { value } = entryShown.parse(bpftool('map', 'lookup', 'pinned', pin, 'key', '0', '0', '0', '0'));
  return `entry of ${pin}: ${value.join(' ')}`;
}

function linkText(name: string, pin: string): string {
  using link = openLink(pin);
  const { id, programId, gone } = link?.info() ?? {};
  return `link of ${name}: ${id} with ${programId}${gone === false ? '' : ', which is gone'}`;
}

function openLink(pin: string): Link | undefined {
  try {
    return Link.fromPin(pin);
  } catch {
    return undefined;
  }
}
