/** ethtool's ioctls: the driver of an interface and how it is set up. In the thread's network namespace. */
import { Block, type Layout } from './block.js';
import { declare, declareAs, invoke, lastErrno } from './call.js';
import { errnoName, SysError } from './errno.js';
import { Fd } from './fd.js';
import { checked } from './status.js';
import { uapi } from './uapi.js';

declare('libc', ['int socket(int domain, int type, int protocol)']);
declareAs('interface_ioctl', 'libc', 'int ioctl(int fd, unsigned long request, void *argument)');

// sys/socket.h
const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | 0x80000;

/** struct ifreq of linux/if.h: the name, then a number or a pointer. */
const requestLayout = {
  size: 40,
  fields: { name: [0, 16], number: [16, 4], data: [16, 8] },
} as const satisfies Layout<string>;
/** struct ethtool_drvinfo of linux/ethtool.h, as far as its names go. */
const driverLayout = {
  size: 196,
  fields: { cmd: [0, 4], driver: [4, 32], version: [36, 32] },
} as const satisfies Layout<string>;
const valueLayout = { size: 8, fields: { cmd: [0, 4], data: [4, 4] } } as const satisfies Layout<string>;
/** struct ethtool_channels. */
const channelsLayout = {
  size: 36,
  fields: {
    cmd: [0, 4],
    max_rx: [4, 4],
    max_tx: [8, 4],
    max_other: [12, 4],
    max_combined: [16, 4],
    rx_count: [20, 4],
    tx_count: [24, 4],
    other_count: [28, 4],
    combined_count: [32, 4],
  },
} as const satisfies Layout<string>;

/** What the kernel and the driver can do for packets, by the names that ethtool gives them. */
const offloadQuestions: Readonly<Record<string, number>> = {
  'rx-checksumming': uapi.ETHTOOL_GRXCSUM,
  'tx-checksumming': uapi.ETHTOOL_GTXCSUM,
  'scatter-gather': uapi.ETHTOOL_GSG,
  'tcp-segmentation-offload': uapi.ETHTOOL_GTSO,
  'generic-segmentation-offload': uapi.ETHTOOL_GGSO,
  'generic-receive-offload': uapi.ETHTOOL_GGRO,
};

/** How many queues of each kind. */
export interface Channels {
  readonly rx: number;
  readonly tx: number;
  /** For both directions. */
  readonly combined: number;
  readonly maxRx: number;
  readonly maxTx: number;
  readonly maxCombined: number;
}

/** An open socket for such questions. Disposing closes it. */
export class InterfaceControl implements Disposable {
  readonly #socket: Fd;

  /** @throws SysError */
  constructor() {
    this.#socket = new Fd(checked('open a socket', invoke('socket', [AF_INET, SOCK_DGRAM_CLOEXEC, 0])));
  }

  /** Bytes that a packet may have beside its link-layer header. @throws SysError ENODEV */
  mtu(ifname: string): number {
    const request = requestFor(ifname);
    this.#call(uapi.SIOCGIFMTU, request, `ask for the MTU of ${ifname}`);
    return request.get('number');
  }

  /** The driver's name, such as `veth` or `mlx5_core`; undefined for interfaces without one. @throws SysError */
  driver(ifname: string): string | undefined {
    const answer = new Block(driverLayout, { cmd: uapi.ETHTOOL_GDRVINFO });
    return this.#ethtool(ifname, answer.bytes) ? answer.text('driver') || undefined : undefined;
  }

  /** Undefined for drivers that do not tell. @throws SysError */
  channels(ifname: string): Channels | undefined {
    const answer = new Block(channelsLayout, { cmd: uapi.ETHTOOL_GCHANNELS });
    if (!this.#ethtool(ifname, answer.bytes)) return undefined;
    return {
      rx: answer.get('rx_count'),
      tx: answer.get('tx_count'),
      combined: answer.get('combined_count'),
      maxRx: answer.get('max_rx'),
      maxTx: answer.get('max_tx'),
      maxCombined: answer.get('max_combined'),
    };
  }

  /** Whether the card or driver puts received packets together (large receive offload); undefined when it does not tell. @throws SysError */
  lro(ifname: string): boolean | undefined {
    const answer = new Block(valueLayout, { cmd: uapi.ETHTOOL_GFLAGS });
    if (!this.#ethtool(ifname, answer.bytes)) return undefined;
    return (answer.get('data') & uapi.ETH_FLAG_LRO) !== 0;
  }

  /** The offloads that are on, in ethtool's words; those that a driver does not tell are left out. @throws SysError */
  offloads(ifname: string): string[] {
    return Object.entries(offloadQuestions).flatMap(([name, cmd]) => {
      const answer = new Block(valueLayout, { cmd });
      return this.#ethtool(ifname, answer.bytes) && answer.get('data') !== 0 ? [name] : [];
    });
  }

  /** Switches generic receive offload. @returns false when the interface has none @throws SysError */
  setGro(ifname: string, on: boolean): boolean {
    return this.#ethtool(ifname, new Block(valueLayout, { cmd: uapi.ETHTOOL_SGRO, data: on ? 1 : 0 }).bytes);
  }

  /** Switches segmentation of TCP by the card or the other end. @returns false when the interface has none @throws SysError */
  setTso(ifname: string, on: boolean): boolean {
    return this.#ethtool(ifname, new Block(valueLayout, { cmd: uapi.ETHTOOL_STSO, data: on ? 1 : 0 }).bytes);
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  /** @returns false when the interface has no such answer */
  #ethtool(ifname: string, answer: Uint8Array): boolean {
    const request = requestFor(ifname).point('data', answer);
    const result = Number(invoke('interface_ioctl', [this.#socket.value, uapi.SIOCETHTOOL, request.bytes]));
    if (result === 0) return true;
    const errno = lastErrno();
    if (['EOPNOTSUPP', 'EPERM', 'EINVAL'].includes(errnoName(errno))) return false;
    throw new SysError(`ask for the driver of ${ifname}`, errno);
  }

  #call(number: number, request: { readonly bytes: Uint8Array }, operation: string): void {
    checked(operation, invoke('interface_ioctl', [this.#socket.value, number, request.bytes]));
  }
}

function requestFor(ifname: string): Block<keyof typeof requestLayout.fields> {
  const request = new Block<keyof typeof requestLayout.fields>(requestLayout);
  // Kernel names have at most 15 bytes: one that is longer finds nothing.
  request.bytesOf('name').set(Buffer.from(ifname).subarray(0, 15));
  return request;
}
