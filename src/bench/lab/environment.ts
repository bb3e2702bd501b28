/** What a figure depends on beside what is measured. */
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, release, totalmem, version } from 'node:os';
import { procNames, procText } from '../../host/proc.js';
import type { BenchEnvironment } from '../document.js';

type Addition = Partial<Pick<BenchEnvironment, 'tools' | 'interfaces' | 'placement' | 'commands'>>;

/** Settings that change such figures, by the files that show them. */
const settingFiles = {
  'net.core.bpf_jit_enable': '/proc/sys/net/core/bpf_jit_enable',
  'net.core.bpf_jit_harden': '/proc/sys/net/core/bpf_jit_harden',
  'kernel.bpf_stats_enabled': '/proc/sys/kernel/bpf_stats_enabled',
  'net.core.netdev_budget': '/proc/sys/net/core/netdev_budget',
  'net.core.rmem_default': '/proc/sys/net/core/rmem_default',
  'kernel.sched_rt_runtime_us': '/proc/sys/kernel/sched_rt_runtime_us',
  clocksource: '/sys/devices/system/clocksource/clocksource0/current_clocksource',
  preemption: '/sys/kernel/debug/sched/preempt',
  'cpu0 governor': '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor',
  'simultaneous multithreading': '/sys/devices/system/cpu/smt/control',
  'transparent huge pages': '/sys/kernel/mm/transparent_hugepage/enabled',
} as const;

const vulnerabilities = '/sys/devices/system/cpu/vulnerabilities';

/** The time of all CPUs, in clock ticks: each kind of /proc/stat. */
interface CpuTimes {
  readonly all: number;
  readonly idle: number;
  readonly steal: number;
}

/** Begins when it is made. */
export class EnvironmentRecord {
  readonly #loadBefore = loadNow();
  readonly #before = cpuTimes();
  readonly #ownBefore = ownTicks();

  /**
   * @param added what the scenario knows
   * @param busySeconds what helpers outside of this process took of the CPUs meanwhile
   */
  finish(added: Addition, busySeconds = 0): BenchEnvironment {
    return {
      kernel: { release: release(), version: version(), architecture: arch(), settings: settings() },
      machine: {
        cpu: cpus()[0]?.model.trim() || 'unknown',
        cpus: cpus().length,
        memory: totalmem(),
        isVirtual: isVirtual(),
      },
      during: this.#during(busySeconds),
      tools: [{ name: 'node', version: process.version.slice(1) }, ...(added.tools ?? [])],
      interfaces: added.interfaces ?? [],
      placement: added.placement ?? [],
      commands: added.commands ?? [],
    };
  }

  #during(busySeconds: number): BenchEnvironment['during'] {
    const after = cpuTimes();
    const all = Math.max(1, after.all - this.#before.all);
    const busy = all - (after.idle - this.#before.idle) - (after.steal - this.#before.steal);
    const own = ownTicks() - this.#ownBefore + busySeconds * ticksPerSecond;
    return {
      loadBefore: this.#loadBefore,
      loadAfter: loadNow(),
      steal: (after.steal - this.#before.steal) / all,
      others: Math.max(0, busy - own) / all,
    };
  }
}

/** USER_HZ of every architecture that Linux has today. */
const ticksPerSecond = 100;

function loadNow(): number {
  return loadavg()[0] ?? 0;
}

/** proc(5): user nice system idle iowait irq softirq steal; guests are in user already. */
function cpuTimes(): CpuTimes {
  const times = (/^cpu +(.*)$/m.exec(procText('/proc/stat'))?.[1] ?? '').split(' ').map(Number).slice(0, 8);
  const [, , , idle = 0, waiting = 0, , , steal = 0] = times;
  return { all: times.reduce((sum, time) => sum + time, 0), idle: idle + waiting, steal };
}

/** What this process and its children that have ended took: utime, stime, cutime, cstime of proc(5). */
function ownTicks(): number {
  const stat = procText('/proc/self/stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}

function settings(): BenchEnvironment['kernel']['settings'] {
  const read = Object.entries(settingFiles).map(([name, path]) => ({ name, value: procText(path).trim() }));
  const mitigations = procNames(vulnerabilities)
    .sort()
    .map((name) => ({ name: `mitigation of ${name}`, value: procText(`${vulnerabilities}/${name}`).trim() }));
  const command = { name: 'kernel command line', value: procText('/proc/cmdline').trim() };
  return [...read, ...mitigations, command].filter(({ value }) => value !== '');
}

/** The processor says so itself on x86; elsewhere what the firmware calls the machine does not tell. */
function isVirtual(): boolean | null {
  if (arch() !== 'x64') return null;
  return /^flags\s*:.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
}
