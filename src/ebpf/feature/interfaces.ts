/** What the drivers of network interfaces can do with XDP, and how the interfaces are set up. */
import type { Interface } from '../../host/interfaces.js';
import { kernelRelease } from '../../host/kernel.js';
import { currentNetnsInode, type Netns, withNetns } from '../../host/netns.js';
import { isErrno } from '../../sys/errno.js';
import { type Channels, InterfaceControl } from '../../sys/ethtool.js';
import { interfaceNames } from '../../sys/libc.js';
import { type NetdevFeatures, netdevFeatures } from '../../sys/netdev-family.js';
import { uapi } from '../../sys/uapi.js';

export type { Channels } from '../../sys/ethtool.js';

/** What a driver can do with XDP. */
export interface XdpAbilities {
  /** Programs run in the driver; they pass, drop, abort, and send back out. */
  readonly native: boolean;
  /** Programs may send packets to other interfaces, CPUs and sockets. */
  readonly redirect: boolean;
  /** Packets may be sent here by programs of other interfaces. */
  readonly redirectTarget: boolean;
  /** AF_XDP sockets share memory with the card. */
  readonly zeroCopy: boolean;
  /** Programs run on the card. */
  readonly offload: boolean;
  /** Packets in several buffers reach programs that take them. */
  readonly frags: boolean;
  /** Packets in several buffers may be sent here by programs of other interfaces. */
  readonly fragsTarget: boolean;
  /** How many buffers a packet on a zero-copy socket may take; undefined without such sockets. */
  readonly zeroCopySegments: number | undefined;
  /** What the card tells programs of a received packet: `timestamp`, `hash`, `vlan-tag`. Undefined: the kernel does not tell. */
  readonly rxMetadata: readonly RxMetadata[] | undefined;
  /** What the card does for packets of AF_XDP sockets: `timestamp`, `checksum`, `launch-time`. Likewise. */
  readonly txMetadata: readonly TxMetadata[] | undefined;
}

/** One interface and its driver. */
export interface InterfaceAbilities extends Interface {
  /** Undefined for interfaces without one, such as a loopback. */
  readonly driver: string | undefined;
  readonly mtu: number;
  readonly channels: Channels | undefined;
  /** Large receive offload; undefined when the driver does not tell. */
  readonly lro: boolean | undefined;
  /** Undefined from kernels that do not tell. */
  readonly xdp: XdpAbilities | undefined;
  /** Why `xdp` is undefined. */
  readonly reason: string | undefined;
}

/** The Linux version that tells what a driver can do (commit d3d854fd6a1d). */
export const driversTellSince = '6.3';

/** @param interfaceIn from {@link findInterface}. @throws SysError ENODEV when it has gone */
export function interfaceAbilities(interfaceIn: Interface, netns?: Netns): InterfaceAbilities {
  return withNetns(netns, () => {
    using control = new InterfaceControl();
    return look(control, interfaceIn);
  });
}

/** All interfaces of a network namespace, by index. @throws SysError */
export function allInterfaceAbilities(netns?: Netns): InterfaceAbilities[] {
  const netnsInode = netns?.inode ?? currentNetnsInode();
  return withNetns(netns, () => {
    using control = new InterfaceControl();
    return interfaceNames().flatMap(({ index, name }) => {
      try {
        return [look(control, { ifname: name, ifindex: index, netnsInode })];
      } catch (error) {
        // It has gone since they were listed.
        if (isErrno(error, 'ENODEV')) return [];
        throw error;
      }
    });
  });
}

function look(control: InterfaceControl, found: Interface): InterfaceAbilities {
  const features = netdevFeatures(found.ifindex);
  return {
    ...found,
    driver: control.driver(found.ifname),
    mtu: control.mtu(found.ifname),
    channels: control.channels(found.ifname),
    lro: control.lro(found.ifname),
    xdp: features === undefined ? undefined : abilities(features),
    reason:
      features === undefined
        ? `kernels tell since Linux ${driversTellSince}, this is ${kernelRelease()}`
        : undefined,
  };
}

function abilities({ xdp, zeroCopySegments, rxMetadata, socket }: NetdevFeatures): XdpAbilities {
  const has = (bit: number): boolean => (xdp & BigInt(bit)) !== 0n;
  return {
    native: has(uapi.NETDEV_XDP_ACT_BASIC),
    redirect: has(uapi.NETDEV_XDP_ACT_REDIRECT),
    redirectTarget: has(uapi.NETDEV_XDP_ACT_NDO_XMIT),
    zeroCopy: has(uapi.NETDEV_XDP_ACT_XSK_ZEROCOPY),
    offload: has(uapi.NETDEV_XDP_ACT_HW_OFFLOAD),
    frags: has(uapi.NETDEV_XDP_ACT_RX_SG),
    fragsTarget: has(uapi.NETDEV_XDP_ACT_NDO_XMIT_SG),
    zeroCopySegments,
    rxMetadata: named(rxMetadata, rxWords),
    txMetadata: named(socket, txWords),
  };
}

const rxWords = [
  [uapi.NETDEV_XDP_RX_METADATA_TIMESTAMP, 'timestamp'],
  [uapi.NETDEV_XDP_RX_METADATA_HASH, 'hash'],
  [uapi.NETDEV_XDP_RX_METADATA_VLAN_TAG, 'vlan-tag'],
] as const;
const txWords = [
  [uapi.NETDEV_XSK_FLAGS_TX_TIMESTAMP, 'timestamp'],
  [uapi.NETDEV_XSK_FLAGS_TX_CHECKSUM, 'checksum'],
  [uapi.NETDEV_XSK_FLAGS_TX_LAUNCH_TIME_FIFO, 'launch-time'],
] as const;

type RxMetadata = (typeof rxWords)[number][1];
type TxMetadata = (typeof txWords)[number][1];

function named<Word extends string>(
  bits: bigint | undefined,
  words: readonly (readonly [bit: number, word: Word])[],
): Word[] | undefined {
  if (bits === undefined) return undefined;
  return words.flatMap(([bit, word]) => ((bits & BigInt(bit)) === 0n ? [] : [word]));
}
