/** Everything that netkit can do, on a machine where other tools have their programs: those are not touched. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { commands } from '../../src/cli/table/index.js';
import { Link } from '../../src/ebpf/link.js';
import { tcActionLack } from '../support/kernel-config.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { newerToolsMissing } from '../support/newer-tools.js';
import { describeAsRoot } from '../support/requirements.js';
import { killed, lines, load } from './foreign-commands.js';
import { type ForeignGround, makeForeignGround } from './foreign-ground.js';
import { fixture } from './ground.js';
import { compileOperate } from './hook-ground.js';
import { Objects } from './objects.js';

let before: KernelState;

describeAsRoot(
  'beside the programs of other tools, which stay in their order and see every packet,',
  () => {
    const owned = new Scope();
    let foreign: ForeignGround;
    let objects: Objects;
    const files: Record<string, string> = {};
    let standing: unknown;

    beforeAll(async () => {
      before = snapshotKernelState();
      objects = owned.use(new Objects());
      files['ORDER'] = await objects.compile('test/fixtures/order.bpf.c');
      files['OPERATE'] = await compileOperate(objects);
      files['KINDS'] = await objects.compile('test/fixtures/further-kinds.bpf.c');
      files['TC'] = fixture('tc');
      files['ENTRIES'] = write('entries.json', '[{"key":0,"value":0}]');
      foreign = owned.use(await makeForeignGround(objects));
      const { everything } = foreign.interfaces;
      const { netns } = foreign.ground;
      const where = `${everything} --netns ${netns.name}`;
      const script = [
        `load ${files['TC']} --name fromscript`,
        `attach fromscript ${where} --hook tc/egress`,
        `attach o/on_any ${where} --hook tc/egress`,
        'detach fromscript',
        'unload fromscript',
        `detach o/on_any ${where} --hook tc/egress`,
      ];
      files['SCRIPT'] = write('script', script.join('\n'));
      files['FAILING'] = write('failing', [...script, 'detach nosuch'].join('\n'));
      files['MANIFEST'] = write('manifest.json', declared(['on_ingress', 'on_any']));
      files['CHANGED'] = write('changed.json', declared(['on_ingress']));
      files['UNITS'] = join(objects.folder, 'units');
      standing = foreign.standing();
      await foreign.expectSeeing();
    });
    afterAll(async () => {
      owned[Symbol.dispose]();
      await expectUnchanged(before);
    });

    /** A function beside them, in front of all that have no priority. */
    function declared(only: readonly string[]): string {
      const { everything } = foreign.interfaces;
      const netns = foreign.ground.netns.name;
      return JSON.stringify({
        apiVersion: 'netkit/v1',
        kind: 'NetworkFunction',
        metadata: { name: 'declared' },
        spec: {
          program: { object: files['ORDER'], only },
          attach: [
            { program: 'on_ingress', hook: 'tcx/ingress', interfaces: [everything], netns, priority: 3 },
          ],
        },
      });
    }

    function write(name: string, text: string): string {
      const path = join(objects.folder, name);
      writeFileSync(path, text);
      return path;
    }

    function wordsOf(text: string): string[] {
      const { ground, interfaces, cgroup, programs } = foreign;
      const places: Record<string, readonly string[]> = {
        CGROUP: [cgroup.path],
        NETNS: [ground.netns.name],
        ROUTE: [foreign.route(), '--netns', ground.netns.name],
        NEWROUTE: [foreign.route('10.98.0.0/24'), '--netns', ground.netns.name],
        NEWPIN: [join(ground.bpffs.root.path, 'netkit-of-theirs/new')],
        ...Object.fromEntries(Object.entries(files).map(([name, path]) => [name, [path]])),
        ...Object.fromEntries(
          Object.entries(interfaces).map(([name, ifname]) => [
            `@${name}`,
            [ifname, '--netns', ground.netns.name],
          ]),
        ),
      };
      const known = new Set(programs.names);
      const named = text.replace(
        /\b(prog|link|pin|map|entries):([a-z0-9-]+)/g,
        (whole, kind: string, name: string) => {
          if (name === 'cpumap' || name === 'devmap')
            if (kind === 'entries') return programs.redirectingPin(name);
          if (!known.has(name)) return whole;
          if (kind === 'prog') return `id:${programs.id(name)}`;
          if (kind === 'link') return `id:${programs.linkId(name)}`;
          return kind === 'pin' ? programs.pin(name) : programs.mapPin(name);
        },
      );
      return named.split(' ').flatMap((word) => places[word] ?? [word]);
    }

    /** Why lines cannot be tried that name what this kernel does not have. */
    function lackOf(text: string): string | undefined {
      const lacks = [
        ['tcx', kernelLacks('tcx')],
        ['netfilter', kernelLacks('netfilter-links')],
        ['action', tcActionLack()],
      ] as const;
      const named = [...text.matchAll(/\b(?:prog|link|pin|map):([a-z0-9-]+)/g)].map((match) => match[1]);
      return lacks.find(([kind]) => named.some((name) => name?.split('-')[0] === kind))?.[1];
    }

    async function expectUntouched(): Promise<void> {
      expect(foreign.standing()).toEqual(standing);
      await foreign.expectSeeing();
    }

    it.for(lines)('they survive that netkit ends with %s: %s', async ([status, text], context) => {
      const lack = lackOf(text);
      context.skip(lack !== undefined, lack);
      const { ground } = foreign;
      const result = ground.netkit(...wordsOf(text));
      const said = `netkit ${text}: ${result.status}\n${result.stdout}${result.stderr}`;
      expect(typeof status === 'number' ? [status] : status, said).toContain(result.status);
      rmSync(join(ground.bpffs.root.path, 'netkit-of-theirs/new'), { force: true });
      await expectUntouched();
    });

    it.for(killed)(
      'they survive that $command is killed, and what recover does then',
      async ({ prepare, command, steps }) => {
        const { ground } = foreign;
        for (const step of steps) {
          for (const line of prepare) ground.does(...wordsOf(line));
          const ended = await ground.runs(wordsOf(command), { NETKIT_TEST_KILL_STEP: String(step) });
          expect(ended, `killed at step ${step}`).toBeUndefined();
          await expectUntouched();
          ground.does('recover');
          ground.does('unload', '--all', '--yes');
          await expectUntouched();
        }
      },
    );

    it.for([
      'detach o',
      `${load} --replace`,
      'attach o/on_xdp @free --direct',
      'off @free',
      'off --all --yes',
      'unload o',
    ])('one who took the place of a link of netkit stays there: %s', async (text) => {
      const { ground, interfaces } = foreign;
      ground.does(...wordsOf(load));
      ground.does(...wordsOf('attach o/on_xdp @free --direct'));
      ground.does(...wordsOf('attach o/on_egress @free --hook tc/egress'));
      takeOver();
      const xdpIs = () => ground.netns.run('ip', ['-j', 'link', 'show', 'dev', interfaces.free]);
      const [xdp, filters] = [xdpIs(), theirFilters()];
      expect(filters).toContain(`id ${foreign.programs.id('tc-1')} `);
      const { status, stderr } = ground.netkit(...wordsOf(text));
      // Netkit's own link is dead, and the place is taken: to attach again is refused.
      expect(status, stderr).toBe(text.startsWith('attach') ? 5 : 0);
      ground.does('unload', 'o', '--if-exists');
      expect([xdpIs(), theirFilters()]).toEqual([xdp, filters]);
      ground.netns.run('ip', ['link', 'set', 'dev', interfaces.free, 'xdp', 'off']);
      ground.netns.run('tc', ['qdisc', 'del', 'dev', interfaces.free, 'clsact']);
      await expectUntouched();

      function theirFilters(): string {
        return ground.netns.run('tc', ['filter', 'show', 'dev', interfaces.free, 'egress']);
      }

      /** Another tool removes the link and the filter, and puts programs of its own there. */
      function takeOver(): void {
        const links = join(ground.bpffs.root.path, 'netkit/o/links');
        const [pin = ''] = readdirSync(links).filter((name) => name.includes('xdp'));
        using link = Link.fromPin(join(links, pin));
        link.detach();
        ground.netns.run('ip', [
          'link',
          'set',
          'dev',
          interfaces.free,
          'xdpdrv',
          'pinned',
          foreign.programs.pin('xdp-ip'),
        ]);
        const [, priority = '', handle = ''] =
          /pref (\d+) bpf chain 0 handle (0x[0-9a-f]+)/.exec(theirFilters()) ?? [];
        const filter = ['dev', interfaces.free, 'egress', 'prio', priority, 'handle', handle, 'bpf', 'da'];
        ground.netns.run('tc', ['filter', 'replace', ...filter, 'pinned', foreign.programs.pin('tc-1')]);
      }
    });

    it.for(['', ' --take-pins'])('one that is named is taken over, and no other: adopt%s', async (option) => {
      const { ground } = foreign;
      const name = 'cgroup-bpftool';
      ground.does(
        'adopt',
        foreign.programs.pin(name),
        '--name',
        'adopted',
        ...option.split(' ').filter((word) => word !== ''),
      );
      await foreign.expectSeeing();
      ground.does('unload', 'adopted');
      await foreign.expectSeeing();
    });

    it('each with a link goes when it is named, and no other', async () => {
      const { ground } = foreign;
      const off: string[] = [];
      for (const name of foreign.programs.linked) {
        ground.does('detach', `id:${foreign.programs.linkId(name)}`, '--dry-run');
        await foreign.expectSeeing(off);
        ground.does('detach', `id:${foreign.programs.linkId(name)}`);
        off.push(name);
        await foreign.expectSeeing(off);
      }
      expect(off.length).toBeGreaterThanOrEqual(2);
      ground.does('off', '--all', '--yes');
      ground.does('unload', '--all', '--yes');
      await foreign.expectSeeing(off);
    });

    it('nothing that changes something is left out', () => {
      const tried = [...lines.map(([, text]) => text), ...killed.map(({ command }) => command)];
      for (const { name, changes } of commands) {
        if (changes !== true) continue;
        expect(
          tried.some((text) => text === name || text.startsWith(`${name} `)),
          `netkit ${name} beside others`,
        ).toBe(true);
      }
    });
  },
  { tools: ['clang'], check: newerToolsMissing },
);
