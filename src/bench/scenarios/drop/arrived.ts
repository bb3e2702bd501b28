/** What comes further than a rung that should have dropped it. */
import { ipCounts, udpCounts } from '../../lab/udp-counters.js';
import type { Counts, Stand } from './rung.js';

/** What came up to UDP, or of a capture to IP, which a hook before it should have dropped. */
export function arrived({ wire, family, captured }: Pick<Stand, 'wire' | 'family' | 'captured'>): Counts {
  if (captured !== undefined) return { taken: 0, lost: 0, behind: ipCounts(wire.to.place.netns).received };
  const { read, noListener, noRoom, refused } = udpCounts(wire.to.place.netns, family);
  return { taken: 0, lost: 0, behind: read + noListener + noRoom + refused };
}
