import { availableParallelism } from 'node:os';
import { queueProblem } from '../../ebpf/feature/driver-queues.js';
import { hookAvailable } from '../../ebpf/feature/hooks.js';
import { type InterfaceAbilities, interfaceAbilities } from '../../ebpf/feature/interfaces.js';
import { ingressQdisc, type XdpOccupant, xdpOccupants } from '../../ebpf/feature/occupants.js';
import type { Interface } from '../../host/interfaces.js';
import type { Netns } from '../../host/netns.js';
import { pageSize } from '../../host/page-size.js';
import type { ObjectSpec, ProgramSpec } from '../../obj/spec.js';
import { dispatcherName } from '../../obj/xdp-dispatcher/config.js';
import { chainMaps, rootName } from '../../obj/xdp-tail-chain/layout.js';
import { blocking, type Check, check } from './check.js';

/** Room before a packet that drivers keep for programs (XDP_PACKET_HEADROOM), and behind it for the kernel (struct skb_shared_info). */
const headroom = 256;
const tailroom = 320;
/** An Ethernet header with two VLAN tags. */
const linkLayer = 22;

/** Whether the object's programs can run on the interface: its driver, how it is set up, who is there already. */
export function interfaceChecks(spec: ObjectSpec, found: Interface, netns: Netns | undefined): Check[] {
  const programs = spec.programs.filter(({ name }) => spec.chosen.has(name));
  const xdp = programs.filter(({ type, attachType }) => type === 'xdp' && attachType === 'xdp');
  const tc = programs.filter(({ type }) => type === 'sched_cls');
  if (xdp.length + tc.length === 0)
    return [check(found.ifname, 'warning', 'none of the programs is for a network interface')];
  const abilities = interfaceAbilities(found, netns);
  return [
    ...(xdp.length > 0 ? xdpChecks(spec, xdp, abilities, xdpOccupants(found, netns)) : []),
    ...(tc.length > 0 ? tcChecks(tc, found, netns) : []),
  ];
}

function xdpChecks(
  spec: ObjectSpec,
  programs: readonly ProgramSpec[],
  abilities: InterfaceAbilities,
  occupants: readonly XdpOccupant[],
): Check[] {
  return [
    driver(abilities),
    ...(abilities.xdp?.native === false
      ? []
      : [mtu(programs, abilities), ...lro(abilities), ...queues(abilities)]),
    ...owners(spec, abilities, occupants),
  ];
}

function driver({ ifname, driver: name, xdp, reason }: InterfaceAbilities): Check {
  const title = `driver of ${ifname}`;
  const called = name ?? 'none';
  if (xdp === undefined)
    return check(title, 'unknown', `${called}: ${reason}`, 'attach and see: --mode auto');
  if (xdp.native) return check(title, 'ok', `${called}: has native XDP`);
  return check(
    title,
    'warning',
    `${called}: has no native XDP, so that it runs in generic mode, slower`,
    'use --mode auto, the default, or --mode generic',
  );
}

function mtu(programs: readonly ProgramSpec[], { ifname, mtu: bytes, xdp }: InterfaceAbilities): Check {
  const title = `MTU of ${ifname}`;
  const largest = pageSize() - headroom - tailroom - linkLayer;
  if (bytes <= largest) return check(title, 'ok', `${bytes}: a packet fits one buffer`);
  const without = programs.filter(({ frags }) => !frags).map(({ name }) => name);
  const smaller = `ip link set dev ${ifname} mtu ${largest}`;
  const message = `${bytes}: a packet may take several buffers`;
  if (without.length > 0) {
    return check(
      title,
      'warning',
      `${message}, which ${without.join(', ')} does not take: native XDP is refused`,
      `declare it SEC("xdp.frags"), or ${smaller}, or use --mode generic`,
    );
  }
  if (xdp?.frags === false) {
    return check(
      title,
      'warning',
      `${message}, which the driver does not give to XDP: native XDP is refused`,
      `${smaller}, or use --mode generic`,
    );
  }
  return check(title, 'ok', `${message}, which the programs take`);
}

function lro({ ifname, lro: isOn }: InterfaceAbilities): Check[] {
  if (isOn !== true) return [];
  return [
    check(
      `LRO of ${ifname}`,
      'warning',
      'on: received packets are put together before XDP, and many drivers refuse native XDP then',
      `ethtool -K ${ifname} lro off`,
    ),
  ];
}

function queues({ ifname, driver: name, channels }: InterfaceAbilities): Check[] {
  const found = queueProblem(name, channels, availableParallelism());
  if (found === undefined) return [];
  const kind = channels !== undefined && channels.maxCombined > 0 ? 'combined' : 'rx';
  return [
    check(
      `queues of ${ifname}`,
      'warning',
      found.problem,
      found.queues === undefined
        ? undefined
        : `ethtool -L ${ifname} ${kind} ${found.queues}, or use --mode generic`,
    ),
  ];
}

function owners(
  spec: ObjectSpec,
  { ifname }: InterfaceAbilities,
  occupants: readonly XdpOccupant[],
): Check[] {
  const title = `XDP of ${ifname}`;
  if (occupants.length === 0) return [check(title, 'ok', 'free')];
  return occupants.map(({ id, mode, name }) => {
    const who = `${name === undefined ? 'a program' : `program '${name}'`}, id ${id} (${mode})`;
    if (name === dispatcherName && hookAvailable('freplace').available !== false)
      return check(title, 'ok', `${who}: libxdp's dispatcher, which several programs share`);
    if (name === rootName && spec.maps.some((map) => map.name === chainMaps.programs))
      return check(title, 'ok', `${who}: netkit's chain by tail calls, which several programs share`);
    return blocking(
      title,
      'owner',
      `taken by ${who}: an interface runs one XDP program`,
      'whoever attached that one has to detach it first; netkit net shows whose it is',
    );
  });
}

function tcChecks(programs: readonly ProgramSpec[], found: Interface, netns: Netns | undefined): Check[] {
  const title = `tc of ${found.ifname}`;
  if (hookAvailable('tcx/egress').available === true)
    return [check(title, 'ok', 'tcx takes several programs beside each other')];
  const egress = programs.filter(({ section }) => /egress/.test(section)).map(({ name }) => name);
  if (ingressQdisc(found, netns) !== 'ingress' || egress.length === 0)
    return [check(title, 'ok', 'filters of a clsact qdisc stand beside each other')];
  return [
    blocking(
      title,
      'owner',
      `an ingress qdisc is in the place of clsact and has no egress side, which ${egress.join(', ')} needs`,
      `have its owner make it a clsact qdisc: tc qdisc replace dev ${found.ifname} clsact`,
    ),
  ];
}
