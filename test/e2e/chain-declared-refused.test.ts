/** Declared chains of which something is wrong: with the document, with a member, or with what is there already. */
import { expect, vi } from 'vitest';
import { z } from 'zod';
import { emulated } from '../support/known-kernels.js';
import { newerTool } from '../support/newer-tools.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { chainForms, type DeclaredChains, marksOf, movesInPlace, onChains } from './declared-chain-ground.js';
import { errorOf } from './ground.js';
import { compileBeforeAll } from './objects.js';

vi.setConfig({ testTimeout: emulated ? 900_000 : 120_000 });

const three = ['m1', 'm2', 'm3'];

describeAsRoot(
  'a declared chain',
  () => {
    let object: string;
    let refused: string;

    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/declared-chain.bpf.c');
      refused = await objects.compile('test/fixtures/declared-chain.bpf.c', ['REFUSED']);
    });

    function becomes(chains: DeclaredChains, members: readonly string[]): void {
      chains.declares(members);
      chains.applies();
      expect(chains.ran()).toEqual(marksOf(members));
    }

    for (const form of chainForms) {
      const needs = { kernelHas: form.needs };

      itWith(needs, `stays as it was when a member fails (${form.form})`, async () => {
        await onChains(form, object, (chains) => {
          becomes(chains, three);
          const before = chains.picture();
          const fails = (status: number, message: RegExp): void => {
            const result = chains.tries();
            expect(result.status, result.stdout + result.stderr).toBe(status);
            expect(errorOf(result).message).toMatch(message);
            expect(chains.picture()).toEqual(before);
          };

          // A member that is new, beside others that come and go.
          chains.declares(['m4', 'm1', 'm5', 'm3'], chains.member('m5', { object: refused }));
          fails(7, /member/);
          // One that is there, and is upgraded.
          chains.declares(three, chains.member('m2', { object: refused, release: 2 }));
          fails(7, /member/);
          // One that is not healthy, beside one that is upgraded and one that comes.
          const probe = { map: 'releases', key: 2, op: '<', value: 0 };
          chains.declares(
            ['m1', 'm4', 'm2', 'm3'],
            chains.member('m2', { release: 2, more: { health: { probe, settle: '1s' } } }),
            chains.member('m3', { release: 2 }),
          );
          fails(1, /^m2 is not healthy/);
          // Neither the chain's interface nor one of a member is there.
          chains.declares(['m4', ...three], chains.chain(['m4', ...three], { interface: 'nowhere' }));
          fails(3, /no interface 'nowhere'/);
          const elsewhere = {
            attach: [{ hook: form.hook, interfaces: ['nowhere'], netns: chains.ground.netns.name }],
          };
          chains.declares(['m4', ...three], chains.member('m4', { more: elsewhere }));
          fails(3, /no interface 'nowhere'/);

          becomes(chains, three);
          chains.expectSettled();
          chains.deletesAll();
        });
      });
    }

    for (const form of chainForms.filter(movesInPlace)) {
      itWith(
        { kernelHas: form.needs },
        `stays as it was when it moves, and a member fails (${form.form})`,
        async () => {
          await onChains(form, object, (chains) => {
            const isXdp = form.kind === 'xdp';
            chains.declares(['m1', isXdp ? { name: 'm2', proceedOn: ['pass', 'drop'] } : 'm2', 'm3']);
            chains.applies();
            const before = chains.picture(form.form !== 'tail-calls');
            const probe = { map: 'releases', key: 1, op: '<', value: 0 };
            chains.declares(
              [isXdp ? { name: 'm3', proceedOn: ['tx'] } : 'm3', 'm4', 'm2', 'm1'],
              chains.member('m1', { release: 2, more: { health: { probe, settle: '1s' } } }),
            );
            const result = chains.tries();
            expect(result.status, result.stderr).toBe(1);
            expect(chains.picture(form.form !== 'tail-calls')).toEqual(before);
            chains.deletesAll();
          });
        },
      );

      if (form.kind !== 'xdp') continue;
      itWith({ kernelHas: form.needs }, `takes ten members and no eleventh (${form.form})`, async () => {
        await onChains(form, object, (chains, ground) => {
          const nine = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9'];
          becomes(chains, nine);
          const reuse = ['marks', 'verdicts', 'releases', 'histories'].flatMap((map) => [
            '--reuse',
            `${map}=store/${map}`,
          ]);
          const only = ['--only', 'xdp_member'];
          ground.does('load', object, '--name', 'hand', '--set', 'mark=12', ...only, ...reuse);
          ground.attach('hand', '--priority', '45');
          expect(chains.ran()).toEqual([1, 2, 3, 4, 12, 5, 6, 7, 8, 9]);
          const before = chains.picture();
          chains.declares([...nine, 'm10']);
          const result = chains.tries();
          expect(result.status, result.stderr).toBe(5);
          expect(errorOf(result).message).toMatch(/is full: it takes 10 programs/);
          expect(chains.picture()).toEqual(before);

          // Who was attached by hand keeps its place while others move, and when they go.
          chains.declares(['m9', 'm8', 'm3', 'm4', 'm5']);
          chains.applies();
          expect(chains.ran().filter((mark) => mark !== 12)).toEqual([9, 8, 3, 4, 5]);
          const before12 = chains.ran().slice(0, chains.ran().indexOf(12));
          const lower = chains.status().members.filter(({ priority }) => (priority ?? 0) < 45);
          expect(before12).toEqual(marksOf(lower.map(({ function: name }) => name)));
          chains.deletesAll();
          expect(chains.ran()).toEqual([12]);
          ground.does('unload', 'hand');
          ground.does('delete', 'm1', 'm2', 'm6', 'm7', '--yes');
        });
      });
    }

    itWith({ kernelHas: ['tcx'] }, 'leaves programs of other tools where they are (tcx)', async () => {
      const form = chainForms.find((each) => each.form === 'tcx');
      if (form === undefined) throw new Error('no such form');
      await onChains(form, object, (chains, ground) => {
        // Pinned, and attached by another tool.
        ground.does('load', object, '--name', 'theirs', '--only', 'tc_recorder');
        const id = ground.listed('theirs').programs[0]?.id ?? 0;
        const attach = ['net', 'attach', 'tcx_ingress', 'id', String(id), 'dev', ground.ifname];
        chains.declares(three);
        chains.applies();
        newerTool('bpftool', attach, ground.netns);
        expect(standing(chains)).toEqual(['m1', 'm2', 'm3', id]);
        // Behind theirs, and in front.
        for (const [members, order] of [
          [
            ['m1', 'm2', 'm3', 'm4'],
            ['m1', 'm2', 'm3', id, 'm4'],
          ],
          [
            ['m5', 'm1', 'm3', 'm4'],
            ['m5', 'm1', 'm3', id, 'm4'],
          ],
          [['m1'], ['m1', id]],
          [
            ['m1', 'm2'],
            ['m1', id, 'm2'],
          ],
        ] as const) {
          chains.declares(members);
          chains.applies();
          expect(chains.ran()).toEqual(marksOf(members));
          expect(standing(chains)).toEqual(order);
          chains.expectSettled();
        }
        // Who changes places goes around theirs.
        chains.declares(['m2', 'm1']);
        chains.applies();
        expect(chains.ran()).toEqual([2, 1]);
        expect(standing(chains)).toContain(id);
        expect(standing(chains)).toHaveLength(3);
        ground.does('delete', 'edge', 'm1', 'm2', 'm3', 'm4', 'm5', '--yes');
        newerTool('bpftool', ['net', 'detach', 'tcx_ingress', 'dev', ground.ifname], ground.netns);
        ground.does('unload', 'theirs');
      });
    });

    itWith({}, 'is refused as a whole when its document asks for what cannot be', async () => {
      const form = chainForms.find((each) => each.form === 'tail-calls');
      if (form === undefined) throw new Error('no such form');
      await onChains(form, object, (chains, ground) => {
        becomes(chains, three);
        const before = chains.picture();
        const { ifname, netns } = ground;
        const there = { hook: 'xdp', netns: netns.name };
        const members = three.map((name) => chains.member(name));
        const own = (interfaces: string[], more: object = {}) => [
          chains.member('m1', { more: { attach: [{ ...there, interfaces, ...more }] } }),
          ...members.slice(1),
          chains.chain(three),
        ];
        const both = chains.member('m1', { more: { program: { object, only: undefined } } });
        const cases: readonly (readonly [string, readonly object[], RegExp])[] = [
          ['an unknown member', [...members, chains.chain(['m1', 'nobody'])], /no function 'nobody'/],
          ['a member twice', [...members, chains.chain(['m1', { name: 'm1' }])], /in the chain already/],
          ['no member', [...members, chains.chain([])], /at least one function/],
          [
            'eleven members',
            [chains.chain(Array.from({ length: 11 }, (_, index) => `m${index + 1}`))],
            /at most 10 functions/,
          ],
          ['one of its own there', own([ifname]), /'m1' attaches to xdp of .* by itself/],
          [
            'one of its own there, by a pattern',
            own([`${ifname.slice(0, -1)}?`]),
            /attaches to xdp of .* by itself/,
          ],
          [
            'one of its own there, by the path of the namespace',
            own([ifname], { netns: `/run/netns/${netns.name}` }),
            /attaches to xdp of .* by itself/,
          ],
          [
            'a hook without an order',
            [...members, chains.chain(three, { hook: 'sk_lookup' })],
            /no order on 'sk_lookup'/,
          ],
          [
            'a hook that is on no interface',
            [...members, chains.chain(three, { hook: 'cgroup/connect4' })],
            /'cgroup\/connect4' is not on an interface/,
          ],
          [
            'a member without a program for the hook',
            [...members, chains.chain(three, { hook: 'tcx/ingress' })],
            /no program for tcx\/ingress/,
          ],
          [
            'two programs for the hook',
            [both, ...members.slice(1), chains.chain(three)],
            /2 programs for xdp/,
          ],
          [
            'a program that is not there',
            [...members, chains.chain([{ name: 'm1', program: 'other' }, 'm2'])],
            /no program 'other'/,
          ],
          [
            'two chains in one place',
            [
              ...members,
              chains.chain(['m1']),
              chains.chain(['m2'], { netns: `/run/netns/${netns.name}` }, 'core'),
            ],
            /'edge' is on xdp of .* already/,
          ],
          ['the name of a function', [...members, chains.chain(three), chains.chain(['m1'], {}, 'm2')], /m2/],
          [
            'the name of what was loaded by hand',
            [...members, chains.chain(['m1'], {}, 'store')],
            /'store' is the name of a function/,
          ],
        ];
        for (const [what, all, message] of cases) {
          chains.writes(all);
          const planned = ground.netkit('plan', '-f', chains.manifest, '--json');
          expect([1, 5], `${what}: ${planned.stdout}${planned.stderr}`).toContain(planned.status);
          const error = errorOf(planned);
          expect(`${error.message} ${JSON.stringify(error.details)}`, what).toMatch(message);
          expect(chains.tries().status, what).toBe(planned.status);
          expect(chains.picture(), what).toEqual(before);
        }
        chains.declares(three);
        chains.deletesAll();
      });
    });

    itWith({}, 'has no modes and no verdicts where those are not the kernel’s', async () => {
      const form = chainForms.find((each) => each.form === 'tc');
      if (form === undefined) throw new Error('no such form');
      await onChains(form, object, (chains) => {
        const members = three.map((name) => chains.member(name));
        for (const [chain, message] of [
          [chains.chain(three, { mode: 'generic' }), /no modes on 'tc\/ingress'/],
          [chains.chain(['m1', { name: 'm2', proceedOn: ['pass'] }]), /the program itself says/],
        ] as const) {
          chains.writes([...members, chain]);
          const result = chains.tries();
          expect(result.status).toBe(1);
          expect(errorOf(result).message).toMatch(message);
          expect(chains.ran()).toEqual([]);
        }
      });
    });
  },
  { tools: ['clang', 'ping'] },
);

const shownNet = z.array(
  z.looseObject({ tc: z.array(z.looseObject({ kind: z.string(), prog_id: z.int() })) }),
);

/** What bpftool says is on tcx ingress: the functions of the chain by name, programs of others by id. */
function standing({ ground }: DeclaredChains): (string | number)[] {
  const owners = new Map(
    ground.list().flatMap(({ name, links }) => links.map(({ program }) => [program.id, name] as const)),
  );
  return shownNet
    .parse(JSON.parse(newerTool('bpftool', ['-j', 'net', 'show', 'dev', ground.ifname], ground.netns)))
    .flatMap(({ tc }) => tc)
    .filter(({ kind }) => kind === 'tcx/ingress')
    .map(({ prog_id: id }) => owners.get(id) ?? id);
}
