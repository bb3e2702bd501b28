/** The kinds of probes that `operate-tracing.test.ts` has not: in the kernel, on many places, in libraries; and iterators. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { HookName } from '../../src/ebpf/feature.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { makeProbedLibrary, type ProbedLibrary } from '../support/probed-library.js';
import { describeAsRoot, ownProcessId } from '../support/requirements.js';
import { fixture } from './ground.js';
import { callGetpgid, eventually, hitsOf, hookLack, linksOf, onGround } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { expectRefused, notFound, usage } from './refusal.js';

/** A program of `hooks.bpf.c`, which has one for each section name. */
interface Probe {
  readonly program: string;
  readonly hook: HookName;
  readonly lacks?: string | undefined;
  /** `LIBRARY` stands for the path of the library. */
  readonly target?: string;
  /** As lists show it. */
  readonly shown: string;
  readonly type: string;
  readonly event: 'getpgid' | 'call' | 'hit';
  /** How often one event counts: undefined where others of this process do too. */
  readonly each?: number;
}

const prefix = process.arch === 'arm64' ? '__arm64_sys_' : '__x64_sys_';
const getpgid = `${prefix}getpgid`;
const inLibrary = 'LIBRARY:netkit_probed';
const probe = 'LIBRARY:netkit_test:hit';
const lacks = kernelLacks('perf-links');
const several = kernelLacks('kprobe-multi');

const probes: readonly Probe[] = [
  {
    program: 'fmod_ret',
    hook: 'fmod_ret',
    shown: 'fmod_ret of security_task_getpgid',
    type: 'tracing',
    event: 'getpgid',
    each: 1,
  },
  {
    program: 'tp_btf',
    hook: 'tp_btf',
    shown: 'tp_btf of sys_enter',
    type: 'raw_tracepoint',
    event: 'getpgid',
  },
  {
    program: 'kprobe_multi',
    hook: 'kprobe.multi',
    lacks: several,
    target: `${getpgid},${prefix}getsid`,
    shown: `kprobe.multi of ${getpgid},${prefix}getsid`,
    type: 'kprobe_multi',
    event: 'getpgid',
    each: 1,
  },
  {
    program: 'kretprobe_multi',
    hook: 'kprobe.multi',
    lacks: several,
    target: `${prefix}getpg*`,
    shown: `kretprobe.multi of ${prefix}getpg*`,
    type: 'kprobe_multi',
    event: 'getpgid',
    each: 1,
  },
  {
    program: 'kprobe_session',
    hook: 'kprobe.session',
    target: getpgid,
    shown: `kprobe.session of ${getpgid}`,
    type: 'kprobe_multi',
    event: 'getpgid',
    each: 2,
  },
  {
    program: 'uretprobe',
    hook: 'uprobe',
    lacks,
    target: inLibrary,
    shown: `uretprobe of ${inLibrary}`,
    type: 'perf_event',
    event: 'call',
    each: 1,
  },
  {
    program: 'uprobe_multi',
    hook: 'uprobe.multi',
    target: `${inLibrary},netkit_hit`,
    shown: `uprobe.multi of ${inLibrary},netkit_hit`,
    type: 'uprobe_multi',
    event: 'call',
    each: 1,
  },
  {
    program: 'uretprobe_multi_s',
    hook: 'uprobe.multi',
    target: inLibrary,
    shown: `uretprobe.multi of ${inLibrary}`,
    type: 'uprobe_multi',
    event: 'call',
    each: 1,
  },
  {
    program: 'uprobe_session',
    hook: 'uprobe.session',
    target: inLibrary,
    shown: `uprobe.session of ${inLibrary}`,
    type: 'uprobe_multi',
    event: 'call',
    each: 2,
  },
  {
    program: 'usdt',
    hook: 'uprobe',
    lacks,
    target: probe,
    shown: `usdt of ${probe}`,
    type: 'perf_event',
    event: 'hit',
    each: 1,
  },
];

describeAsRoot(
  'probes from the command line',
  () => {
    let library: ProbedLibrary;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      library = makeProbedLibrary(objects.folder);
    });

    function fire(event: Probe['event'], times: number): void {
      const once = { getpgid: () => callGetpgid(), call: () => library.call(1), hit: () => library.hit(1) }[
        event
      ];
      for (let done = 0; done < times; done++) once();
    }

    it.for(probes)(
      '$program runs at each event, gives its place to another load of it, and runs no more when it is detached',
      async ({ program, hook, lacks: older, target: named, shown: text, type, event, each }, context) => {
        const lack = older ?? hookLack(hook);
        context.skip(lack !== undefined, lack);
        const target = named === undefined ? [] : [named.replace('LIBRARY', library.path)];
        const shown = text.replace('LIBRARY', library.path);
        await onGround(async (ground) => {
          const only = ['--only', `on_${program}`, '--set', `only_process=${process.pid}`];
          const load = ['load', fixture('hooks'), '--name', 'o', ...only];
          const counts = (events: number): void => {
            const before = hitsOf(ground);
            fire(event, events);
            if (each === undefined) expect(hitsOf(ground)).toBeGreaterThanOrEqual(before + events);
            else expect(hitsOf(ground)).toBe(before + events * each);
          };
          ground.does(...load);
          fire(event, 3);
          expect(hitsOf(ground)).toBe(0);
          const attach = ['attach', 'o', ...target];
          expect(ground.does(...attach).stdout).toBe(`attached o/on_${program} to ${shown}\n`);
          if (event === 'hit') expect(library.watched()).toBe(1);
          counts(100);
          const [link, ...more] = linksOf(ground);
          expect(more).toEqual([]);
          expect(link).toMatchObject({ function: 'o', type, dead: false, netns: null, ifname: null });
          expect(ground.does('link', 'list').stdout).toContain(shown);
          expect(ground.does('link', 'show', `id:${link?.id}`).stdout).toContain(`on_${program}`);
          expect(ground.does('list').stdout).toMatch(/^o\s/m);
          expect(ground.does(...attach).stdout).toMatch(/already$/m);

          ground.does(...load, '--replace');
          counts(10);
          const replaced = linksOf(ground);
          expect(replaced).toHaveLength(1);
          expect(replaced[0]?.program.id).not.toBe(link?.program.id);

          ground.does('detach', 'o', ...target);
          expect(linksOf(ground)).toEqual([]);
          const last = hitsOf(ground);
          fire(event, 10);
          expect(hitsOf(ground)).toBe(last);
          if (event === 'hit') await eventually('nobody watches', () => library.watched() === 0);
        });
      },
    );

    it('what a library or the kernel does not have is refused, by its name', async (context) => {
      context.skip(lacks !== undefined, lacks);
      await onGround(async (ground) => {
        const programs = [
          'uretprobe',
          'usdt',
          ...(hookLack('uprobe.multi') === undefined ? ['uprobe_multi'] : []),
        ];
        const only = programs.flatMap((program) => ['--only', `on_${program}`]);
        ground.does('load', fixture('hooks'), '--name', 'o', ...only);
        const at = (place: string): string => `${library.path}:${place}`;
        const cases = [
          [['attach', 'o/on_usdt', at('netkit_test:nosuch')], { ...notFound, says: /nosuch/ }],
          [['attach', 'o/on_usdt', at('netkit_probed')], { ...usage, says: /BINARY:PROVIDER:NAME/ }],
          [['attach', 'o/on_usdt', 'libc.so.6:nosuch:probe'], { ...notFound, says: /nosuch/ }],
          [['attach', 'o/on_uretprobe', at('nosuch')], { ...notFound, says: /has no function 'nosuch'/ }],
          ...(programs.includes('uprobe_multi')
            ? ([
                [
                  ['attach', 'o/on_uprobe_multi', at('netkit_probed,nosuch')],
                  { ...notFound, says: /has no function 'nosuch'/ },
                ],
              ] as const)
            : []),
        ] as const;
        for (const [args, refusal] of cases) await expectRefused(ground, args, refusal);
        expect(linksOf(ground)).toEqual([]);
      });
    });

    it('an iterator runs whenever its pin is read, by whichever load is in its place', async (context) => {
      context.skip(hookLack('iter') !== undefined, hookLack('iter'));
      await onGround((ground) => {
        const load = ['load', fixture('iterators'), '--name', 'o', '--only', 'tasks'];
        ground.does(...load);
        expect(ground.does('attach', 'o').stdout).toBe('attached o/tasks to iter of task\n');
        const [link] = linksOf(ground);
        expect(link).toMatchObject({ function: 'o', type: 'iter', target: 'task', dead: false });
        expect(ground.does('link', 'list').stdout).toContain('iter of task');
        const pin = link?.pin ?? '';
        const processes = (): readonly string[] => readFileSync(pin, 'utf8').split('\n');
        expect(processes()).toContain(String(process.pid));
        expect(ground.does('attach', 'o/tasks').stdout).toMatch(/already$/m);

        ground.does(...load, '--replace');
        const [now] = linksOf(ground);
        expect(now?.id).toBe(link?.id);
        expect(now?.program.id).not.toBe(link?.program.id);
        expect(processes()).toContain(String(process.pid));

        ground.does('detach', 'o/tasks');
        expect(linksOf(ground)).toEqual([]);
        expect(processes).toThrow(/ENOENT/);
      });
    });
  },
  { tools: ['clang', 'ping'], ...ownProcessId },
);
