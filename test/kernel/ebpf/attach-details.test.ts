/** What attachments tell of themselves, and what refusals of the kernel are turned into. */
import { statSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import {
  type AttachOptions,
  cgroup,
  freplace,
  iterator,
  iteratorText,
  kprobe,
  kprobeMulti,
  ksyscall,
  netfilter,
  perfEvent,
  rawTracepoint,
  skLookup,
  sockmap,
  structOps,
  tc,
  tcx,
  tracepoint,
  tracing,
  uprobe,
  uprobeMulti,
  usdt,
  xdp,
} from '../../../src/ebpf/attach/index.js';
import { type HookName, hookAvailable } from '../../../src/ebpf/feature.js';
import { Link } from '../../../src/ebpf/link.js';
import { load } from '../../../src/ebpf/load.js';
import type { LoadedObject } from '../../../src/ebpf/loaded-object.js';
import { atLeast } from '../../../src/host/kernel.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { kernelLacks } from '../../support/known-kernels.js';
import { makeVethPair } from '../../support/netns.js';
import { ethernet, ipv4, packet, payload, udp } from '../../support/packets.js';
import { describeAsRoot, itWith, ownProcessId } from '../../support/requirements.js';
import { chooseCongestionControl, tcpPair } from '../../support/socket-calls.js';
import { Bench, callGetpgid, hitsOf } from './attach/bench.js';

const frame = packet(ethernet(), ipv4(), udp(), payload(64));
const getpgid = `${process.arch === 'arm64' ? '__arm64' : '__x64'}_sys_getpgid`;

function errorOf(work: () => unknown): NetkitError {
  try {
    work();
  } catch (error) {
    if (error instanceof NetkitError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function globalsOf(object: LoadedObject): Record<string, unknown> {
  const value = object.map('.bss').get(0);
  if (typeof value !== 'object' || value === null) throw new Error('no globals');
  return Object.fromEntries(Object.entries(value));
}

const lacks = (hook: HookName): boolean => hookAvailable(hook).available === false;

describeAsRoot(
  'attachments',
  () => {
    let made: Bench | undefined;
    const bench = (): Bench => {
      if (made === undefined) throw new Error('nothing to stand on');
      return made;
    };
    beforeAll(() => {
      made = Bench.make();
    });
    afterAll(() => made?.[Symbol.dispose]());

    /** The details of a link that is made for this and goes again; undefined when there is no link on this kernel. */
    function detailsOf(hook: string, options: AttachOptions): unknown {
      using counted = bench().load(hook);
      using attachment = counted.program.attach(options);
      return attachment instanceof Link ? attachment.info().details : undefined;
    }

    it('tell the cgroup, the network namespace and the interface that they are on', async () => {
      using veth = makeVethPair();
      await leavingNothing(() => {
        const { path } = bench().cgroup;
        expect(detailsOf('cgroup/connect4', cgroup({ path }))).toEqual({
          kind: 'cgroup',
          cgroupId: statSync(path, { bigint: true }).ino,
          attachType: 'cgroup_inet4_connect',
        });
        const netns = bench().netns.handle;
        expect(detailsOf('sk_lookup', skLookup({ netns }))).toEqual({
          kind: 'netns',
          netnsInode: netns.inode,
          attachType: 'sk_lookup',
        });
        const place = { ifname: veth.b.ifname, netns: veth.b.netns.handle };
        expect(detailsOf('xdp', xdp(place))).toEqual({ kind: 'xdp', ifindex: veth.b.ifindex });
        if (kernelLacks('tcx') !== undefined) return;
        expect(detailsOf('tcx/egress', tcx({ ...place, direction: 'egress' }))).toEqual({
          kind: 'tcx',
          ifindex: veth.b.ifindex,
          attachType: 'tcx_egress',
        });
      });
    });

    itWith(
      { kernelHas: ['netfilter-links'] },
      'tell family, stage and priority of netfilter, and take one program each',
      async () => {
        await leavingNothing(() => {
          const options = netfilter({
            family: 'ipv6',
            stage: 'forward',
            priority: -77,
            netns: bench().netns.handle,
          });
          using counted = bench().load('netfilter');
          using link = counted.program.attach(options);
          expect(link.info().details).toEqual({
            kind: 'netfilter',
            family: 'ipv6',
            stage: 'forward',
            priority: -77,
            defrag: false,
          });
          expect(errorOf(() => counted.program.attach(options))).toMatchObject({
            code: 'conflict',
            message:
              'another program is on netfilter forward of ipv6 at priority -77: the kernel takes one for each priority',
          });
          expect(errorOf(() => counted.program.attach({ ...options, priority: -(2 ** 31) })).code).toBe(
            'bad-value',
          );
        });
      },
    );

    it('tell the event that they are on', async () => {
      await leavingNothing(() => {
        expect(detailsOf('raw_tp', rawTracepoint({ event: 'sys_enter' }))).toMatchObject({
          kind: 'raw_tracepoint',
          name: 'sys_enter',
        });
        expect(detailsOf('tp_btf', tracing())).toBeDefined();
        const event = detailsOf('tp', tracepoint({ category: 'syscalls', event: 'sys_enter_getpgid' }));
        const place = { binary: bench().library, symbol: 'netkit_probed' };
        const inBinary = detailsOf('uprobe', uprobe(place));
        const clock = detailsOf(
          'perf_event',
          perfEvent({ clock: 'task-clock', pid: 0, every: { frequency: 100n } }),
        );
        if (atLeast(6, 6)) {
          expect(event).toMatchObject({ kind: 'perf_event', event: 'tracepoint', name: 'sys_enter_getpgid' });
          expect(inBinary).toMatchObject({ kind: 'perf_event', event: 'uprobe', path: bench().library });
          expect(clock).toMatchObject({ kind: 'perf_event', event: 'counter', config: 1n });
        }
        if (kernelLacks('uprobe-multi') !== undefined) return;
        const places = [{ symbol: 'netkit_probed' }, { symbol: 'netkit_watched' }];
        const many = uprobeMulti({ binary: bench().library, places, returns: true });
        const details = detailsOf('uretprobe.multi', many);
        expect(details).toMatchObject({ kind: 'uprobe_multi' });
        if (!atLeast(6, 8)) return;
        expect(details).toMatchObject({ path: bench().library, count: 2, returns: true, pid: 0 });
      });
    });

    it('tell the map whose sockets they are on, where that is a link', async () => {
      await leavingNothing(() => {
        using counted = bench().load('sk_msg');
        const map = counted.object.map('sockets');
        using attachment = counted.program.attach(sockmap({ map }));
        expect(attachment.holder).toBe(atLeast(6, 10) ? 'link' : 'kernel');
        if (!(attachment instanceof Link)) return;
        expect(attachment.info().details).toEqual({
          kind: 'sockmap',
          mapId: map.info.id,
          attachType: 'sk_msg_verdict',
        });
      });
    });

    it('to functions of the kernel take an offset, a pattern, and a name that is there', async ({ skip }) => {
      if (lacks('kprobe')) skip(`needs kprobes: ${hookAvailable('kprobe').reason}`);
      await leavingNothing(() => {
        using counted = bench().load('kprobe');
        {
          // Behind the call of ftrace, or endbr64: an instruction begins there.
          using _probe = counted.program.attach(kprobe({ symbol: getpgid, offset: 0 }));
          callGetpgid();
          expect(counted.hits()).toBe(1);
        }
        expect(errorOf(() => counted.program.attach(kprobe({ symbol: 'no_such_function' })))).toMatchObject({
          code: 'not-found',
          message: "the kernel has no function 'no_such_function'",
        });
        expect(errorOf(() => counted.program.attach(kprobe({ symbol: getpgid, offset: 1 }))).code).toBe(
          'unsupported',
        );
        const both = ksyscall({ syscall: 'getpgid', returns: true });
        expect(errorOf(() => counted.program.attach({ ...both, offset: 4 })).code).toBe('usage');
        if (lacks('kprobe.multi')) return;
        using many = bench().load('kprobe.multi');
        using link = many.program.attach(kprobeMulti({ symbols: [getpgid, `${getpgid.slice(0, -1)}?`] }));
        callGetpgid();
        expect(many.hits()).toBe(1);
        const details = link.info().details;
        expect(details).toMatchObject({ kind: 'kprobe_multi' });
        if (atLeast(6, 6)) expect(details).toMatchObject({ count: 1, returns: false });
        const none = kprobeMulti({ symbols: ['no_such_*'] });
        expect(errorOf(() => many.program.attach(none)).code).toBe('not-found');
      });
    });

    it('to binaries name what is not there', async () => {
      await leavingNothing(() => {
        using counted = bench().load('uprobe');
        const { program } = counted;
        const binary = bench().library;
        expect(errorOf(() => program.attach(uprobe({ binary, symbol: 'nobody' }))).message).toMatch(
          /has no function 'nobody'$/,
        );
        expect(errorOf(() => program.attach(uprobe({ binary: '/none', symbol: 'x' }))).code).toBe(
          'not-found',
        );
        expect(errorOf(() => program.attach(uprobe({ binary: 'no.so', symbol: 'x' }))).code).toBe(
          'not-found',
        );
        expect(errorOf(() => program.attach(uprobe({ binary, offset: 1 }))).code).toBe('bad-value');
        expect(errorOf(() => program.attach(uprobe({ binary: '/etc/passwd', symbol: 'x' }))).code).toBe(
          'bad-object',
        );
        const wrong = usdt({ binary, provider: 'netkit_test', name: 'hits' });
        expect(errorOf(() => program.attach(wrong))).toMatchObject({
          code: 'not-found',
          hint: expect.stringMatching(/netkit_test:hit/),
        });
        using _libc = program.attach(uprobe({ binary: 'libc.so.6', symbol: 'getppid', pid: 0 }));
      });
    });

    itWith(
      { kernelHas: ['bpf-cookie'] },
      'to a defined probe read its arguments and raise its semaphore',
      async () => {
        await leavingNothing(() => {
          using object = load(bench().spec('usdt-arguments'));
          const { library: binary, probed } = bench();
          expect(probed.watched()).toBe(0);
          {
            const probe = usdt({ binary, provider: 'netkit_test', name: 'hit', cookie: 99n });
            using _attached = object.program('arguments').attach(probe);
            expect(probed.watched()).toBe(1);
            probed.hit(-3);
          }
          expect(probed.watched()).toBe(0);
          expect(globalsOf(object)).toMatchObject({
            first: -3n,
            second: -5n,
            third: 77n,
            count: 3n,
            cookie: 99n,
          });
        });
      },
    );

    itWith(
      { kernelHas: ['iterator-targets'] },
      'of iterators go over a map, a cgroup or a process',
      async () => {
        await leavingNothing(() => {
          const open = (name: string) => {
            const spec = bench().spec('iterators');
            spec.only([name]);
            return load(spec);
          };
          using entries = open('map_entries');
          const map = entries.map('entries');
          map.set(1, 11);
          map.set(2, 22);
          using overMap = entries.program('map_entries').attach(iterator({ map }));
          expect(iteratorText(overMap).trim().split('\n').sort()).toEqual(['11', '22']);
          expect(overMap.info().details).toMatchObject({
            kind: 'iter',
            target: 'bpf_map_elem',
            mapId: map.info.id,
          });
          using cgroups = open('cgroups');
          const { path } = bench().cgroup;
          using overCgroup = cgroups.program('cgroups').attach(iterator({ cgroup: { path, walk: 'self' } }));
          expect(iteratorText(overCgroup)).toMatch(/^1\n/);
          expect(overCgroup.info().details).toMatchObject({
            kind: 'iter',
            target: 'cgroup',
            cgroupId: statSync(path, { bigint: true }).ino,
          });
          using tasks = open('tasks');
          using overProcess = tasks.program('tasks').attach(iterator({ pid: process.pid }));
          expect(new Set(iteratorText(overProcess).trim().split('\n'))).toEqual(
            new Set([String(process.pid)]),
          );
          expect(overProcess.info().details).toMatchObject({
            kind: 'iter',
            target: 'task',
            pid: process.pid,
          });
          expect(errorOf(() => entries.program('map_entries').attach(iterator())).code).toBe('usage');
          expect(errorOf(() => tasks.program('tasks').attach(iterator({ map, pid: 1 }))).code).toBe('usage');
        });
      },
    );

    itWith(
      { kernelHas: ['struct-ops-links'] },
      'of tables of callbacks are links where the object asks for it',
      async () => {
        await leavingNothing(() => {
          using object = load(bench().spec('congestion-link'));
          const map = object.map('control');
          const attach = () => object.program('init').attach(structOps({ map }));
          using link = attach();
          expect(link.holder).toBe('link');
          if (link instanceof Link)
            expect(link.info().details).toEqual({ kind: 'struct_ops', mapId: map.info.id });
          bench().netns.inside(() => {
            using pair = tcpPair();
            chooseCongestionControl(pair.client, 'bpf_netkit_test');
          });
          expect(hitsOf(object)).toBe(1);
        });
      },
    );

    it('replace a function of a program that was loaded after them', async ({ skip }) => {
      const { available, reason } = hookAvailable('freplace');
      if (available === false) skip(`needs freplace: ${reason}`);
      await leavingNothing(() => {
        using first = bench().loadNamed('replaceable_program');
        using second = bench().loadNamed('replaceable_program');
        const targets = new Map([['freplace', { program: first.program, functionName: 'replaceable' }]]);
        using counted = bench().loadNamed('freplace', [], { targets });
        const other = freplace({ program: second.program, functionName: 'replaceable' });
        using link = counted.program.attach(other);
        expect(link.info().details).toMatchObject({ kind: 'tracing' });
        expect(second.program.testRun({ data: frame }).verdict).toBe(1);
        expect(first.program.testRun({ data: frame }).verdict).toBe(2);
        const missing = freplace({ program: second.program, functionName: 'nothing' });
        expect(errorOf(() => counted.program.attach(missing)).code).toBe('not-found');
      });
    });

    it('are refused in words: what the place takes, and what has to be said', async () => {
      using veth = makeVethPair();
      await leavingNothing(() => {
        const place = { ifname: veth.b.ifname, netns: veth.b.netns.handle };
        using devmap = bench().load('xdp/devmap');
        expect(errorOf(() => devmap.program.attach(xdp(place)))).toMatchObject({
          code: 'usage',
          hint: 'put it into an entry of a devmap: it then sees the packets that are redirected there',
        });
        using driver = bench().load('xdp');
        expect(errorOf(() => driver.program.attach(xdp({ ...place, mode: 'offload' }))).code).toBe(
          'unsupported',
        );
        using skb = bench().load('cgroup/skb');
        expect(errorOf(() => skb.program.attach(cgroup({ path: bench().cgroup.path })))).toMatchObject({
          code: 'usage',
          hint: expect.stringContaining('cgroup_inet_ingress'),
        });
        using connect = bench().load('cgroup/connect4');
        const path = bench().cgroup.path;
        expect(errorOf(() => connect.program.attach(cgroup({ path: '/none' }))).code).toBe('not-found');
        expect(errorOf(() => connect.program.attach(cgroup({ path: '/proc' }))).code).toBe('usage');
        const elsewhere = cgroup({ path, attachType: 'cgroup_inet6_connect' });
        expect(errorOf(() => connect.program.attach(elsewhere))).toMatchObject({
          code: 'unsupported',
          message: expect.stringContaining('only that they were loaded for'),
        });
        using raw = bench().load('raw_tp');
        expect(errorOf(() => raw.program.attach(rawTracepoint({ event: 'no_such_event' })))).toMatchObject({
          code: 'not-found',
          message: "the kernel has no tracepoint 'no_such_event'",
        });
        using tp = bench().load('tp');
        const unknown = tracepoint({ category: 'sched', event: '../../../etc' });
        expect(errorOf(() => tp.program.attach(unknown)).code).toBe('not-found');
        using clock = bench().load('perf_event');
        expect(
          errorOf(() => clock.program.attach(perfEvent({ clock: 'cpu-clock', every: { period: 1n } }))).code,
        ).toBe('usage');
        expect(errorOf(() => bench().loadNamed('freplace'))).toMatchObject({
          code: 'usage',
          message: "what program 'freplace' is to replace is not said",
        });
      });
    });

    it('held by the kernel stay when they are kept, and go with everything that was made for them', async () => {
      using veth = makeVethPair();
      await leavingNothing(() => {
        using counted = bench().load('tc');
        const options = tc({
          ifname: veth.b.ifname,
          netns: veth.b.netns.handle,
          direction: 'ingress',
          priority: 5,
        });
        const filters = () =>
          veth.b.netns.run('tc', ['filter', 'show', 'dev', veth.b.ifname, 'ingress']).includes('pref 5');
        const qdisc = () =>
          veth.b.netns.run('tc', ['qdisc', 'show', 'dev', veth.b.ifname]).includes('clsact');
        const kept = counted.program.attach(options);
        if (!('keep' in kept) || typeof kept.keep !== 'function') throw new Error('it cannot be kept');
        expect([filters(), qdisc()]).toEqual([true, true]);
        expect(errorOf(() => counted.program.attach(options)).code).toBe('conflict');
        kept.keep();
        kept[Symbol.dispose]();
        expect([filters(), qdisc()]).toEqual([true, true]);
        veth.b.netns.run('tc', ['qdisc', 'del', 'dev', veth.b.ifname, 'clsact']);
        const gone = counted.program.attach(options);
        gone.detach();
        gone.detach();
        expect([filters(), qdisc()]).toEqual([false, false]);
      });
    });
  },
  ownProcessId,
);
