/** What the members of test/fixtures/chain-members.h write into their maps, and what they read there. */
import type { BpfMap } from '../../src/ebpf/map.js';

/** XDP_PASS, which is what members return until they are told something else. */
export const pass = 2;

/** The members that one packet goes through, in their order. */
export function marksOfOne(marks: BpfMap, sendOne: () => void): number[] {
  marks.set(0, 0);
  sendOne();
  return Array.from({ length: Number(marks.get(0)) }, (_, index) => Number(marks.get(index + 1)));
}

/** What a member returns from now on, as a number of XDP. */
export function haveReturn(verdicts: BpfMap, member: number, verdict: number): void {
  verdicts.set(member, (verdict - pass) >>> 0);
}
