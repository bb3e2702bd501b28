/** Many commands at the same time on one hook: what each attached is there once, whoever came first. */
import { expect, it } from 'vitest';
import { queryOrder } from '../../src/ebpf/order.js';
import { makeBpffs } from '../support/bpffs.js';
import { newerToolsMissing } from '../support/newer-tools.js';
import { describeAsRoot } from '../support/requirements.js';
import type { Ground } from './ground.js';
import { type OrderGround, orderTests } from './order-ground.js';

const withOrder = orderTests('on_ingress');
const ours = [...'abcde'];
const theirs = [...'fghij'];

describeAsRoot(
  'ten commands that attach to one interface at the same time, each to a place of its own',
  () => {
    it('lose no link and make none twice, five of them with a state and pins of their own, beside a foreign program', async () => {
      await withOrder(5, async (order, ground) => {
        using others = makeBpffs();
        for (const [at, name] of theirs.entries()) order.load(name, 6 + at, undefined, others);
        order.load('w', 99);
        const foreign = order.attachForeign('w/progs/on_ingress');
        for (let round = 0; round < 3; round++) {
          await attachAll(order, ground, others.env, foreign, round);
          const { entries } = queryOrder({
            hook: 'tcx',
            ifname: ground.ifname,
            direction: 'ingress',
            netns: ground.netns.handle,
          });
          expect(entries.length).toBe(11);
          expect(new Set(entries.map(({ programId }) => programId)).size).toBe(11);
          expect(new Set(entries.map(({ linkId }) => linkId)).size).toBe(11);
          const seen = order.marks();
          expect([...seen].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99]);
          // Whoever asked for a place beside the foreign program has it.
          expect(seen.indexOf(2)).toBeLessThan(seen.indexOf(99));
          expect(seen.indexOf(9)).toBeGreaterThan(seen.indexOf(99));
          const known = ground.list().flatMap(({ links }) => links);
          expect(known.filter(({ dead }) => !dead)).toHaveLength(5);
          await detachAll(ground, others.env);
          expect(order.marks()).toEqual([99]);
        }
        ground.doesWith(others.env, 'unload', '--all', '--yes');
      });
    });
  },
  { kernelHas: ['tcx'], check: newerToolsMissing },
);

async function attachAll(
  order: OrderGround,
  ground: Ground,
  env: Readonly<Record<string, string>>,
  foreign: number,
  round: number,
): Promise<void> {
  const places: readonly (readonly string[])[] = [
    ['--first'],
    ['--before', `id:${foreign}`],
    ['--priority', String(10 + round)],
    ['--last'],
    [],
  ];
  const theirPlaces: readonly (readonly string[])[] = [
    ['--first'],
    ['--priority', String(90 - round)],
    ['--last'],
    ['--after', `id:${foreign}`],
    [],
  ];
  const runs = [
    ...ours.map((name, at) => ground.runs(order.attaching(name, ...(places[at] ?? [])))),
    ...theirs.map((name, at) => ground.runs(order.attaching(name, ...(theirPlaces[at] ?? [])), env)),
  ];
  for (const result of await Promise.all(runs)) expect(result?.status, result?.stderr).toBe(0);
}

async function detachAll(ground: Ground, env: Readonly<Record<string, string>>): Promise<void> {
  const runs = [
    ...ours.map((name) => ground.runs(['detach', name])),
    ...theirs.map((name) => ground.runs(['detach', name], env)),
  ];
  for (const result of await Promise.all(runs)) expect(result?.status, result?.stderr).toBe(0);
}
