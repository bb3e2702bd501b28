/** A program measured at its entry and its exit, by programs that netkit attaches to it for the time of observation. */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { attachTypes, mapTypes, programTypes } from '../../base/kernel-words.js';
import { Scope } from '../../base/scope.js';
import { capabilityHint } from '../../host/capabilities.js';
import { openRawTracepoint } from '../../sys/attach-calls.js';
import { isErrno } from '../../sys/errno.js';
import type { Fd } from '../../sys/fd.js';
import { createMap, MapCalls } from '../../sys/map-calls.js';
import { loadParts } from '../../sys/measuring-calls.js';
import { possibleCpus } from '../possible-cpus.js';
import type { Program } from '../program.js';
import { readProgramCode } from '../program-code.js';
import { type Counter, startCounter } from './counters.js';
import { emptyTypedProgram, runMany, syntheticPacket } from './empty-program.js';
import { less, type Measurement, type MeasureOptions } from './measurement.js';
import { observing } from './statistics.js';
import { entryCode, exitCode, type Place, slotsOf } from './tracing-code.js';

const calibrationRuns = 20_000;

/** Sums over all CPUs. */
interface Totals {
  readonly runs: bigint;
  readonly ns: bigint;
  readonly counters: readonly bigint[];
}

/**
 * Measures the runs of a program with `fentry` and `fexit`, and counters between them when there are any. Minimum kernel
 * 5.5, for programs with BTF that the kernel compiled.
 * @throws NetkitError `unsupported` where that is barred, or the program has no BTF; `not-permitted`; `interrupted`
 */
export async function measureByTracing(
  program: Program,
  counters: readonly Counter[],
  { seconds, signal }: MeasureOptions,
): Promise<Measurement> {
  using scope = new Scope();
  const maps = counters.map((counter) => startCounter(counter, scope));
  const functionType = functionTypeOf(program);
  const overhead = tracingOverhead(program.info().type, maps);
  const meter = scope.use(attachMeter(program, functionType, maps));
  const start = performance.now();
  await observing(seconds, signal);
  const { runs, ns, counters: totals } = meter.read();
  const count = Number(runs);
  return {
    tier: counters.length > 0 ? 'counters' : 'fentry',
    runs,
    nsPerRun: runs === 0n ? undefined : less(Number(ns) / count, overhead.ns),
    overheadNs: overhead.ns,
    seconds: (performance.now() - start) / 1000,
    counters: counters.map(({ name }, index) => ({
      name,
      total: totals[index] ?? 0n,
      perRun: runs === 0n ? 0 : less(Number(totals[index] ?? 0n) / count, overhead.counters[index] ?? 0),
    })),
  };
}

function functionTypeOf(program: Program): number {
  const [main] = readProgramCode(program).functions;
  if (main !== undefined) return main.type;
  throw new NetkitError('unsupported', 'the program has no BTF, so nothing can be attached to it', {
    hint: 'compile it with clang -g',
  });
}

/** What one run of a program that does nothing takes, measured so. */
function tracingOverhead(type: string, counters: readonly Fd[]): { ns: number; counters: number[] } {
  const { program, functionType } = emptyTypedProgram(type);
  using empty = program;
  using meter = attachMeter(empty, functionType, counters);
  const packet = syntheticPacket();
  runMany(empty, packet, calibrationRuns);
  const before = meter.read();
  runMany(empty, packet, calibrationRuns);
  const after = meter.read();
  const runs = Math.max(1, Number(after.runs - before.runs));
  return {
    ns: Number(after.ns - before.ns) / runs,
    counters: after.counters.map((total, index) => Number(total - (before.counters[index] ?? 0n)) / runs),
  };
}

/** Two programs attached to another one. Disposing detaches them. */
class Meter implements Disposable {
  readonly #values: Fd;
  readonly #counters: number;
  readonly #scope: Scope;

  constructor(values: Fd, counters: number, scope: Scope) {
    this.#values = values;
    this.#counters = counters;
    this.#scope = scope;
  }

  read(): Totals {
    const slots = slotsOf(this.#counters);
    const cpus = possibleCpus();
    const bytes = new Uint8Array(slots * 8 * cpus);
    const calls = new MapCalls(this.#values);
    const errno = calls.lookup(new Uint8Array(4), bytes);
    if (errno !== 0) throw calls.failure(errno);
    const view = new DataView(bytes.buffer);
    const total = (slot: number): bigint => {
      let sum = 0n;
      for (let cpu = 0; cpu < cpus; cpu++)
        sum += view.getBigUint64((cpu * slots + slot) * 8, hostIsLittleEndian);
      return sum;
    };
    const counters = Array.from({ length: this.#counters }, (_, index) => total(4 + index * 2));
    return { runs: total(1), ns: total(2), counters };
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

function attachMeter(program: Program, functionType: number, counters: readonly Fd[]): Meter {
  using scope = new Scope();
  const values = scope.use(
    createMap(
      {
        map_type: mapTypes.indexOf('percpu_array'),
        key_size: 4,
        value_size: slotsOf(counters.length) * 8,
        max_entries: 1,
      },
      'netkit_profile',
    ),
  );
  const place: Place = { values, counters };
  try {
    // The exit first: it counts nothing until it has seen an entry.
    scope.use(attached(program, functionType, 'trace_fexit', exitCode(place), scope));
    scope.use(attached(program, functionType, 'trace_fentry', entryCode(place), scope));
  } catch (error) {
    throw explained(error);
  }
  return new Meter(values, counters.length, scope.move());
}

function attached(
  target: Program,
  functionType: number,
  attachType: 'trace_fentry' | 'trace_fexit',
  instructions: Uint8Array,
  scope: Scope,
): Fd {
  const parts = {
    type: programTypes.indexOf('tracing'),
    instructions,
    name: 'netkit_profile',
    values: {
      expected_attach_type: attachTypes.indexOf(attachType),
      attach_btf_id: functionType,
      attach_prog_fd: target.fd.value,
    },
  };
  const program = scope.use(loadParts(parts));
  return openRawTracepoint(program, undefined, 'attach to a program');
}

function explained(error: unknown): unknown {
  const cause = { cause: error };
  if (isErrno(error, 'EPERM', 'EACCES')) {
    const hint = capabilityHint('load-tracing');
    return hint === undefined
      ? new NetkitError('unsupported', 'this kernel lets nobody attach to programs (fentry, fexit)', cause)
      : new NetkitError('not-permitted', 'attaching to programs is not allowed for this user', {
          hint,
          ...cause,
        });
  }
  if (isErrno(error, 'EINVAL', 'EOPNOTSUPP', 'ENOTSUPP', 'EBUSY', 'E2BIG')) {
    return new NetkitError(
      'unsupported',
      'the kernel attaches nothing to this program: it is interpreted, or its kind cannot be traced',
      cause,
    );
  }
  return error;
}
