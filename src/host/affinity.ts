/** Where and when this process and others run. */
import { setAffinity, setRealtime } from '../sys/scheduling.js';
import { procNames, procText } from './proc.js';

/** The CPUs that the calling thread may run on, in order. */
export function allowedCpus(): number[] {
  return cpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(procText('/proc/thread-self/status'))?.[1] ?? '0');
}

/** `0-2,5` → 0, 1, 2, 5 */
export function cpuList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}

/**
 * Keeps a thread, of any process, on some CPUs; 0 is the calling one, whose later child processes inherit it.
 * @throws SysError when the thread is gone, or one of the kernel's own that may not be moved
 */
export function keepOnCpus(tid: number, cpus: readonly number[]): void {
  setAffinity(tid, cpus);
}

/** The threads of this process but for the first: those of pools, which make asynchronous calls. */
export function otherThreads(): number[] {
  return procNames('/proc/self/task')
    .map(Number)
    .filter((tid) => tid !== process.pid);
}

/**
 * Runs `work`, which must be short and wait for nothing, without that ordinary processes get this thread's CPU meanwhile;
 * like them where that is not allowed. Children that it starts are ordinary ones.
 */
export function ahead<T>(work: () => T): T {
  if (!tryRealtime(1)) return work();
  try {
    return work();
  } finally {
    tryRealtime(0);
  }
}

/**
 * Lets a thread of any process, which must be one that sleeps most of the time, go before all ordinary ones on its CPU.
 * @param priority from 1 on: who has more goes before who has less
 * @returns false where that is not allowed: then nothing changes
 */
export function goAhead(tid: number, priority: number): boolean {
  return tryRealtime(priority, tid);
}

/** The same of work that waits, during which others have the CPU. */
export async function aheadWhile<T>(work: () => Promise<T>): Promise<T> {
  if (!tryRealtime(1)) return work();
  try {
    return await work();
  } finally {
    tryRealtime(0);
  }
}

function tryRealtime(priority: number, tid = 0): boolean {
  try {
    setRealtime(priority, tid);
    return true;
  } catch {
    return false;
  }
}

/** Nanoseconds that a thread has been on a CPU since it began; undefined when that cannot be known. */
export function busyNs(tid: number | 'own'): number | undefined {
  return schedulerNs(tid, 0);
}

/** Nanoseconds that a thread could have run since it began, and waited for a CPU; undefined when that cannot be known. */
export function waitedNs(tid: number | 'own'): number | undefined {
  return schedulerNs(tid, 1);
}

/** A figure of schedstat, by its place: Documentation/scheduler/sched-stats.rst. */
function schedulerNs(tid: number | 'own', place: 0 | 1): number | undefined {
  const folder = tid === 'own' ? 'thread-self' : `${tid}`;
  const figure = procText(`/proc/${folder}/schedstat`).split(' ')[place];
  return figure === undefined || figure === '' ? undefined : Number(figure);
}
