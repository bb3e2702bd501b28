import { expect, it } from 'vitest';
import { z } from 'zod';
import { TestCgroup } from '../support/cgroup.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot, ownProcessId } from '../support/requirements.js';
import type { Ground } from './ground.js';
import { callGetpgid, linksOf, onGround } from './hook-ground.js';
import { routeOf, sendElsewhere } from './kinds-ground.js';
import { compileBeforeAll } from './objects.js';
import { conflict, expectRefused, notFound, unsupported, usage } from './refusal.js';

const counts = z.strictObject({ a: z.int(), b: z.int() });

describeAsRoot(
  'another program of a function in the place of one that is attached',
  () => {
    let object: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/swaps.bpf.c');
    });

    function loadBoth(ground: Ground, kind: string): void {
      const only = ['--only', `${kind}_a`, '--only', `${kind}_b`, '--set', `only_process=${process.pid}`];
      ground.does('load', object, '--name', 'o', ...only);
    }

    /** Which of the two programs ran since the last look. */
    class Runs {
      readonly #ground: Ground;
      #last = { a: 0, b: 0 };
      constructor(ground: Ground) {
        this.#ground = ground;
      }
      since(): string {
        const now = counts.parse(this.#ground.entry('o/.bss', '0'));
        const ran = (['a', 'b'] as const).filter((each) => now[each] > this.#last[each]).join('');
        this.#last = now;
        return ran;
      }
    }

    interface Kind {
      readonly kind: string;
      readonly replacing: 'swap' | 'overlap' | 'gap';
      readonly lacks?: string | undefined;
      readonly words: (ground: Ground, cgroup: TestCgroup) => readonly string[];
      readonly fire: (ground: Ground, cgroup: TestCgroup) => void;
    }
    const ping = (ground: Ground): void => void ground.ping();
    const kinds: readonly Kind[] = [
      { kind: 'xdp', replacing: 'swap', words: ({ place }) => [...place, '--direct'], fire: ping },
      { kind: 'tcx', replacing: 'swap', lacks: kernelLacks('tcx'), words: ({ place }) => place, fire: ping },
      { kind: 'tc', replacing: 'swap', words: ({ place }) => place, fire: ping },
      {
        kind: 'lwt',
        replacing: 'swap',
        words: (ground) => [routeOf(ground), '--netns', ground.veth.a.netns.name],
        fire(ground) {
          const { a, b } = ground.veth;
          // So that there is a way without the program too.
          a.netns.run('ip', ['route', 'replace', '10.0.0.0/8', 'via', b.address]);
          sendElsewhere(ground);
        },
      },
      {
        kind: 'group',
        replacing: 'swap',
        words: (_ground, cgroup) => [cgroup.path],
        fire: (ground, cgroup) => void cgroup.inside(() => ground.ping()),
      },
      {
        kind: 'trace',
        replacing: 'overlap',
        lacks: kernelLacks('perf-links'),
        words: () => [],
        fire: () => callGetpgid(5),
      },
      { kind: 'raw', replacing: 'overlap', words: () => [], fire: () => callGetpgid(5) },
      {
        kind: 'filter',
        replacing: 'gap',
        lacks: kernelLacks('netfilter-links'),
        words: (ground) => ['--netns', ground.netns.name, '--stage', 'input'],
        fire: ping,
      },
    ];

    it.for(kinds)(
      '$kind: runs the other one from then on, in the same place, and is detached by its name',
      async ({ kind, replacing, lacks, words, fire }, context) => {
        context.skip(lacks !== undefined, lacks);
        using cgroup = new TestCgroup();
        await onGround(async (ground) => {
          loadBoth(ground, kind);
          const runs = new Runs(ground);
          ground.does('attach', `o/${kind}_a`, ...words(ground, cgroup));
          fire(ground, cgroup);
          expect(runs.since()).toBe('a');
          const [link] = linksOf(ground);
          const update = ['link', 'update', `o/${kind}_a`, '--program', `${kind}_b`];
          if (replacing === 'gap')
            await expectRefused(ground, update, {
              ...unsupported,
              says: /would be none/,
              hints: /--allow-gap/,
            });
          const said = ground.does(...update, ...(replacing === 'gap' ? ['--allow-gap'] : []));
          expect(said.stdout).toMatch(new RegExp(`^o/${kind}_b is on .* now$`, 'm'));
          expect(said.stderr.includes('both programs run')).toBe(replacing === 'overlap');
          runs.since();
          fire(ground, cgroup);
          expect(runs.since()).toBe('b');
          const [now, ...more] = linksOf(ground);
          expect(more).toEqual([]);
          expect(now).toMatchObject({ program: { name: `${kind}_b` }, target: link?.target, dead: false });
          if (replacing === 'swap') expect(now?.id).toBe(link?.id);
          // A raw tracepoint sees every process, and one of them may be at it just then.
          const back = ['link', 'update', 'o', '--program', `o/${kind}_a`];
          ground.does(...back, ...(replacing === 'gap' ? ['--allow-gap'] : []));
          expect(ground.does(...back, '--dry-run').stdout).not.toContain('would put');
          ground.does('detach', `o/${kind}_a`);
          runs.since();
          fire(ground, cgroup);
          expect(runs.since()).toBe('');
        });
      },
    );

    it('is refused for a program that does not go there, is there too, or is none of the function', async () => {
      await onGround(async (ground) => {
        const only = ['xdp_a', 'xdp_b', 'tc_a', 'tc_b', 'trace_a'].flatMap((each) => ['--only', each]);
        ground.does('load', object, '--name', 'o', ...only);
        ground.does('load', object, '--name', 'other', '--only', 'xdp_a');
        ground.does('attach', 'o/tc_a', ...ground.place);
        ground.does('attach', 'o/tc_b', ...ground.place);
        const update = ['link', 'update', 'o/tc_a'];
        const cases = [
          [
            [...update, '--program', 'xdp_a'],
            { ...usage, says: /'xdp_a' \(xdp\) cannot run on tc\/ingress/ },
          ],
          [
            [...update, '--program', 'tc_b'],
            { ...conflict, says: /o\/tc_b is attached to tc\/ingress .* too/ },
          ],
          [[...update, '--program', 'nosuch'], { ...notFound, says: /no program 'nosuch'/ }],
          [[...update, '--program', 'other/xdp_a'], { ...usage, says: /of another function than o/ }],
          [['link', 'update', 'o/xdp_a', '--program', 'xdp_b'], { ...notFound, says: /is not attached/ }],
          [
            [...update, '--program', 'tc_b', '--priority', '3'],
            { ...usage, says: /--program is given alone/ },
          ],
          [[...update, '--allow-gap', '--priority', '3'], { ...usage, says: /goes with --program/ }],
          [update, { ...usage, says: /nothing is to be changed/ }],
        ] as const;
        for (const [args, refusal] of cases) await expectRefused(ground, args, refusal);
      });
    });
  },
  { tools: ['clang', 'ping'], ...ownProcessId },
);
