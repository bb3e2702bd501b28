/** Counters of each CPU, in maps that programs can read them from. */
import { readFileSync } from 'node:fs';
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { mapTypes } from '../../base/kernel-words.js';
import { Scope } from '../../base/scope.js';
import { capabilityHint } from '../../host/capabilities.js';
import { isErrno } from '../../sys/errno.js';
import type { Fd } from '../../sys/fd.js';
import { createMap, MapCalls } from '../../sys/map-calls.js';
import { enableEvent, openPerfEvent } from '../../sys/perf-event.js';
import { uapi } from '../../sys/uapi.js';
import { cpuNumbers, possibleCpus } from '../possible-cpus.js';

/** Something that the machine counts; numbers are those of perf_event_open(2). */
export interface Counter {
  readonly name: string;
  readonly type: number;
  readonly config: number;
}

/** What most machines count all at once. */
export const hardwareCounters: readonly Counter[] = [
  { name: 'cycles', type: uapi.PERF_TYPE_HARDWARE, config: uapi.PERF_COUNT_HW_CPU_CYCLES },
  { name: 'instructions', type: uapi.PERF_TYPE_HARDWARE, config: uapi.PERF_COUNT_HW_INSTRUCTIONS },
  { name: 'cache-misses', type: uapi.PERF_TYPE_HARDWARE, config: uapi.PERF_COUNT_HW_CACHE_MISSES },
  { name: 'branch-misses', type: uapi.PERF_TYPE_HARDWARE, config: uapi.PERF_COUNT_HW_BRANCH_MISSES },
];

/** Whether this machine counts it, on its first CPU. @throws NetkitError `not-permitted` without CAP_PERFMON */
export function isCounted(counter: Counter): boolean {
  try {
    using _event = openOn(counter, 0);
    return true;
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) {
      throw new NetkitError('not-permitted', 'counting events of the machine is not allowed for this user', {
        hint: capabilityHint('load-tracing'),
        cause: error,
      });
    }
    if (isErrno(error, 'ENOENT', 'EOPNOTSUPP', 'ENOTSUPP', 'ENODEV', 'EINVAL', 'ENOSYS')) return false;
    throw error;
  }
}

/** Counts on every CPU that is online, until the scope ends. @returns the map that programs read. @throws SysError */
export function startCounter(counter: Counter, scope: Scope): Fd {
  using opened = new Scope();
  const cpus = possibleCpus();
  const type = mapTypes.indexOf('perf_event_array');
  const map = opened.use(
    createMap({ map_type: type, key_size: 4, value_size: 4, max_entries: cpus }, 'netkit_counter'),
  );
  const calls = new MapCalls(map);
  for (const cpu of cpuNumbers(readFileSync('/sys/devices/system/cpu/online', 'utf8'))) {
    const event = opened.use(openOn(counter, cpu));
    enableEvent(event);
    const errno = calls.update(number(cpu), number(event.value));
    if (errno !== 0) throw calls.failure(errno);
  }
  scope.use(opened.move());
  return map;
}

function openOn({ name, type, config }: Counter, cpu: number): Fd {
  return openPerfEvent({ type, config, pid: -1, cpu }, `count ${name}`);
}

function number(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, hostIsLittleEndian);
  return bytes;
}
