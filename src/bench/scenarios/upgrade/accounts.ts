/** Where packets ended, and who had signed them until then: what is lost, what is misjudged, and whether it adds up. */
import { hostIsLittleEndian } from '../../../base/byte-order.js';
import { viewOf } from '../../../base/raw-bytes.js';
import type { BpfMap } from '../../../ebpf/map.js';
import type { BenchCheck } from '../../document.js';
import type { Sent } from '../../lab/sender.js';

/** `sign` of the two programs of bpf/bench/upgrade.bpf.c. */
export const signs = ['1', '256'] as const;

/** Packets, by who had signed them when they ended; and how many each program says that it judged. */
export interface Ended {
  readonly neither: number;
  readonly one: number;
  readonly other: number;
  /** Both, or one of them twice. */
  readonly both: number;
  readonly judged: readonly [one: number, other: number];
}

/** Since they were loaded. @param ended, judged maps of bpf/bench/upgrade.bpf.c */
export function readEnded(ended: BpfMap, judged: readonly [BpfMap, BpfMap]): Ended {
  const [neither, one, other, both] = [0, 1, 2, 3].map((key) => sumAt(ended, key));
  return {
    neither: neither ?? 0,
    one: one ?? 0,
    other: other ?? 0,
    both: both ?? 0,
    judged: [sumAt(judged[0], 0), sumAt(judged[1], 0)],
  };
}

/** Of all CPUs. */
function sumAt(map: BpfMap, index: number): number {
  const key = new Uint8Array(4);
  viewOf(key).setUint32(0, index, hostIsLittleEndian);
  const bytes = map.getBytes(key) ?? new Uint8Array();
  const view = viewOf(bytes);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 8) sum += Number(view.getBigUint64(at, hostIsLittleEndian));
  return sum;
}

/** What came between two looks. */
export function endedSince(before: Ended, now: Ended): Ended {
  return {
    neither: now.neither - before.neither,
    one: now.one - before.one,
    other: now.other - before.other,
    both: now.both - before.both,
    judged: [now.judged[0] - before.judged[0], now.judged[1] - before.judged[1]],
  };
}

/** How many packets ended. */
export function allEnded({ neither, one, other, both }: Ended): number {
  return neither + one + other + both;
}

/** How many met neither program, or both. */
export function misjudged({ neither, both }: Ended): number {
  return neither + both;
}

/** What does not add up. */
export function accountFailures(
  { generated, sent, queueDrops, redirectErrors }: Omit<Sent, 'busySeconds'>,
  ended: Ended,
): BenchCheck[] {
  const found: BenchCheck[] = [];
  const fail = (detail: string): unknown => found.push({ name: 'accounting', ok: false, detail });
  const known = sent + queueDrops + redirectErrors;
  if (generated !== known) fail(`${generated} packets were made, and ${known} are known of`);
  const all = allEnded(ended);
  if (all > sent) fail(`${sent} packets were sent, and ${all} ended`);
  const [one, other] = ended.judged;
  // Those of a packet that is lost behind the programs, or that met both, are not known one by one.
  if (all === sent && ended.both === 0 && (one !== ended.one || other !== ended.other))
    fail(
      `the programs judged ${one} and ${other} packets, and ${ended.one} and ${ended.other} with their signs ended`,
    );
  return found;
}
