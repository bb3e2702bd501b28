/** What runs on which CPU. */
import { stat } from 'node:fs/promises';
import { constants, getPriority, setPriority } from 'node:os';
import type { Scope } from '../../base/scope.js';
import { allowedCpus, keepOnCpus, otherThreads } from '../../host/affinity.js';
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

/**
 * The same where another thread of this process sends, and the main one works meanwhile: that on a third CPU, where there is
 * one, else on the sender's, which it takes from it when it has something to do.
 */
export async function placeBeside(scope: Scope): Promise<Placement> {
  const allowed = allowedCpus();
  const { sender, receiver, isShared } = place(scope);
  const own = allowed[2] ?? sender;
  // The pool that makes asynchronous calls begins with the first of them.
  await stat('/');
  for (const tid of otherThreads()) {
    keepOnCpus(tid, [sender]);
    const usual = getPriority(tid);
    highest(tid);
    scope.defer(() => {
      keepOnCpus(tid, allowed);
      setPriority(tid, usual);
    });
  }
  keepOnCpus(0, [own]);
  return {
    sender,
    receiver,
    isShared,
    record: [
      { what: 'a thread of netkit, which sends (nice -20)', cpus: [sender] },
      { what: 'the thread of netkit that replaces programs (SCHED_RR)', cpus: [own] },
      { what: 'the NAPI threads of the receiving interfaces (nice -20)', cpus: [receiver] },
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
