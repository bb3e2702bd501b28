import type { Fd } from '../sys/fd.js';
import { openUdpSocket as open } from '../sys/udp-socket.js';
import { type Netns, withNetns } from './netns.js';

export interface UdpSocketOptions {
  readonly netns?: Netns | undefined;
  readonly family: 'ipv4' | 'ipv6';
  readonly port: number;
  /** Whole seconds after which a read that got nothing fails with EAGAIN. */
  readonly receiveTimeout: number;
}

/** A UDP socket that waits on a port of every address. */
export class UdpSocket implements Disposable {
  readonly #fd: Fd;

  /** @throws SysError EADDRINUSE, EAFNOSUPPORT */
  constructor({ netns, family, port, receiveTimeout }: UdpSocketOptions) {
    this.#fd = withNetns(netns, () => open(family, port, receiveTimeout));
  }

  /** Its descriptor, open until this is disposed of. */
  get fd(): number {
    return this.#fd.value;
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}
