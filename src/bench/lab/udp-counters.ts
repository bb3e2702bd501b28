/** What the kernel of a network namespace has counted of packets that came up to it. */
import { existsSync, readFileSync } from 'node:fs';
import { type Netns, withNetns } from '../../host/netns.js';
import type { Family } from './packet.js';

export interface UdpCounts {
  /** Read by programs. */
  readonly read: number;
  /** For which no socket waited. */
  readonly noListener: number;
  /** For which the socket had no room. */
  readonly noRoom: number;
  /** Refused by the socket for another reason, such as its filter. */
  readonly refused: number;
}

export function udpCounts(netns: Netns, family: Family): UdpCounts {
  // Not /proc/net, which is that of the process: only this thread is in the namespace.
  const folder = '/proc/thread-self/net';
  return withNetns(netns, () => {
    const count = family === 'ipv4' ? counts4(`${folder}/snmp`, 'Udp') : counts6(`${folder}/snmp6`, 'Udp6');
    const noRoom = count('RcvbufErrors') + count('MemErrors');
    return {
      read: count('InDatagrams'),
      noListener: count('NoPorts'),
      noRoom,
      refused: Math.max(0, count('InErrors') - noRoom),
    };
  });
}

/** Packets that came up to IP, of both families. */
export function ipCounts(netns: Netns): { readonly received: number } {
  const folder = '/proc/thread-self/net';
  return withNetns(netns, () => {
    const ipv6 = existsSync(`${folder}/snmp6`) ? counts6(`${folder}/snmp6`, 'Ip6') : () => 0;
    return { received: counts4(`${folder}/snmp`, 'Ip')('InReceives') + ipv6('InReceives') };
  });
}

/** A line of names, then one of numbers. */
function counts4(path: string, protocol: 'Udp' | 'Ip'): (name: string) => number {
  const lines = readFileSync(path, 'utf8').matchAll(new RegExp(`^${protocol}: (.*)$`, 'gm'));
  const [names = [], values = []] = [...lines].map((line) => (line[1] ?? '').split(' '));
  return (name) => Number(values[names.indexOf(name)] ?? 0);
}

/** A name and a number in each line. */
function counts6(path: string, protocol: 'Udp6' | 'Ip6'): (name: string) => number {
  const text = readFileSync(path, 'utf8');
  return (name) => Number(new RegExp(`^${protocol}${name}\\s+(\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}
