// What packets meet, in order, and whose it is.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { documents } from '../../src/cli/schema/documents.js';
import type { DocumentOf } from '../../src/cli/schema/index.js';
import { packageRoot } from '../../src/host/package-root.js';
import { TestCgroup } from '../support/cgroup.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { run } from '../support/netns.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { documentOf, fixture, type Ground, makeGround, Objects } from './ground.js';
import { compileOperate, loadOperate } from './hook-ground.js';
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
    const owned = new Scope();
    let operate: string;
    let before: KernelState;
    beforeAll(async () => {
      operate = await compileOperate(owned.use(new Objects()));
      before = snapshotKernelState();
    });
    afterAll(async () => {
      owned[Symbol.dispose]();
      await expectUnchanged(before);
    });

    /** A program that bpftool loads and pins. */
    function theirs(ground: Ground, name: string): string {
      const pin = join(ground.bpffs.root.path, name);
      run('bpftool', ['prog', 'load', fixture('tc'), pin]);
      return pin;
    }

    describe('on one interface', () => {
      itWith(
        { kernelHas: ['tcx'] },
        'shows netkit and others in the order in which packets meet them',
        () => {
          using ground = makeGround();
          const pin = theirs(ground, 'foreign');
          const dev = ['dev', ground.ifname];
          ground.netns.run('tc', ['qdisc', 'add', ...dev, 'clsact']);
          for (const [side, pref] of [
            ['ingress', '7'],
            ['egress', '9'],
          ] as const) {
            const filter = ['filter', 'add', ...dev, side, 'pref', pref, 'bpf', 'da', 'object-pinned', pin];
            ground.netns.run('tc', filter);
          }
          const classic = ['bpf', 'bytecode', '1,6 0 0 0,', 'flowid', '1:1'];
          ground.netns.run('tc', ['filter', 'add', ...dev, 'ingress', 'pref', '99', ...classic]);
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
          ground.netns.run('tc', ['qdisc', 'del', ...dev, 'clsact']);
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

      it('names the process that holds what nobody pinned', async () => {
        using ground = makeGround();
        const pin = join(ground.bpffs.root.path, 'held');
        run('bpftool', ['prog', 'load', fixture('pass'), pin]);
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
