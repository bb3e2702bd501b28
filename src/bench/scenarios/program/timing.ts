/** How long a run of a program takes, by test runs of the kernel. */
import type { Program } from '../../../ebpf/program.js';
import { ascending, middleMean, quantile } from '../../statistics/quantile.js';

/** A call is to take so long: well above the grain of the clock, and short enough that many fit into a slice. */
const callNs = 2_000_000;
/** XDP programs wait for a grace period of 16 ms in each call of more than one run, which is not counted. */
const xdpCallNs = 20_000_000;
const mostRuns = 2_000_000;
const calibrationRuns = 1000;
/** With fewer, their spread says nothing. */
const fewestCalls = 8;

/**
 * How often a call is to run it. Where a run changes the packet, the next one would see it changed: then there is one run in a
 * call, each with the packet as it was given.
 */
export function repeatsFor(program: Program, packet: Uint8Array, changesPackets: boolean): number {
  if (changesPackets) return 1;
  const { nsPerRun } = program.testRun({ data: packet, repeat: calibrationRuns });
  const wanted = (program.info().type === 'xdp' ? xdpCallNs : callNs) / Math.max(nsPerRun, 1);
  return Math.max(2, Math.min(mostRuns, Math.round(wanted)));
}

/** What a slice came to. */
export interface Timing {
  /** Nanoseconds a run: the mean of the middle half of all calls. */
  readonly nsPerRun: number;
  /** From the tenth to the ninetieth percentile of the calls, as a share of the middle; undefined with few calls. */
  readonly spread: number | undefined;
  readonly seconds: number;
}

/** Runs a program on each packet in turn for about so long; every packet as often. */
export function timeRuns(
  program: Program,
  packets: readonly Uint8Array[],
  repeat: number,
  seconds: number,
): Timing {
  const started = performance.now();
  const rounds: number[] = [];
  do {
    let sum = 0;
    for (const data of packets) sum += nsOfRun(program, data, repeat);
    rounds.push(sum / packets.length);
  } while (performance.now() - started < seconds * 1000);
  const sorted = ascending(rounds);
  const nsPerRun = middleMean(sorted);
  const isKnown = sorted.length >= fewestCalls && nsPerRun > 0;
  const spread = isKnown ? (quantile(sorted, 0.9) - quantile(sorted, 0.1)) / nsPerRun : undefined;
  return { nsPerRun, spread, seconds: (performance.now() - started) / 1000 };
}

/**
 * The kernel gives the mean in whole nanoseconds, which is 5 % of the shortest ones. The processor time of this process, which
 * does nothing else meanwhile and does not count what the kernel waits for, has no such grain.
 */
function nsOfRun(program: Program, data: Uint8Array, repeat: number): number {
  const before = process.cpuUsage();
  const { nsPerRun } = program.testRun({ data, repeat });
  if (repeat === 1) return nsPerRun;
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / repeat;
}
