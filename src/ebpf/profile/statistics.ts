/** The time and the runs that the kernel sums up for every program while it is asked to. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NetkitError } from '../../base/errors.js';
import { capabilityHint } from '../../host/capabilities.js';
import { isErrno } from '../../sys/errno.js';
import { enableStatistics } from '../../sys/measuring-calls.js';
import type { Program } from '../program.js';
import { emptyProgram, runMany, syntheticPacket } from './empty-program.js';
import { less, type Measurement, type MeasureOptions, median } from './measurement.js';

const calibrationRounds = 5;
const runsARound = 20_000;

/**
 * Watches a program run on whatever it is attached to. Minimum kernel 5.8.
 * @throws NetkitError `not-permitted` without CAP_SYS_ADMIN, `interrupted`
 */
export async function measureByStatistics(
  program: Program,
  { seconds, signal }: MeasureOptions,
): Promise<Measurement> {
  using _counting = startCounting();
  const overheadNs = statisticsOverhead(program.info().type);
  const before = program.info();
  const start = performance.now();
  await observing(seconds, signal);
  const after = program.info();
  const runs = after.runCount - before.runCount;
  const total = Number(after.runTimeNs - before.runTimeNs);
  return {
    tier: 'statistics',
    runs,
    nsPerRun: runs === 0n ? undefined : less(total / Number(runs), overheadNs),
    overheadNs,
    seconds: (performance.now() - start) / 1000,
    counters: [],
  };
}

/**
 * Has the kernel count how often each program runs (`ProgramInfo.runCount`) until this is disposed of, which makes them slower.
 * @throws NetkitError `not-permitted`, `unsupported`
 */
export function startCounting(): Disposable {
  try {
    return enableStatistics();
  } catch (error) {
    if (isErrno(error, 'EPERM')) {
      throw new NetkitError('not-permitted', 'counting the runs of programs is not allowed for this user', {
        hint: capabilityHint('statistics'),
        cause: error,
      });
    }
    throw error;
  }
}

/** What the kernel counts for a program that does nothing: reading its clock takes a while. */
function statisticsOverhead(type: string): number {
  using empty = emptyProgram(type);
  const packet = syntheticPacket();
  runMany(empty, packet, runsARound);
  const rounds: number[] = [];
  for (let round = 0; round < calibrationRounds; round++) {
    const before = empty.info();
    runMany(empty, packet, runsARound);
    const after = empty.info();
    const runs = Number(after.runCount - before.runCount);
    if (runs > 0) rounds.push(Number(after.runTimeNs - before.runTimeNs) / runs);
  }
  return rounds.length === 0 ? 0 : median(rounds);
}

/** Waits as long as is observed. @throws NetkitError `interrupted` */
export async function observing(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(seconds * 1000, undefined, { signal });
  } catch (error) {
    if (signal?.aborted) throw new NetkitError('interrupted', 'interrupted', { cause: error });
    throw error;
  }
}
