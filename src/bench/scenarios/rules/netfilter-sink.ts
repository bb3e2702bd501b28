/** Counting what rules of netfilter drop without listing them, which takes long where they are many. */
import { receivedPackets } from '../../lab/device-counters.js';
import { iptables, packetsDropped } from '../../lab/iptables.js';
import { arrived } from '../drop/arrived.js';
import type { Counts, Sink, Stand } from '../drop/rung.js';

/**
 * What came in and no further is what was dropped; before and after all that is timed, what the rule itself has counted has to
 * be the same.
 * @param byRule all that the rule has counted since it was set up
 */
export function netfilterSink(stand: Stand, byRule: () => number): Sink {
  const count = (): Counts => {
    const { behind } = arrived(stand);
    return { taken: receivedPackets(stand.wire.to) - behind, lost: 0, behind };
  };
  return {
    count,
    isEarly: true,
    inspect: () => {
      const [dropped, { taken }] = [byRule(), count()];
      return {
        name: 'rule',
        ok: dropped === taken,
        detail: `the rule dropped ${dropped} packets, of ${taken} that came in and no further`,
      };
    },
  };
}

/** Packets of the rule with that number in PREROUTING of the table raw. */
export function rulePackets({ wire, log, family }: Stand, number: number): number {
  const tool = iptables[family];
  const listing = log.run(wire.to.place, tool, ['-t', 'raw', '-vnxL', 'PREROUTING', `${number}`]);
  return packetsDropped(listing, tool);
}
