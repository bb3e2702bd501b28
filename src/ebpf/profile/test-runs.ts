/** A program's time on a packet of one's own, away from any traffic. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { NetkitError } from '../../base/errors.js';
import type { Program } from '../program.js';
import { emptyProgram, hasEmptyProgram, runMany } from './empty-program.js';
import { less, type Measurement, type MeasureOptions, median } from './measurement.js';

/** A round blocks the process: long enough to measure, short enough to be interrupted. */
const roundNs = 40_000_000;
const mostRuns = 1_000_000;
const calibrationRounds = 5;

/**
 * Runs a program over and over on one packet; each run sees the packet as the one before left it, and maps are real. The
 * middle of all rounds counts. Minimum kernel 4.12, for types that run on packets.
 * @throws NetkitError `unsupported` for other types, `bad-value` for the packet, `interrupted`
 */
export async function measureByTestRuns(
  program: Program,
  packet: Uint8Array,
  { seconds, signal }: MeasureOptions,
): Promise<Measurement> {
  const { type } = program.info();
  const overheadNs = hasEmptyProgram(type) ? testRunOverhead(type, packet) : 0;
  const times = runsInARound(program, packet);
  const rounds: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  do {
    if (signal?.aborted) throw new NetkitError('interrupted', 'interrupted');
    rounds.push(runMany(program, packet, times));
    await nextTurn();
  } while (performance.now() < end);
  return {
    tier: 'test-run',
    runs: BigInt(rounds.length * times),
    nsPerRun: less(median(rounds), overheadNs),
    overheadNs,
    seconds: (performance.now() - start) / 1000,
    counters: [],
  };
}

function runsInARound(program: Program, packet: Uint8Array): number {
  const once = Math.max(1, runMany(program, packet, 1000));
  return Math.max(1, Math.min(mostRuns, Math.round(roundNs / once)));
}

function testRunOverhead(type: string, packet: Uint8Array): number {
  using empty = emptyProgram(type);
  const times = runsInARound(empty, packet);
  return median(Array.from({ length: calibrationRounds }, () => runMany(empty, packet, times)));
}
