/** What takes packets off the wire at the receiver: a thread of the kernel's, so that it has a CPU and a time of its own. */
import { existsSync, writeFileSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { busyNs, keepOnCpus, waitedNs } from '../../host/affinity.js';
import { type Netns, withNetns } from '../../host/netns.js';
import { commandOf, otherProcesses } from '../../host/proc.js';
import { openSysfs } from '../../host/sysfs.js';
import { highest } from './placement.js';

/** How long the kernel may take to start it. */
const patienceMs = 2000;

export class NapiThread {
  readonly pid: number;

  constructor(pid: number) {
    this.pid = pid;
  }

  /** Nanoseconds that it has been on a CPU since it began; undefined where the kernel keeps no such account. */
  busyNs(): number | undefined {
    return busyNs(this.pid);
  }

  /** Nanoseconds that it had something to do since then, and others had its CPU; undefined likewise. */
  waitedNs(): number | undefined {
    return waitedNs(this.pid);
  }
}

/**
 * Has an interface's packets taken by threads, and keeps those on one CPU. Minimum kernel 5.12.
 * @throws NetkitError `unsupported` on an older kernel, and where the kernel's threads cannot be seen
 */
export async function threadedNapi(netns: Netns, ifname: string, cpu: number): Promise<NapiThread> {
  withNetns(netns, () => {
    using sysfs = openSysfs();
    const switchFile = sysfs.path(`class/net/${ifname}/threaded`);
    if (!existsSync(switchFile)) throw new NetkitError('unsupported', 'this kernel has no threads for NAPI');
    writeFileSync(switchFile, '1');
  });
  const name = `napi/${ifname}-`;
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const pid = otherProcesses().find((each) => commandOf(each).startsWith(name));
    if (pid !== undefined) {
      keepOnCpus(pid, [cpu]);
      highest(pid);
      return new NapiThread(pid);
    }
    if (performance.now() > deadline) {
      throw new NetkitError('unsupported', `the kernel's thread ${name}… is not to be seen`, {
        hint: 'in a container, benchmarks need the process ids of the host',
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
