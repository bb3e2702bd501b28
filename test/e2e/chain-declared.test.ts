/** Chains as manifests declare them: their order, proved by packets, and how it changes. */
import { expect, vi } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { pass } from '../support/chain-marks.js';
import { emulated } from '../support/known-kernels.js';
import { randomFrom, seedOfRun, shuffled } from '../support/random.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { sampled } from '../support/sampling.js';
import {
  chainForms,
  type DeclaredChains,
  type Member,
  marksOf,
  movesInPlace,
  onChains,
} from './declared-chain-ground.js';
import { documentOf } from './ground.js';
import { compileBeforeAll } from './objects.js';

vi.setConfig({ testTimeout: emulated ? 900_000 : 120_000 });

/** One member and eight, and some lengths between, others each time. */
const lengths = emulated ? [1, 2, 5, 8] : [1, ...sampled(6, 2).map((index) => index + 2), 8];

const names = (...marks: number[]): string[] => marks.map((mark) => `m${mark}`);

describeAsRoot(
  'a declared chain',
  () => {
    let object: string;

    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/declared-chain.bpf.c');
    });

    /** Applies, and looks that packets meet the members in their order. */
    function becomes(chains: DeclaredChains, members: readonly Member[], ...more: string[]): void {
      chains.declares(members);
      chains.applies(...more);
      const ran = chains.ran();
      if (ran.join() !== marksOf(members).join())
        expect(ran, chains.ground.does('net', ...chains.ground.place).stdout).toEqual(marksOf(members));
      chains.expectSettled();
    }

    for (const form of chainForms) {
      const needs = { kernelHas: form.needs };

      itWith(needs, `of 1 to 8 functions runs them in their order (${form.form})`, async () => {
        process.stderr.write(`declared chains: seed ${seedOfRun}\n`);
        const random = randomFrom(seedOfRun);
        await onChains(form, object, (chains, ground) => {
          for (const count of lengths) {
            const members = shuffled(names(1, 2, 3, 4, 5, 6, 7, 8), random).slice(0, count);
            becomes(chains, members);
            const { form: seen, inOrder, members: listed } = chains.status();
            expect([seen, inOrder]).toEqual([form.form, true]);
            expect(listed.map(({ function: name, alive }) => [name, alive])).toEqual(
              members.map((name) => [name, true]),
            );
            chains.deletesAll();
            expect(chains.ran()).toEqual([]);
            expect(ground.list().map(({ name }) => name)).toEqual(['store']);
          }
        });
      });

      itWith(needs, `changes in place: members come, go and change places (${form.form})`, async () => {
        await onChains(form, object, (chains) => {
          becomes(chains, names(1, 2, 3));
          // In front, between and behind: nobody else is touched.
          for (const members of [
            [4, 1, 2, 3],
            [4, 1, 5, 2, 3],
            [4, 1, 5, 2, 3, 6],
            [1, 5, 2, 6],
            [5],
            [1, 5, 2],
          ]) {
            const before = linksOf(chains);
            becomes(chains, names(...members));
            const after = linksOf(chains);
            for (const [name, link] of Object.entries(before))
              if (members.includes(Number(name.slice(1)))) expect([name, after[name]]).toEqual([name, link]);
          }
          const gap = movesInPlace(form) ? [] : ['--allow-gap'];
          for (const members of [
            [1, 2, 5],
            [5, 2, 1],
            [2, 5, 1],
            [7, 1, 8, 2, 5],
            [5, 8],
          ])
            becomes(chains, names(...members), ...gap);
          // Members that left the chain are still there, and run nowhere.
          chains.writes([chains.chain(['m8'])]);
          chains.applies();
          expect(chains.ran()).toEqual([8]);
          expect(chains.ground.listed('m5').links).toEqual([]);
          chains.ground.does('delete', 'edge', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', '--yes');
        });
      });
    }

    for (const form of chainForms.filter(({ kind }) => kind === 'xdp')) {
      const needs = { kernelHas: form.needs };

      itWith(needs, `goes on upon the verdicts that its members say (${form.form})`, async () => {
        await onChains(form, object, (chains, ground) => {
          becomes(chains, ['m1', { name: 'm2', proceedOn: ['pass', 'drop'] }, 'm3']);
          chains.returns(2, 1);
          expect(chains.ran()).toEqual([1, 2, 3]);
          chains.declares(['m1', 'm2', 'm3']);
          const { functions } = chains.applies();
          expect(functions.filter(({ verb }) => verb === 'change').map(({ name }) => name)).toEqual(['m2']);
          expect(chains.ran()).toEqual([1, 2]);
          expect(ground.ping(1)).toBe(0);
          chains.declares(['m1', { name: 'm2', proceedOn: ['drop'] }, 'm3']);
          chains.applies();
          expect(chains.ran()).toEqual([1, 2, 3]);
          chains.returns(2, pass);
          expect(chains.ran()).toEqual([1, 2]);
          chains.declares([{ name: 'm1', proceedOn: [] }, { name: 'm2', proceedOn: ['drop'] }, 'm3']);
          chains.applies();
          expect(chains.ran()).toEqual([1]);
          chains.expectSettled();
          chains.deletesAll();
        });
      });

      itWith(needs, `keeps its order and verdicts when members are upgraded (${form.form})`, async () => {
        await onChains(form, object, (chains, ground) => {
          becomes(chains, ['m3', { name: 'm1', proceedOn: ['pass', 'tx'] }, 'm2']);
          chains.declares(
            ['m2', { name: 'm1', proceedOn: ['pass', 'tx'] }, 'm3'],
            chains.member('m1', { release: 2 }),
            chains.member('m3', { release: 2 }),
          );
          // Upgraded, and moved.
          chains.applies();
          expect(chains.ran()).toEqual([2, 1, 3]);
          expect([1, 2, 3].map((mark) => chains.releaseOf(mark))).toEqual([2, 1, 2]);
          ground.does('rollback', 'm1');
          expect(chains.ran()).toEqual([2, 1, 3]);
          expect(chains.releaseOf(1)).toBe(1);
          expect(chains.status().inOrder).toBe(true);
          ground.does('delete', 'edge', 'm1', 'm2', 'm3', '--yes');
        });
      });
    }

    itWith({}, 'is deleted without its members, which are not deleted without it', async () => {
      const [form] = chainForms.filter(({ form: each }) => each === 'tail-calls');
      if (form === undefined) throw new Error('no such form');
      await onChains(form, object, (chains, ground) => {
        becomes(chains, names(1, 2, 3));
        const before = chains.picture();
        const refused = ground.refuses(5, 'delete', 'm2', '--yes');
        expect(refused.stderr).toBe(
          "netkit: 'm2' is a member of the chain 'edge'\nhint: apply the chain without it, or delete 'edge' too\n",
        );
        // Pruning would do the same.
        chains.writes([chains.member('m1'), chains.member('m3'), chains.chain(names(1, 2, 3))]);
        expect(chains.tries('--prune', '--yes').status).toBe(5);
        expect(chains.picture()).toEqual(before);
        const programs = ground.list().flatMap(({ programs: own }) => own.map(({ id }) => id));
        const deleted = ground.does('delete', 'edge', '--yes', '--json');
        expect(documentOf(documents.delete, deleted)).toMatchObject({ functions: [], chains: ['edge'] });
        expect(chains.ran()).toEqual([]);
        expect(ground.list().map(({ name, links }) => [name, links])).toEqual([
          ['m1', []],
          ['m2', []],
          ['m3', []],
          ['store', []],
        ]);
        expect(ground.list().flatMap(({ programs: own }) => own.map(({ id }) => id))).toEqual(programs);
        // And comes again, whole.
        becomes(chains, names(3, 2, 1));
        ground.does('delete', 'edge', 'm1', 'm2', 'm3', '--yes');
      });
    });
  },
  { tools: ['clang', 'ping'] },
);

/** Where each member stands, and through which link, where that is one of its own. */
function linksOf(chains: DeclaredChains): Record<string, unknown> {
  const { members } = chains.status();
  const known = chains.ground.list();
  return Object.fromEntries(
    members.map(({ function: name, priority }) => {
      const [link] = known.find((each) => each.name === name)?.links ?? [];
      const own = chains.form.kind === 'xdp' ? [] : [link?.id, link?.program.id];
      return [name, [priority, ...own]];
    }),
  );
}
