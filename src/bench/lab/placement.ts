/** What runs on which CPU. */
import { constants, setPriority } from 'node:os';
import type { Scope } from '../../base/scope.js';
import { allowedCpus, keepOnCpus } from '../../host/affinity.js';
import type { BenchEnvironment } from '../document.js';

export interface Placement {
  readonly sender: number;
  readonly receiver: number;
  /** One CPU for both: the figures are of both together. */
  readonly isShared: boolean;
  readonly record: BenchEnvironment['placement'];
}

/** The sender on one CPU, all that receives on another, where there is one; keeps this process on the sender's until the scope ends. */
export function place(scope: Scope): Placement {
  const allowed = allowedCpus();
  const [sender = 0, second] = allowed;
  const receiver = second ?? sender;
  keepOnCpus(0, [sender]);
  scope.defer(() => keepOnCpus(0, allowed));
  return {
    sender,
    receiver,
    isShared: second === undefined,
    record: [
      { what: 'netkit, which sends (SCHED_RR while it does)', cpus: [sender] },
      {
        what: 'the NAPI threads of the receiving interfaces (nice -20, but 0 where a program reads), and that program',
        cpus: [receiver],
      },
    ],
  };
}

/** Where what is measured is the process itself: keeps it on one of its CPUs until the scope ends. @returns that CPU */
export function placedAlone(scope: Scope): number {
  const allowed = allowedCpus();
  const cpu = allowed.at(-1) ?? 0;
  keepOnCpus(0, [cpu]);
  scope.defer(() => keepOnCpus(0, allowed));
  return cpu;
}

/** Lets a process take turns with all others. */
export function ordinary(pid: number): void {
  setPriority(pid, constants.priority.PRIORITY_NORMAL);
}

/**
 * Lets a process go before all others that share its CPU.
 * @returns false where that is not allowed: then it takes its turn
 */
export function highest(pid: number): boolean {
  try {
    setPriority(pid, constants.priority.PRIORITY_HIGHEST);
    return true;
  } catch {
    return false;
  }
}
