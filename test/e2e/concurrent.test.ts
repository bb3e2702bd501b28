/** Ten commands at the same time on one interface or cgroup: what each attached is there once, and nothing else is lost. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { TestCgroup } from '../support/cgroup.js';
import { leavingNothing } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { run } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { bpftool, chained, fixture, type Ground, makeGround } from './ground.js';
import { compileBeforeAll } from './objects.js';
import { addClsact, addFilter, pinTheirs } from './other-tools.js';

const names = [...'abcdefghij'];

describeAsRoot(
  'ten netkit processes at the same time',
  () => {
    let object: string;
    let foreign: string;

    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/order.bpf.c');
      foreign = await objects.compile('test/fixtures/foreign.bpf.c');
    });

    /** Loads ten functions, runs `work`, and looks that nothing is left. */
    async function withTen(program: string, work: (ground: Ground) => Promise<void>): Promise<void> {
      await leavingNothing(async () => {
        using ground = makeGround();
        for (const name of names) ground.does('load', object, '--name', name, '--only', program);
        await work(ground);
        ground.does('unload', '--all', '--yes');
        expect(ground.bpffs.pins().filter((pin) => pin.startsWith('netkit'))).toEqual([]);
      });
    }

    /** Runs one command for each function, all at once. @returns their statuses, sorted */
    async function allAtOnce(
      ground: Ground,
      words: (name: string, at: number) => readonly string[],
    ): Promise<number[]> {
      const results = await Promise.all(names.map((name, at) => ground.runs(words(name, at))));
      for (const result of results) expect(result?.stderr).not.toMatch(/libbpf: |\n {4}at /);
      return results.map((result) => result?.status ?? -1).sort((a, b) => a - b);
    }

    const all = (status: number) => names.map(() => status);
    const idsOf = (ground: Ground) =>
      ground.list().flatMap(({ programs }) => programs.map(({ id }) => id ?? 0));

    function filtersOn({ netns, ifname }: Ground, side: string): number[] {
      const shown = netns.run('tc', ['filter', 'show', 'dev', ifname, side]);
      return [...shown.matchAll(/ direct-action .* id (\d+) /g)].map((match) => Number(match[1]));
    }

    it('make one clsact qdisc and ten filters, and take off theirs alone, the qdisc last', async () => {
      await withTen('on_ingress', async (ground) => {
        const where = [...ground.place, '--hook', 'tc/ingress'];
        const bare = ground.hooks();
        for (let round = 0; round < 2; round++) {
          expect(await allAtOnce(ground, (name) => ['attach', name, ...where])).toEqual(all(0));
          const ids = filtersOn(ground, 'ingress');
          expect(ids).toHaveLength(10);
          expect([...ids].sort()).toEqual(idsOf(ground).sort());
          const priorities = [
            ...ground.netns
              .run('tc', ['filter', 'show', 'dev', ground.ifname, 'ingress'])
              .matchAll(/pref (\d+) .* handle /g),
          ];
          expect(new Set(priorities.map((match) => match[1])).size).toBe(10);
          expect(await allAtOnce(ground, (name) => ['detach', name])).toEqual(all(0));
          expect(ground.hooks()).toEqual(bare);
        }
      });
    });

    it('attach and detach filters beside that of another tool, which stays', async () => {
      await withTen('on_ingress', async (ground) => {
        addClsact(ground);
        addFilter(ground, 'egress', pinTheirs(ground, fixture('tc')), 'prio', '50', 'handle', '1');
        const [theirs] = filtersOn(ground, 'egress');
        const where = [...ground.place, '--hook', 'tc/egress'];
        const half = names.length / 2;
        for (const name of names.slice(half)) ground.does('attach', name, ...where);
        // Five attach while five detach, and the other way round.
        for (let round = 0; round < 2; round++) {
          const statuses = await allAtOnce(ground, (name, at) =>
            at < half === (round % 2 === 0) ? ['attach', name, ...where] : ['detach', name],
          );
          expect(statuses).toEqual(all(0));
          const ids = filtersOn(ground, 'egress');
          expect(ids).toHaveLength(1 + half);
          expect(ids).toContain(theirs);
        }
        ground.does('unload', '--all', '--yes');
        expect(filtersOn(ground, 'egress')).toEqual([theirs]);
      });
    });

    it('are all on one cgroup, each once, behind or before that of another tool', async () => {
      await withTen('on_cgroup', async (ground) => {
        using cgroup = new TestCgroup();
        const pins = `${ground.bpffs.root.path}/theirs`;
        run('bpftool', ['prog', 'loadall', foreign, pins]);
        run('bpftool', [
          'cgroup',
          'attach',
          cgroup.path,
          'cgroup_inet_egress',
          'pinned',
          `${pins}/on_cgroup`,
          'multi',
        ]);
        const onCgroup = () =>
          z
            .array(z.looseObject({ id: z.int() }))
            .parse(bpftool('cgroup', 'show', cgroup.path))
            .map(({ id }) => id);
        const [theirs = 0] = onCgroup();
        const inOrder = kernelLacks('cgroup-anchors') === undefined;
        for (let round = 0; round < 2; round++) {
          const place = (at: number) => (inOrder && at % 2 === 0 ? ['--before', `id:${theirs}`] : []);
          const statuses = await allAtOnce(ground, (name, at) => ['attach', name, cgroup.path, ...place(at)]);
          expect(statuses).toEqual(all(0));
          const ids = onCgroup();
          expect([...ids].sort()).toEqual([theirs, ...idsOf(ground)].sort());
          expect(new Set(ids).size).toBe(11);
          if (inOrder) {
            const front = names
              .filter((_, at) => at % 2 === 0)
              .map((name) => ground.listed(name).programs[0]?.id);
            for (const id of front) expect(ids.indexOf(id ?? 0)).toBeLessThan(ids.indexOf(theirs));
          }
          expect(await allAtOnce(ground, (name) => ['detach', name])).toEqual(all(0));
          expect(onCgroup()).toEqual([theirs]);
        }
        run('bpftool', [
          'cgroup',
          'detach',
          cgroup.path,
          'cgroup_inet_egress',
          'pinned',
          `${pins}/on_cgroup`,
        ]);
      });
    });

    it('attach to XDP without a chain: one has it, nine are refused, and it is free when that one is detached', async () => {
      await withTen('on_xdp', async (ground) => {
        const where = [...ground.place, '--direct'];
        const bare = ground.hooks();
        for (let round = 0; round < 2; round++) {
          expect(await allAtOnce(ground, (name) => ['attach', name, ...where])).toEqual([
            0,
            ...names.slice(1).map(() => 5),
          ]);
          const [holder, ...more] = ground.list().filter(({ links }) => links.length > 0);
          expect(more).toEqual([]);
          expect(ground.hooks().join()).toMatch(new RegExp(`"id":${holder?.programs[0]?.id}\\b`));
          const statuses = await allAtOnce(ground, (name) => ['detach', name]);
          expect(statuses).toEqual([0, ...names.slice(1).map(() => 3)]);
          expect(ground.hooks()).toEqual(bare);
        }
      });
    });

    it('that all attach one function to one place make one link', async () => {
      await withTen('on_ingress', async (ground) => {
        for (const hook of ['tc/egress', ...(kernelLacks('tcx') === undefined ? ['tcx/ingress'] : [])]) {
          const where = [...ground.place, '--hook', hook];
          expect(await allAtOnce(ground, () => ['attach', 'a', ...where])).toEqual(all(0));
          expect(ground.listed('a').links).toHaveLength(1);
          if (hook === 'tc/egress') expect(filtersOn(ground, 'egress')).toHaveLength(1);
          const statuses = await allAtOnce(ground, () => ['detach', 'a']);
          expect(statuses).toEqual([0, ...names.slice(1).map(() => 3)]);
        }
      });
    });

    it('of which some replace, some attach and some detach, end where each would have ended alone', async () => {
      await withTen('on_egress', async (ground) => {
        const where = [...ground.place, '--hook', 'tc/egress'];
        for (const name of names.slice(0, 7)) ground.does('attach', name, ...where);
        const before = idsOf(ground);
        const statuses = await allAtOnce(ground, (name, at) => {
          if (at < 4) return ['load', object, '--name', name, '--only', 'on_egress', '--replace'];
          return at < 7 ? ['detach', name] : ['attach', name, ...where];
        });
        expect(statuses).toEqual(all(0));
        const attached = ground.list().filter(({ links }) => links.length > 0);
        expect(attached.map(({ name }) => name)).toEqual([...'abcdhij']);
        const running = attached.map(({ programs }) => programs[0]?.id ?? 0);
        expect(filtersOn(ground, 'egress').sort()).toEqual([...running].sort());
        for (const id of running.slice(0, 4)) expect(before).not.toContain(id);
      });
    });

    it('join one chain of XDP programs, or are refused where there is none', async () => {
      await withTen('on_xdp', async (ground) => {
        const statuses = await allAtOnce(ground, (name) => ['attach', name, ...ground.place]);
        expect(statuses).toEqual(chained ? all(0) : [0, ...names.slice(1).map(() => 5)]);
        expect(ground.list().flatMap(({ links }) => links)).toHaveLength(chained ? 10 : 1);
      });
    });
  },
  { tools: ['clang', 'ping'] },
);
