/** Rungs that are eBPF programs. */
import { type AttachOptions, socketFilter, tc, tcx, xdp } from '../../../ebpf/attach/index.js';
import { load } from '../../../ebpf/load.js';
import type { BpfMap } from '../../../ebpf/map.js';
import { UdpSocket } from '../../../host/udp-socket.js';
import type { ObjectSpec } from '../../../obj/spec.js';
import { benchObject } from '../../lab/bench-object.js';
import type { End } from '../../lab/network.js';
import { port } from '../../lab/sender.js';
import { udpCounts } from '../../lab/udp-counters.js';
import { arrived } from './arrived.js';
import type { Rung, Sink, Stand } from './rung.js';

/** A program in a tc filter. @param spec of its object, in which its map `dropped` counts */
export function tcRung(
  rung: Pick<Rung, 'name' | 'title'>,
  program: string,
  spec: () => ObjectSpec = () => benchObject('drop'),
): Rung {
  return atInterface(
    rung,
    program,
    command(program, 'tc IF --direction ingress'),
    ({ ifname, place: { netns } }) => tc({ ifname, netns, direction: 'ingress', priority: 1 }),
    'in a tc filter (clsact, direct action)',
    spec,
  );
}

/** At an interface: what is attached, and with which netkit command one does the same. */
function atInterface(
  rung: Pick<Rung, 'name' | 'title'>,
  program: string,
  command: (ifname: string, settings: string) => string,
  options: (end: End) => AttachOptions,
  what: string,
  spec = () => benchObject('drop'),
): Rung {
  return {
    ...rung,
    description: ({ captured }) =>
      `an eBPF program ${what}, which drops ${captured === undefined ? `UDP to port ${port}` : 'everything'}`,
    setUp: (stand) => {
      const { wire, log, scope, captured } = stand;
      const source = spec();
      if (captured !== undefined) source.globals.set('everything', 1);
      const { object, taken } = loaded(stand, program, source);
      scope.use(object.program(program).attach(options(wire.to)));
      log.note(
        wire.to.place.title,
        command(wire.to.ifname, captured === undefined ? '' : ' --set everything=1'),
      );
      return { count: () => ({ ...arrived(stand), taken: taken() }) };
    },
  };
}

const command = (program: string, hook: string) => (ifname: string, settings: string) =>
  `netkit load bpf/bench/drop.bpf.o --only ${program}${settings} && netkit attach drop ${hook.replace('IF', ifname)}`;

export const ebpfRungs: readonly Rung[] = [
  {
    name: 'socket-filter',
    title: 'socket filter',
    unfit: () => 'a socket gets only what is for its own address and port',
    description: () => `an eBPF program on a UDP socket, which drops what comes to port ${port}`,
    setUp: (stand: Stand): Sink => {
      const { scope, wire, family, log } = stand;
      const { netns, title } = wire.to.place;
      const socket = scope.use(new UdpSocket({ netns, family, port, receiveTimeout: 1 }));
      const { object, taken } = loaded(stand, 'drop_socket', benchObject('drop'));
      scope.use(object.program('drop_socket').attach(socketFilter({ fd: socket.fd })));
      log.note(title, `setsockopt(SO_ATTACH_BPF) of drop_socket on a UDP socket of port ${port}`);
      // The kernel counts what a filter drops as refused, too.
      return {
        count: () => {
          const { read, noListener } = udpCounts(netns, family);
          return { taken: taken(), lost: 0, behind: read + noListener };
        },
      };
    },
  },
  tcRung({ name: 'tc', title: 'tc' }, 'drop_tc'),
  atInterface(
    { name: 'tcx', title: 'tcx' },
    'drop_tc',
    command('drop_tc', 'tcx IF --direction ingress'),
    ({ ifname, place: { netns } }) => tcx({ ifname, netns, direction: 'ingress' }),
    'on tcx ingress',
  ),
  atInterface(
    { name: 'xdp-generic', title: 'XDP generic' },
    'drop_xdp',
    command('drop_xdp', 'xdp IF --mode generic'),
    ({ ifname, place: { netns } }) => xdp({ ifname, netns, mode: 'generic' }),
    'in generic XDP, after the kernel has made a socket buffer',
  ),
  atInterface(
    { name: 'xdp-native', title: 'XDP native' },
    'drop_xdp',
    command('drop_xdp', 'xdp IF'),
    ({ ifname, place: { netns } }) => xdp({ ifname, netns, mode: 'native' }),
    'in native XDP, in the driver',
  ),
];

function loaded({ scope }: Stand, program: string, spec: ObjectSpec) {
  spec.only([program]);
  const object = scope.use(load(spec));
  const map: BpfMap = object.map('dropped');
  return { object, taken: () => sumOf(map) };
}

/** Of all CPUs. */
function sumOf(map: BpfMap): number {
  const values = map.get(0);
  if (!Array.isArray(values)) throw new TypeError('drop.bpf.c counts per CPU');
  return values.reduce<number>((sum, value) => sum + Number(value), 0);
}
