// What packets meet, in order, and whose it is.
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { documents } from '../../src/cli/schema/documents.js';
import type { DocumentOf } from '../../src/cli/schema/index.js';
import { packageRoot } from '../../src/host/package-root.js';
import { TestCgroup } from '../support/cgroup.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { run } from '../support/netns.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { bpftool, chained, documentOf, fixture, type Ground, makeGround } from './ground.js';
import { compileOperate, loadOperate } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { addClsact, addFilter, pinTheirs, removeClsact } from './other-tools.js';
import { expectRefused, notFound } from './refusal.js';

type Net = DocumentOf<'net'>;
type Met = Net['receive'][number];

function net(ground: Ground, ...more: string[]): Net {
  return documentOf(documents.net, ground.does('net', ...more, '--netns', ground.netns.name, '--json'));
}

/** What is met on the ground's interface: `hook owner` each. */
function met(way: readonly Met[]): string[] {
  return way.map(({ hook, owner }) => `${hook} ${ownerOf(owner)}`);
}

function ownerOf({ function: own, pin, process, libxdp }: Met['owner']): string {
  if (own !== null) return `${own.name}/${own.program}`;
  if (libxdp) return 'libxdp';
  return pin ?? (process === null ? 'nobody' : process.command);
}

describeAsRoot(
  'netkit net',
  () => {
    let operate: string;
    let tail: string;
    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      operate = await compileOperate(objects);
      tail = await objects.compile('test/fixtures/tail-chain.bpf.c');
    });

    /** A program that bpftool loads and pins. */
    describe('on one interface', () => {
      itWith(
        { kernelHas: ['tcx'] },
        'shows netkit and others in the order in which packets meet them',
        () => {
          using ground = makeGround();
          const pin = pinTheirs(ground, fixture('tc'));
          addClsact(ground);
          addFilter(ground, 'ingress', pin, 'pref', '7');
          addFilter(ground, 'egress', pin, 'pref', '9');
          const classic = ['bpf', 'bytecode', '1,6 0 0 0,', 'flowid', '1:1'];
          const ingress = ['dev', ground.ifname, 'ingress'];
          ground.netns.run('tc', ['filter', 'add', ...ingress, 'pref', '99', ...classic]);
          ground.does('load', fixture('pass'), '--name', 'x');
          ground.attach('x', '--mode', 'generic', '--direct');
          ground.does('load', fixture('tcx'), '--name', 'c');
          ground.attach('c');
          ground.does('load', fixture('tc'), '--name', 't');
          ground.attach('t', '--hook', 'tc/ingress');

          const [only, ...none] = net(ground, ground.ifname).interfaces;
          expect(none).toEqual([]);
          expect(met(only?.receive ?? [])).toEqual([
            'xdp x/pass',
            'tcx/ingress c/on_ingress',
            `tc/ingress ${pin}`,
            'tc/ingress t/count',
            'tc/ingress nobody',
          ]);
          expect(met(only?.send ?? [])).toEqual(['tcx/egress c/on_egress', `tc/egress ${pin}`]);
          expect(only?.receive.map(({ priority }) => priority)).toEqual([null, null, 7, 50, 99]);
          expect(only?.receive[0]).toMatchObject({
            detail: 'generic',
            program: { name: 'pass', type: 'xdp' },
          });
          expect(only?.receive[4]).toMatchObject({
            program: null,
            detail: expect.stringMatching(/^handle /),
          });

          const text = ground.does('net', '--netns', ground.netns.name).stdout;
          expect(text).toMatch(/INTERFACE +WAY +HOOK +PRIORITY +PROGRAM +ID +OWNER +DETAIL/);
          expect(text).toMatch(new RegExp(`${ground.ifname} +in +tc/ingress +50 +count +\\d+ +t/count`));
          ground.does('unload', '--all', '--yes');
          removeClsact(ground);
        },
      );

      it('counts the runs while the kernel does', () => {
        using ground = makeGround();
        ground.does('load', fixture('pass'), '--name', 'x');
        ground.attach('x', '--direct');
        const counts = () => net(ground, ground.ifname).interfaces[0]?.receive[0];
        expect(counts()).toMatchObject({ runs: null, runNs: null });
        const statistics = '/proc/sys/kernel/bpf_stats_enabled';
        run('sh', ['-c', `echo 1 > ${statistics}`]);
        try {
          ground.ping(4);
          expect(Number(counts()?.runs)).toBeGreaterThanOrEqual(4);
          expect(Number(counts()?.runNs)).toBeGreaterThan(0);
          expect(ground.does('net', '--netns', ground.netns.name).stdout).toMatch(/RUNS +NS A RUN/);
        } finally {
          run('sh', ['-c', `echo 0 > ${statistics}`]);
        }
        ground.does('unload', 'x');
      });

      it('shows the runs of a chain, and none of its members, of which the kernel counts none', () => {
        using ground = makeGround();
        ground.does('load', chained ? fixture('pass') : tail, '--name', 'x');
        ground.attach(chained ? 'x/pass' : 'x/member_1');
        const statistics = '/proc/sys/kernel/bpf_stats_enabled';
        run('sh', ['-c', `echo 1 > ${statistics}`]);
        try {
          ground.ping(4);
          const [chain, member] = net(ground, ground.ifname).interfaces[0]?.receive ?? [];
          expect(chain?.hook).toBe('xdp');
          expect(Number(chain?.runs)).toBeGreaterThanOrEqual(4);
          expect(member).toMatchObject({ hook: 'xdp/chain', runs: null, runNs: null });
          const shown = bpftool('prog', 'show', 'id', String(member?.program?.id));
          expect(z.looseObject({ run_cnt: z.int().default(0) }).parse(shown).run_cnt).toBe(0);
        } finally {
          run('sh', ['-c', `echo 0 > ${statistics}`]);
        }
        ground.does('unload', 'x');
      });

      it('names the process that holds what nobody pinned', async () => {
        using ground = makeGround();
        const pin = pinTheirs(ground, fixture('pass'), 'held');
        const script = 'test/support/link-holder.ts';
        const args = ['scripts/run.mjs', script, pin, ground.ifname, ground.netns.name];
        const holder = spawn(process.execPath, args, {
          cwd: packageRoot(),
          stdio: ['pipe', 'pipe', 'inherit'],
        });
        const ended = new Promise((resolve) => holder.on('close', resolve));
        try {
          await new Promise((resolve) => holder.stdout.once('data', resolve));
          run('rm', [pin]);
          const [entry] = net(ground, ground.ifname).interfaces.flatMap(({ receive }) => receive);
          expect(entry?.owner).toMatchObject({ function: null, pin: null, process: { pid: holder.pid } });
        } finally {
          holder.stdin.end();
          await ended;
        }
      });

      it('that has nothing says so, and of one that is not there that there is none', async () => {
        using ground = makeGround();
        expect(net(ground, ground.ifname).interfaces).toMatchObject([{ receive: [], send: [] }]);
        expect(net(ground).interfaces).toEqual([]);
        await expectRefused(ground, ['net', 'nowhere', '--netns', ground.netns.name], {
          ...notFound,
          says: /no interface 'nowhere'/,
        });
      });
    });

    describe('behind every interface', () => {
      itWith(
        { kernelHas: ['netfilter-links'] },
        'shows socket lookups, netfilter by stage, and cgroups with their path',
        () => {
          using ground = makeGround();
          using cgroup = new TestCgroup();
          loadOperate(ground, operate, ['steer', 'filter', 'passing']);
          const here = ['--netns', ground.netns.name];
          ground.does('attach', 'o/steer', ...here);
          ground.does('attach', 'o/filter', ...here, '--stage', 'input', '--priority', '5');
          ground.does('attach', 'o/passing', cgroup.path, '--hook', 'cgroup_skb/ingress');
          const { receive } = net(ground);
          const own = receive.filter(({ owner }) => owner.function?.name === 'o');
          expect(met(own)).toEqual([
            'sk_lookup o/steer',
            'netfilter/input o/filter',
            'cgroup_skb/ingress o/passing',
          ]);
          expect(own[1]).toMatchObject({ priority: 5, detail: 'ipv4' });
          expect(own[2]?.detail).toMatch(/^\/./);
          ground.does('unload', 'o');
        },
      );
    });
  },
  { tools: ['tc', 'bpftool'] },
);
