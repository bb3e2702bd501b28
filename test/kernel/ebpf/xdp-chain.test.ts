import { expect, it } from 'vitest';
import { Scope } from '../../../src/base/scope.js';
import { changeChain } from '../../../src/ebpf/dispatcher/change.js';
import { placing, replacing } from '../../../src/ebpf/dispatcher/edits.js';
import { loadMember } from '../../../src/ebpf/dispatcher/member.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { ChainLab } from '../../support/chain-lab.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { newerToolsMissing } from '../../support/newer-tools.js';
import { randomFrom, seeds, shuffled } from '../../support/random.js';
import { describeAsRoot } from '../../support/requirements.js';
import { chainObject, loaderVersions, numberOf, plainMembers } from '../../support/xdp-chain.js';

/** Where a member belongs, as the test's own model has it: by priority, then by name. */
interface Modelled {
  readonly name: string;
  readonly id: number;
  readonly priority: number;
}

function modelled(members: readonly Modelled[]): Modelled[] {
  return [...members].sort((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : 1));
}

describeAsRoot(
  'a chain of XDP programs',
  () => {
    it.each(seeds)(
      'of 1 to 10 members put there in random order with random priorities is what a model predicts, for netkit, for packets and for xdp-loader (seed %i)',
      async (seed) => {
        const random = randomFrom(seed);
        await leavingNothing(() => {
          using lab = new ChainLab();
          const members: Modelled[] = [];
          for (const name of shuffled(plainMembers, random).slice(0, 10)) {
            const priority = random(4) * 25;
            members.push({ name, priority, id: lab.add(name, { priority }) });
            const expected = modelled(members);
            expect(lab.names()).toEqual(expected.map((each) => each.name));
            expect(lab.ran()).toEqual({
              members: expected.map((each) => numberOf(each.name)),
              answered: true,
            });
          }
          for (const version of loaderVersions) {
            expect(
              lab.ground
                .loader(version)
                .status()
                .map(({ priority, name, id, actions }) => ({ priority, name, id, actions })),
            ).toEqual(modelled(members).map((each) => ({ ...each, actions: 'XDP_PASS' })));
          }
          const eleventh = plainMembers.find((name) => members.every((each) => each.name !== name)) ?? '';
          expect(() => lab.add(eleventh)).toThrow(/is full: it takes 10 programs/);
          expect(lab.names()).toEqual(modelled(members).map((each) => each.name));
          for (const { id } of shuffled(members, random)) lab.remove(id);
          expect(lab.chain()).toBeUndefined();
          expect(lab.ground.chainPins()).toEqual([]);
        });
      },
    );

    it.each(seeds)(
      'is changed by netkit and by xdp-loader 1.3 and 1.5 in turns, each among the members of the others (seed %i)',
      async (seed) => {
        const random = randomFrom(seed);
        await leavingNothing(() => {
          using lab = new ChainLab();
          const loaders = loaderVersions.map((version) => lab.ground.loader(version));
          let members: Modelled[] = [];
          const free = (): string[] =>
            plainMembers.filter((name) => members.every((each) => each.name !== name));
          for (let step = 0; step < 24; step++) {
            const who = random(3);
            const loader = loaders[who - 1];
            const one = members[random(members.length + 1)];
            if (one !== undefined && (members.length > 6 || random(3) === 0)) {
              if (loader === undefined) lab.remove(one.id);
              else loader.remove(one.id);
              members = members.filter((each) => each !== one);
            } else {
              const name = shuffled(free(), random)[0] ?? '';
              // xdp-loader takes 0 for none given.
              const priority = 1 + random(4) * 25;
              const before = new Set(members.map(({ id }) => id));
              if (loader === undefined) lab.add(name, { priority });
              else loader.add(name, '--prio', String(priority));
              const id =
                lab.chain()?.members?.find(({ program }) => !before.has(program?.id ?? 0))?.program?.id ?? 0;
              members = modelled([...members, { name, priority, id }]);
            }
            expect({ step, names: lab.names() }).toEqual({ step, names: members.map(({ name }) => name) });
          }
          for (const loader of loaders) {
            expect(loader.status().map(({ priority, name, id }) => ({ priority, name, id }))).toEqual(
              members,
            );
          }
          expect(lab.ran().members).toEqual(members.map(({ name }) => numberOf(name)));
          loaders[0]?.removeAll();
          expect(lab.chain()).toBeUndefined();
          expect(lab.ground.chainPins()).toEqual([]);
        });
      },
    );

    it('goes on upon the verdicts of proceed-on alone, and a change in place shows at once in both tools', async () => {
      await leavingNothing(() => {
        using lab = new ChainLab();
        const first = lab.add('member_1', { priority: 1, proceedOn: ['drop', 'tx'] });
        lab.add('member_2', { priority: 2 });
        // pass ends the chain
        expect(lab.ran()).toEqual({ members: [1], answered: true });
        lab.returns(1, 1);
        // drop goes on, and what the last one says counts
        expect(lab.ran()).toEqual({ members: [1, 2], answered: true });
        lab.returns(1, 0);
        expect(lab.ran()).toEqual({ members: [1], answered: false });
        lab.returns(1, 2);
        const { changed } = changeChain(lab.place, { mode: 'auto' }, placing(first, { proceedOn: ['pass'] }));
        expect(changed).toBe(true);
        expect(lab.ran()).toEqual({ members: [1, 2], answered: true });
        changeChain(
          lab.place,
          { mode: 'auto' },
          placing(first, { priority: 3, proceedOn: ['pass', 'aborted'] }),
        );
        expect(lab.ran().members).toEqual([2, 1]);
        // What is so already makes no new dispatcher.
        const before = lab.chain()?.dispatcherId;
        const again = placing(first, { priority: 3, proceedOn: ['aborted', 'pass'] });
        expect(changeChain(lab.place, { mode: 'auto' }, again)).toMatchObject({ changed: false });
        expect(lab.chain()?.dispatcherId).toBe(before);
        for (const version of loaderVersions) {
          expect(lab.ground.loader(version).status()).toMatchObject([
            { priority: 2, name: 'member_2', actions: 'XDP_PASS' },
            { priority: 3, name: 'member_1', actions: 'XDP_ABORTED,XDP_PASS' },
          ]);
        }
        lab.ground.loader('1.5').removeAll();
      });
    });

    it('takes from the object where a member belongs, as xdp-loader does', async () => {
      await leavingNothing(() => {
        using lab = new ChainLab();
        const long = 'a_member_with_a_long_name_b';
        lab.add('member_11');
        lab.add(long);
        const mine = lab.ground
          .loader('1.5')
          .status()
          .map(({ priority, name, actions }) => ({ priority, name, actions }));
        expect(mine).toEqual([
          { priority: 7, name: 'member_11', actions: 'XDP_DROP,XDP_PASS' },
          { priority: 8, name: long.slice(0, 15), actions: 'XDP_TX' },
        ]);
        // One that changes packets can be in it on every kernel.
        expect(lab.ran()).toEqual({ members: [11, 1], answered: true });
        lab.ground.loader('1.5').removeAll();
      });
    });

    it('keeps the place of a member whose program is replaced, and what others put around it', async () => {
      await leavingNothing(() => {
        using lab = new ChainLab();
        using scope = new Scope();
        const first = lab.add('member_5', { priority: 9, proceedOn: ['pass', 'tx'] });
        lab.ground.loader('1.3').add('member_6', '--prio', '4');
        lab.ground.loader('1.5').add('member_7', '--prio', '11');
        const spec = ObjectSpec.readSync(chainObject);
        const maps = lab.maps;
        changeChain(
          lab.place,
          { mode: 'auto' },
          replacing(first, {
            name: 'member_8',
            frags: false,
            loaded: undefined,
            open: (slot) => scope.use(loadMember({ spec, program: 'member_8', name: 'chain', maps }, slot)),
          }),
        );
        expect(lab.ground.loader('1.3').status()).toMatchObject([
          { priority: 4, name: 'member_6' },
          { priority: 9, name: 'member_8', actions: 'XDP_PASS,XDP_TX' },
          { priority: 11, name: 'member_7' },
        ]);
        expect(lab.ran().members).toEqual([6, 8, 7]);
        lab.ground.loader('1.3').removeAll();
      });
    });
  },
  { kernelHas: ['freplace'], tools: ['xdp-loader', 'ping'], check: newerToolsMissing },
);
