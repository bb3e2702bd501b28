/** Hooks that look into the kernel and into programs. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { expect } from 'vitest';
import {
  type AttachOptions,
  freplace,
  iterator,
  iteratorText,
  kprobe,
  kprobeMulti,
  ksyscall,
  perfEvent,
  rawTracepoint,
  structOps,
  tracepoint,
  tracing,
  uprobe,
  uprobeMulti,
  usdt,
} from '../../../../src/ebpf/attach/index.js';
import { load } from '../../../../src/ebpf/load.js';
import { atLeast } from '../../../../src/host/kernel.js';
import { isErrno } from '../../../../src/sys/errno.js';
import { ethernet, ipv4, packet, payload, udp } from '../../../support/packets.js';
import { chooseCongestionControl, tcpPair } from '../../../support/socket-calls.js';
import { type Bench, callGetpgid, type HookCase, hitsOf, proveFiring } from './bench.js';

const frame = packet(ethernet(), ipv4(), udp(), payload(64));
const prefix = process.arch === 'arm64' ? '__arm64_sys_' : '__x64_sys_';

function traceCase(
  hook: string,
  options: (bench: Bench) => AttachOptions,
  fire: (bench: Bench) => void,
  more: Partial<HookCase> = {},
): HookCase {
  return {
    hook,
    ...more,
    prove: async (bench) => {
      using counted = bench.load(hook);
      return await proveFiring(
        () => counted.hits(),
        () => counted.program.attach(options(bench)),
        () => fire(bench),
      );
    },
  };
}

const getpgid = `${prefix}getpgid`;
const kprobes = { has: 'kprobe' as const };
const manyKprobes = { since: [5, 18] as const, has: 'kprobe.multi' as const };
const manyUprobes = { since: [6, 6] as const, has: 'uprobe.multi' as const };
const uprobeSessions = { since: [6, 13] as const, has: 'uprobe.session' as const };
const sleeping = { since: [6, 0] as const };

const callProbed = ({ probed }: Bench): void => void probed.call(1);
const hitProbe = ({ probed }: Bench): void => probed.hit(1);
const place = { symbol: 'netkit_probed' };
const symbol = { symbols: [getpgid] };
const one = ({ library }: Bench) => uprobe({ binary: library, ...place });
const onReturn = ({ library }: Bench) =>
  uprobe({ binary: library, ...place, returns: true, pid: process.pid });
const many = ({ library }: Bench) => uprobeMulti({ binary: library, places: [place] });
const manyReturns = ({ library }: Bench) => uprobeMulti({ binary: library, places: [place], returns: true });
const session = ({ library }: Bench) => uprobeMulti({ binary: library, places: [place], session: true });
const probe = ({ library }: Bench) => usdt({ binary: library, provider: 'netkit_test', name: 'hit' });

const openNull = (): void => closeSync(openSync('/dev/null', 'r'));

/** The kernel calls its own test functions when a program for them is run. */
function fentryFunction(bench: Bench): void {
  using own = bench.loadNamed('on_fentry');
  own.program.run();
}

function spin(): void {
  const end = performance.now() + 50;
  while (performance.now() < end);
}

/** A test run, at whose end the kernel has an event whose arguments may be written. */
function testRun(bench: Bench): void {
  using other = bench.loadNamed('on_xdp');
  other.program.testRun({ data: frame });
}

/** Sleepable programs on functions: those that may fail by injection, which no Debian kernel has, or those of a list. */
const sleepableFunctions = { since: [6, 3] as const, has: 'fentry' as const };

function congestionCase(hook: string, objectName: string, more: Partial<HookCase> = {}): HookCase {
  return {
    hook,
    has: 'struct_ops',
    ...more,
    prove: async (bench) => {
      using object = load(bench.spec(objectName));
      // Only a connection begins to be controlled.
      const choose = () =>
        bench.netns.inside(() => {
          using pair = tcpPair();
          try {
            chooseCongestionControl(pair.client, 'bpf_netkit_test');
          } catch (error) {
            if (!isErrno(error, 'ENOENT')) throw error;
          }
        });
      return await proveFiring(
        () => hitsOf(object),
        () => object.program('init').attach(structOps({ map: object.map('control') })),
        choose,
      );
    },
  };
}

export const tracingCases: readonly HookCase[] = [
  traceCase('kprobe', () => kprobe({ symbol: getpgid }), callGetpgid, kprobes),
  traceCase('kretprobe', () => kprobe({ symbol: getpgid, returns: true }), callGetpgid, kprobes),
  traceCase('ksyscall', () => ksyscall({ syscall: 'getpgid' }), callGetpgid, kprobes),
  traceCase('kretsyscall', () => ksyscall({ syscall: 'getpgid', returns: true }), callGetpgid, kprobes),
  traceCase('kprobe.multi', () => kprobeMulti(symbol), callGetpgid, manyKprobes),
  traceCase('kretprobe.multi', () => kprobeMulti({ ...symbol, returns: true }), callGetpgid, manyKprobes),
  traceCase('kprobe.session', () => kprobeMulti({ ...symbol, session: true }), callGetpgid, {
    since: [6, 10],
    has: 'kprobe.session',
  }),
  traceCase('uprobe', one, callProbed),
  traceCase('uprobe.s', one, callProbed, sleeping),
  traceCase('uretprobe', onReturn, callProbed),
  traceCase('uretprobe.s', onReturn, callProbed, sleeping),
  traceCase('uprobe.multi', many, callProbed, manyUprobes),
  traceCase('uprobe.multi.s', many, callProbed, manyUprobes),
  traceCase('uretprobe.multi', manyReturns, callProbed, manyUprobes),
  traceCase('uretprobe.multi.s', manyReturns, callProbed, manyUprobes),
  traceCase('uprobe.session', session, callProbed, uprobeSessions),
  traceCase('uprobe.session.s', session, callProbed, uprobeSessions),
  traceCase('usdt', probe, hitProbe),
  traceCase('usdt.s', probe, hitProbe, sleeping),
  traceCase(
    'tracepoint',
    () => tracepoint({ category: 'syscalls', event: 'sys_enter_getpgid' }),
    callGetpgid,
  ),
  traceCase('tp', () => tracepoint({ category: 'syscalls', event: 'sys_exit_getpgid' }), callGetpgid),
  traceCase('raw_tracepoint', () => rawTracepoint({ event: 'sys_enter' }), callGetpgid),
  traceCase('raw_tp', () => rawTracepoint({ event: 'sys_exit' }), callGetpgid),
  traceCase('raw_tracepoint.w', () => rawTracepoint({ event: 'bpf_test_finish' }), testRun),
  traceCase('raw_tp.w', () => rawTracepoint({ event: 'bpf_test_finish' }), testRun),
  traceCase('tp_btf', () => tracing(), callGetpgid),
  traceCase('fentry', () => tracing(), fentryFunction, { has: 'fentry' }),
  traceCase('fentry.s', () => tracing(), fentryFunction, sleepableFunctions),
  traceCase('fexit', () => tracing(), fentryFunction, { has: 'fexit' }),
  traceCase('fexit.s', () => tracing(), fentryFunction, sleepableFunctions),
  traceCase('fmod_ret', () => tracing(), callGetpgid, { has: 'fmod_ret' }),
  traceCase('fmod_ret.s', () => tracing(), fentryFunction, sleepableFunctions),
  traceCase('lsm', () => tracing(), callGetpgid, { has: 'lsm' }),
  {
    hook: 'lsm.s',
    has: 'lsm',
    prove: async (bench) => {
      const early = !atLeast(5, 11);
      using counted = bench.loadNamed(early ? 'on_lsm_s_exec' : 'on_lsm_s');
      return await proveFiring(
        () => counted.hits(),
        () => counted.program.attach(tracing()),
        () => (early ? void execFileSync('true') : openNull()),
      );
    },
  },
  traceCase(
    'perf_event',
    () => perfEvent({ clock: 'cpu-clock', pid: 0, every: { period: 1_000_000n } }),
    spin,
  ),
  congestionCase('struct_ops', 'congestion'),
  congestionCase('struct_ops.s', 'congestion-sleeping', { since: [6, 3] }),
  {
    hook: 'freplace',
    has: 'freplace',
    prove: async (bench) => {
      using target = bench.loadNamed('replaceable_program');
      const targets = new Map([['freplace', { program: target.program, functionName: 'replaceable' }]]);
      using counted = bench.loadNamed('freplace', [], { targets });
      return await proveFiring(
        () => counted.hits(),
        () => counted.program.attach(freplace()),
        () => void target.program.testRun({ data: frame }),
      );
    },
  },
  iteratorCase('iter', 'tasks'),
  iteratorCase('iter.s', 'tasks_s'),
  {
    hook: 'syscall',
    since: [5, 14],
    prove: (bench) => {
      using counted = bench.load('syscall');
      const { result, context } = counted.program.run({ context: Uint8Array.of(21, 0, 0, 0, 0, 0, 0, 0) });
      expect(result).toBe(7);
      expect(context[0]).toBe(42);
      expect(counted.hits()).toBe(1);
      return 'none';
    },
  },
];

function iteratorCase(hook: string, name: string): HookCase {
  return {
    hook,
    has: 'iter',
    prove: (bench) => {
      const spec = bench.spec('iterators');
      spec.only([name]);
      using object = load(spec);
      using link = object.program(name).attach(iterator());
      expect(iteratorText(link).split('\n')).toContain(String(process.pid));
      link[Symbol.dispose]();
      expect(() => iteratorText(link)).toThrow(TypeError);
      return link.holder;
    },
  };
}
