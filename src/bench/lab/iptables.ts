/** The iptables command of a family, and what its listings say. */
import { NetkitError } from '../../base/errors.js';

export const iptables = { ipv4: 'iptables', ipv6: 'ip6tables' } as const;

/**
 * Packets that the first rule dropped which a listing with `-vnx` has.
 * @throws NetkitError `tool-failed` when it has none
 */
export function packetsDropped(listing: string, tool: string): number {
  // Two lines of headings where it is not one rule alone, then `packets bytes target …`.
  const packets = /^\s*(\d+)\s+\d+\s+DROP\s/m.exec(listing)?.[1];
  if (packets === undefined) throw new NetkitError('tool-failed', `${tool} lists no rule that drops`);
  return Number(packets);
}
