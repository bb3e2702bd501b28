/** What tells one process from every other of this boot, so that it can be known later whether it has ended. */
import { readFileSync, readlinkSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** In clock ticks since boot, in decimal: a later process of the same id has another. */
  readonly startTime: string;
  /** As /proc has it, `pid:[4026531836]`: an id means something only in there. */
  readonly pidNamespace: string;
}

/** Of this process. */
export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    startTime: startTimeOf('self') ?? '',
    pidNamespace: pidNamespace(),
  };
}

/** False only when it has surely ended: of a process in another namespace of processes nothing is known. */
export function mayBeAlive({ pid, startTime, pidNamespace: namespace }: ProcessIdentity): boolean {
  return namespace !== pidNamespace() || startTimeOf(String(pid)) === startTime;
}

function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid');
}

/** Undefined when there is no such process, and for one that has ended and whose parent has not asked yet. */
function startTimeOf(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name, which may hold anything. proc(5): field 3 is the state, field 22 the start time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
