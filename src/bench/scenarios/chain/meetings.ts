/** What the functions of a chain have counted together: who saw how many packets, and whether each in its turn. */
import { hostIsLittleEndian } from '../../../base/byte-order.js';
import { viewOf } from '../../../base/raw-bytes.js';
import type { BpfMap } from '../../../ebpf/map.js';
import type { BenchCheck } from '../../document.js';

/** `struct meetings` of bpf/bench/chain.bpf.c. */
const places = 16;
const at = { misplaced: 8, dropped: 16, seen: 24 } as const;
export const meetingsSize = at.seen + 8 * places;

/** Of all packets until now. */
export interface Meetings {
  /** Packets that came to a function when it was another one's turn. */
  readonly misplaced: number;
  /** By the last function. */
  readonly dropped: number;
  /** How many packets each function saw, in the order of the chain, the one that drops included. */
  readonly seen: readonly number[];
}

/** @param bytes one `struct meetings` for each CPU @param functions in front of the one that drops */
export function readMeetings(bytes: Uint8Array, functions: number): Meetings {
  const view = viewOf(bytes);
  const sum = (offset: number): number => {
    let total = 0;
    for (let cpu = 0; cpu + meetingsSize <= bytes.length; cpu += meetingsSize)
      total += Number(view.getBigUint64(cpu + offset, hostIsLittleEndian));
    return total;
  };
  return {
    misplaced: sum(at.misplaced),
    dropped: sum(at.dropped),
    seen: Array.from({ length: functions + 1 }, (_, place) => sum(at.seen + 8 * place)),
  };
}

/** @param packets that there were; undefined when some may be on their way */
export function orderCheck({ misplaced, seen }: Meetings, packets: number | undefined): BenchCheck {
  const [first = 0] = seen;
  const ok = misplaced === 0 && seen.every((each) => each === (packets ?? first));
  const who = seen.length === 1 ? 'the one function' : `each of ${seen.length} functions`;
  const detail = ok
    ? `${who} saw each of ${first} packets, in order`
    : `the functions saw ${seen.join(', ')} of ${packets ?? first} packets, ${misplaced} out of order`;
  return { name: 'order', ok, detail };
}

/** @param met the map that the functions share @param functions in front of the one that drops */
export function wayOf(met: BpfMap, functions: number) {
  const read = (): Meetings => readMeetings(met.getBytes(new Uint8Array(4)) ?? new Uint8Array(), functions);
  return {
    dropped: () => read().dropped,
    inspect: (packets: number | undefined) => orderCheck(read(), packets),
  };
}
