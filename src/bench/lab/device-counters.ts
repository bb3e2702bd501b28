/** What the kernel has counted at an interface. */
import { readFileSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { withNetns } from '../../host/netns.js';
import type { End } from './network.js';

/** Packets that came in. @throws NetkitError `not-found` */
export function receivedPackets({ ifname, place: { netns } }: Pick<End, 'ifname' | 'place'>): number {
  // Not /proc/net, which is that of the process: only this thread is in the namespace.
  const listing = withNetns(netns, () => readFileSync('/proc/thread-self/net/dev', 'utf8'));
  const packets = new RegExp(`^\\s*${ifname}:\\s*\\d+\\s+(\\d+)`, 'm').exec(listing)?.[1];
  if (packets === undefined) throw new NetkitError('not-found', `no interface '${ifname}' there`);
  return Number(packets);
}
