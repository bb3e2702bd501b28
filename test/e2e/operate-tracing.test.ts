import { expect, it } from 'vitest';
import type { HookName } from '../../src/ebpf/feature.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot, itWith, ownProcessId } from '../support/requirements.js';
import {
  callGetpgid,
  compileOperate,
  eventually,
  globalsOf,
  hitsOf,
  hookLack,
  linksOf,
  loadOperate,
  onGround,
} from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { conflict, expectRefused, notFound, unsupported, usage } from './refusal.js';

/** A program, its hook and its target as lists show it, and what has to be typed for it. */
interface Probe {
  readonly program: string;
  readonly hook: HookName;
  readonly shown: string;
  readonly target?: string;
  readonly options?: readonly string[];
  readonly type: string;
  /** The kernel keeps it as a link from 5.15 on only. */
  readonly isPerf: boolean;
}

const getpgid = process.arch === 'arm64' ? '__arm64_sys_getpgid' : '__x64_sys_getpgid';

const probes: readonly Probe[] = [
  {
    program: 'entered',
    hook: 'tracepoint',
    shown: 'tracepoint of syscalls/sys_enter_getpgid',
    type: 'perf_event',
    isPerf: true,
  },
  {
    program: 'any_event',
    hook: 'tracepoint',
    target: 'syscalls/sys_exit_getpgid',
    shown: 'tracepoint of syscalls/sys_exit_getpgid',
    type: 'perf_event',
    isPerf: true,
  },
  {
    program: 'raw',
    hook: 'raw_tracepoint',
    shown: 'raw_tracepoint of sys_enter',
    type: 'raw_tracepoint',
    isPerf: false,
  },
  { program: 'probe', hook: 'kprobe', shown: `kprobe of ${getpgid}`, type: 'perf_event', isPerf: true },
  {
    program: 'any_probe',
    hook: 'kprobe',
    target: getpgid,
    options: ['--hook', 'kretprobe'],
    shown: `kretprobe of ${getpgid}`,
    type: 'perf_event',
    isPerf: true,
  },
  { program: 'call', hook: 'kprobe', shown: 'ksyscall of getpgid', type: 'perf_event', isPerf: true },
  { program: 'enter', hook: 'fentry', shown: `fentry of ${getpgid}`, type: 'tracing', isPerf: false },
  { program: 'leave', hook: 'fexit', shown: `fexit of ${getpgid}`, type: 'tracing', isPerf: false },
  { program: 'guard', hook: 'lsm', shown: 'lsm of task_getpgid', type: 'tracing', isPerf: false },
  {
    program: 'in_library',
    hook: 'uprobe',
    target: 'libc.so.6:getpgid',
    shown: 'uprobe of ',
    type: 'perf_event',
    isPerf: true,
  },
];

describeAsRoot(
  'tracing from the command line',
  () => {
    let object: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      object = await compileOperate(objects);
    });

    const own = { only_process: process.pid };

    it.for(probes)(
      '$program runs $hook at each event, is swapped, and runs no more when it is detached',
      async ({ program, hook, shown, target, options = [], type, isPerf }, context) => {
        const lack = hookLack(hook) ?? (isPerf ? kernelLacks('perf-links') : undefined);
        context.skip(lack !== undefined, lack);
        await onGround((ground) => {
          loadOperate(ground, object, [program], own);
          const attach = ['attach', 'o', ...(target === undefined ? [] : [target]), ...options];
          const said = ground.does(...attach);
          expect(said.stdout).toContain(`attached o/${program} to ${shown}`);
          callGetpgid(100);
          const counted = hitsOf(ground);
          // A raw tracepoint sees every system call, and a test reads maps by some.
          if (program === 'raw') expect(counted).toBeGreaterThan(99);
          else expect(counted).toBe(100);
          const [link] = linksOf(ground);
          expect(link).toMatchObject({ type, dead: false, netns: null, ifname: null });
          expect(ground.does('link', 'list').stdout).toContain(shown);
          expect(ground.does(...attach).stdout).toMatch(/already$/m);

          loadOperate(ground, object, [program], { ...own, weight: 1000 }, ['--replace']);
          callGetpgid(10);
          expect(hitsOf(ground)).toBeGreaterThanOrEqual(10_000);
          expect(linksOf(ground)).toHaveLength(1);

          ground.does('detach', 'o', ...(target === undefined ? [] : [target]));
          const last = hitsOf(ground);
          callGetpgid(10);
          expect(hitsOf(ground)).toBe(last);
        });
      },
    );

    itWith(
      { kernelHas: ['bpf-cookie'] },
      'a program is given the cookie that it was attached with',
      async () => {
        await onGround(async (ground) => {
          loadOperate(ground, object, ['entered_with_cookie']);
          ground.does('attach', 'o', '--cookie', '0x1234');
          callGetpgid();
          expect(globalsOf(ground).cookie).toBe(0x1234);
          expect(ground.does('attach', 'o', '--cookie', '4660').stdout).toMatch(/already$/m);
          await expectRefused(ground, ['attach', 'o', '--cookie', '7'], {
            ...conflict,
            says: /with the cookie 4660/,
          });
          loadOperate(ground, object, ['entered_with_cookie'], {}, ['--replace']);
          callGetpgid();
          expect(globalsOf(ground).cookie).toBe(0x1234);
        });
      },
    );

    itWith({ kernelHas: ['perf-links'] }, 'a clock runs a program on every CPU that is on', async () => {
      await onGround(async (ground) => {
        loadOperate(ground, object, ['tick']);
        ground.does('attach', 'o', 'cpu-clock@1000');
        await eventually('the clock ticks', () => hitsOf(ground) > 10);
        const links = linksOf(ground);
        expect(links.map(({ target }) => target)).toContain('cpu-clock@1000:cpu0');
        ground.does('detach', 'o', 'cpu-clock@1000:cpu0');
        expect(linksOf(ground)).toHaveLength(links.length - 1);
        ground.does('detach', 'o', 'cpu-clock@1000');
        expect(linksOf(ground)).toEqual([]);
      });
    });

    it('what their sections name is attached at once, and what nobody names is left', async (context) => {
      context.skip(kernelLacks('perf-links') !== undefined, kernelLacks('perf-links'));
      await onGround((ground) => {
        loadOperate(ground, object, ['entered', 'raw', 'any_event', 'connecting'], own);
        const { stdout } = ground.does('attach', 'o');
        expect(stdout.trimEnd().split('\n')).toEqual([
          'attached o/entered to tracepoint of syscalls/sys_enter_getpgid',
          'attached o/raw to raw_tracepoint of sys_enter',
        ]);
        // Of the two ways to read the words only one is there.
        expect(ground.does('attach', 'o', 'sched/sched_switch').stdout).toBe(
          'attached o/any_event to tracepoint of sched/sched_switch\n',
        );
        expect(linksOf(ground)).toHaveLength(3);
        ground.does('detach', 'o');
        expect(linksOf(ground)).toEqual([]);
      });
    });

    it('what is held runs as long as the command, on every kernel, and what only a process can hold is refused without --hold', async () => {
      await onGround(async (ground) => {
        loadOperate(ground, object, ['entered'], own);
        if (kernelLacks('perf-links') !== undefined) {
          await expectRefused(ground, ['attach', 'o'], {
            ...unsupported,
            says: /only a process can hold it/,
            hints: /--hold/,
          });
        }
        using held = ground.start('attach', 'o', '--hold');
        await held.output(/^attached o\/entered .*until it is stopped$/m);
        callGetpgid(10);
        expect(hitsOf(ground)).toBe(10);
        expect(linksOf(ground)).toEqual([]);
        expect((await held.stop()).status).toBe(130);
        await eventually('it is detached', () => {
          const counted = hitsOf(ground);
          callGetpgid(10);
          return hitsOf(ground) === counted;
        });
      });
    });

    it('what is held goes with a command that is killed', async () => {
      await onGround(async (ground) => {
        loadOperate(ground, object, ['entered'], own);
        using held = ground.start('attach', 'o', '--hold');
        await held.output(/^attached o\/entered/m);
        held.process.kill('SIGKILL');
        await held.ended.catch(() => undefined);
        await eventually('it is detached', () => {
          const counted = hitsOf(ground);
          callGetpgid(10);
          return hitsOf(ground) === counted;
        });
        expect(ground.does('recover').stdout).toBe('nothing to recover\n');
      });
    });

    it('targets that are not there, or of another kind, are refused with the reason', async () => {
      await onGround(async (ground) => {
        loadOperate(ground, object, ['any_event', 'raw', 'entered', 'in_library', 'tick']);
        const cases = [
          [['attach', 'o/any_event', 'sched/nosuch'], { ...notFound, says: /no tracepoint 'sched\/nosuch'/ }],
          [['attach', 'o/any_event', 'lo'], { ...usage, says: /'lo' is not a tracepoint, as CATEGORY/ }],
          [['attach', 'o/any_event'], { ...usage, says: /needs a target: a tracepoint/ }],
          [['attach', 'o/raw', 'nosuch'], { ...notFound, says: /no tracepoint 'nosuch'/ }],
          [['attach', 'o/in_library', 'libc.so.6:nosuch'], { ...notFound, says: /has no function 'nosuch'/ }],
          [['attach', 'o/in_library', 'nosuch.so:f'], { ...notFound, says: /nosuch\.so/ }],
          [['attach', 'o/in_library', 'getpgid'], { ...usage, says: /as BINARY:FUNCTION/ }],
          [['attach', 'o/tick', 'wall-clock'], { ...usage, says: /'wall-clock' is not a clock/ }],
          [['attach', 'o/tick', 'cpu-clock@99:cpu4095'], { ...notFound, says: /no CPU 4095/ }],
          [['attach', 'o', 'nosuch/event'], { ...notFound, says: /no tracepoint 'nosuch\/event'/ }],
          [['attach', 'o/entered', '--cookie', '-1'], { ...usage, says: /cookie/ }],
          [['attach', 'o/entered', '--hook', 'fentry'], { ...usage, says: /cannot go to fentry/ }],
        ] as const;
        for (const [args, refusal] of cases) await expectRefused(ground, args, refusal);
      });
    });

    it('a function of the kernel that is not there is refused', async (context) => {
      const lack = hookLack('kprobe') ?? kernelLacks('perf-links');
      context.skip(lack !== undefined, lack);
      await onGround(async (ground) => {
        loadOperate(ground, object, ['any_probe', 'probe']);
        await expectRefused(ground, ['attach', 'o/any_probe', 'netkit_has_no_such_function'], {
          ...notFound,
          says: /no function 'netkit_has_no_such_function'/,
        });
        await expectRefused(ground, ['attach', 'o/any_probe', 'a b'], {
          ...usage,
          says: /'a b' is not a function of the kernel/,
        });
        ground.does('attach', 'o/any_probe', `${getpgid}+0`);
      });
    });

    it('a program takes the place of a function of another one, and gives it back', async (context) => {
      context.skip(hookLack('freplace') !== undefined, hookLack('freplace'));
      await onGround(async (ground) => {
        ground.does('load', object, '--name', 't', '--only', 'judged');
        // In a chain a copy of it would run.
        ground.attach('t', '--mode', 'generic', '--direct');
        expect(ground.ping()).toBe(5);
        const load = ['load', object, '--name', 'o', '--only', 'overruling'];
        loadOperate(ground, object, ['overruling'], {}, ['--target', 'overruling=@t/judged']);
        expect(ground.does('attach', 'o').stdout).toBe(
          'attached o/overruling to freplace of judge@t/judged\n',
        );
        expect(ground.ping()).toBe(0);
        expect(hitsOf(ground)).toBeGreaterThanOrEqual(5);
        expect(linksOf(ground)).toMatchObject([
          { function: 'o', type: 'tracing', hook: 'freplace', target: 'judge@t/judged', dead: false },
          { function: 't' },
        ]);
        const again = [...load, '--replace', '--target', 'overruling=judge@t/judged'];
        await expectRefused(ground, again, { ...unsupported, says: /cannot swap the program of freplace/ });
        ground.does(...again, '--allow-gap');
        expect(ground.ping()).toBe(0);
        ground.does('detach', 'o');
        expect(ground.ping()).toBe(5);
      });
    });

    it('what a program is to be loaded for has to be there', async () => {
      await onGround(async (ground) => {
        loadOperate(ground, object, ['judged']);
        const load = ['load', object, '--name', 'r', '--only', 'overruling', '--target'];
        const cases = [
          ['overruling=@o/nosuch', { ...notFound, says: /has no program 'nosuch'/ }],
          ['overruling=@nosuch/p', { ...notFound, says: /no function 'nosuch' is loaded/ }],
          ['overruling=judge@', { ...usage, says: /names no function/ }],
          ['nosuch=judge@o/judged', { ...notFound, says: /nosuch/ }],
        ] as const;
        for (const [target, refusal] of cases) await expectRefused(ground, [...load, target], refusal);
        await expectRefused(ground, [...load, 'overruling=@id:1', '--persist'], {
          ...usage,
          says: /will mean something else after a reboot/,
        });
      });
    });

    it('what a program was loaded for cannot be changed when it is attached, nor by a replacement', async (context) => {
      context.skip(hookLack('fentry') !== undefined, hookLack('fentry'));
      await onGround(async (ground) => {
        loadOperate(ground, object, ['enter']);
        await expectRefused(ground, ['attach', 'o/enter', 'vfs_read'], {
          ...usage,
          says: /was loaded for .*getpgid, and cannot be attached to 'vfs_read'/,
        });
        await expectRefused(ground, ['attach', 'o/enter', '--hook', 'fexit'], {
          ...usage,
          says: /was loaded for 'fentry\/.*': it cannot go to fexit/,
        });
        ground.does('attach', 'o', getpgid);
      });
    });
  },
  { tools: ['clang', 'ping'], ...ownProcessId },
);
