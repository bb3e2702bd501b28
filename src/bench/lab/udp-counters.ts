/** What the kernel of a network namespace has counted of UDP packets that came up to it. */
import { readFileSync } from 'node:fs';
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
    const count = family === 'ipv4' ? counts4(`${folder}/snmp`) : counts6(`${folder}/snmp6`);
    const noRoom = count('RcvbufErrors') + count('MemErrors');
    return {
      read: count('InDatagrams'),
      noListener: count('NoPorts'),
      noRoom,
      refused: Math.max(0, count('InErrors') - noRoom),
    };
  });
}

/** A line of names, then one of numbers. */
function counts4(path: string): (name: string) => number {
  const [names = [], values = []] = [...readFileSync(path, 'utf8').matchAll(/^Udp: (.*)$/gm)].map((line) =>
    (line[1] ?? '').split(' '),
  );
  return (name) => Number(values[names.indexOf(name)] ?? 0);
}

/** A name and a number in each line. */
function counts6(path: string): (name: string) => number {
  const text = readFileSync(path, 'utf8');
  return (name) => Number(new RegExp(`^Udp6${name}\\s+(\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}
