import { unlinkSync } from 'node:fs';
import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { documentOf, fixture, type Ground } from './ground.js';
import { onGround } from './hook-ground.js';
import { addClsact, addFilter, pinTheirs, removeClsact } from './other-tools.js';

describeAsRoot(
  'tc from the command line',
  () => {
    expectUnchangedAfterAll();

    const qdiscs = (ground: Ground) => ground.hooks().filter((line) => line.startsWith('qdisc clsact'));
    const filters = (ground: Ground) =>
      ground.hooks().filter((line) => /^(in|e)gress of .*handle/.test(line));
    const packets = (ground: Ground, reference = 'c/packets', key = '0') => ground.entry(reference, key);

    itWith(
      { kernelHas: ['tcx'] },
      'runs the programs of tcx ingress and egress, counts packets, drops by a map entry, and goes without a trace',
      async () => {
        await onGround((ground) => {
          ground.does('load', fixture('tcx'), '--name', 'c');
          const attached = documentOf(documents.attach, ground.attach('c', '--json'));
          expect(attached.links.map(({ link }) => [link.type, link.hook, link.attachType])).toEqual([
            ['tcx', 'tcx/ingress', 'tcx_ingress'],
            ['tcx', 'tcx/egress', 'tcx_egress'],
          ]);
          expect(ground.ping(6)).toBe(6);
          expect([packets(ground, 'c/packets', '0'), packets(ground, 'c/packets', '1')]).toEqual([6, 6]);

          ground.does('map', 'update', 'c/drop', '0', 'true');
          expect(ground.ping(4)).toBe(0);
          expect([packets(ground, 'c/packets', '0'), packets(ground, 'c/packets', '1')]).toEqual([10, 6]);
          ground.does('map', 'update', 'c/drop', '0', 'false');
          ground.does('map', 'update', 'c/drop', '1', 'true');
          expect(ground.ping(3)).toBe(0);
          expect([packets(ground, 'c/packets', '0'), packets(ground, 'c/packets', '1')]).toEqual([13, 9]);

          expect(ground.attach('c').stdout).toMatch(/already[\s\S]*already/);
          ground.does('detach', 'c/on_egress', ...ground.place);
          expect(ground.ping(2)).toBe(2);
          expect([packets(ground, 'c/packets', '0'), packets(ground, 'c/packets', '1')]).toEqual([15, 9]);
          ground.does('detach', 'c');
          expect(ground.ping(2)).toBe(2);
          expect(packets(ground, 'c/packets', '0')).toBe(15);
        });
      },
    );

    itWith(
      { kernelHas: ['tcx'] },
      'attaches one of two tcx programs alone, and another program of that type where --hook says',
      async () => {
        await onGround((ground) => {
          ground.does('load', fixture('tcx'), '--name', 'c');
          ground.attach('c/on_egress', '--hook', 'tcx/ingress');
          expect(ground.ping(2)).toBe(2);
          // The program counts itself as egress, wherever it runs.
          expect([packets(ground, 'c/packets', '0'), packets(ground, 'c/packets', '1')]).toEqual([0, 2]);
          expect(ground.listed('c').links).toMatchObject([
            { hook: 'tcx/ingress', program: { name: 'on_egress' } },
          ]);
          ground.refuses(2, 'attach', 'c', ...ground.place, '--hook', 'xdp');
          ground.refuses(2, 'attach', 'c', ...ground.place, '--mode', 'native');
        });
      },
    );

    it.each(['tc/ingress', 'tc/egress'])(
      'runs a filter on %s, which counts and drops, and whose qdisc comes and goes with it',
      async (hook) => {
        await onGround((ground) => {
          ground.does('load', fixture('tc'), '--name', 'c');
          expect(qdiscs(ground)).toEqual([]);
          const attached = documentOf(documents.attach, ground.attach('c', '--hook', hook, '--json'));
          expect(attached.links).toMatchObject([{ link: { type: 'tc', id: null, hook, dead: false } }]);
          expect(qdiscs(ground)).toHaveLength(1);
          expect(filters(ground)).toHaveLength(1);
          expect(filters(ground)[0]).toMatch(
            new RegExp(`^${hook.slice(3)} of .*handle 0x6e6b[0-9a-f]{4}.*direct-action`),
          );
          expect(ground.ping(6)).toBe(6);
          expect(packets(ground)).toBe(6);
          expect(ground.attach('c', '--hook', hook).stdout).toMatch(/already/);
          expect(filters(ground)).toHaveLength(1);
          ground.does('load', fixture('tc'), '--name', 'c', '--replace', '--set', 'drop_all=true');
          expect(filters(ground)).toHaveLength(1);
          expect(ground.ping(3)).toBe(0);
          expect(packets(ground)).toBe(3);
          ground.does('detach', 'c');
          expect(qdiscs(ground)).toEqual([]);
          expect(ground.ping(2)).toBe(2);
        });
      },
    );

    it('asks for a direction where the section tells none', async () => {
      await onGround((ground) => {
        ground.does('load', fixture('tc'), '--name', 'c');
        const refused = ground.refuses(2, 'attach', 'c', ...ground.place);
        expect(refused.stderr).toMatch(/hint: .*--hook/);
        expect(qdiscs(ground)).toEqual([]);
      });
    });

    it('keeps a clsact qdisc that was there before', async () => {
      await onGround((ground) => {
        addClsact(ground);
        const there = ground.hooks();
        ground.does('load', fixture('tc'), '--name', 'c');
        ground.attach('c', '--hook', 'tc/ingress');
        ground.does('unload', 'c');
        expect(ground.hooks()).toEqual(there);
        removeClsact(ground);
      });
    });

    it.each(['ingress', 'egress'] as const)(
      'keeps the qdisc that it made while a filter of somebody else is on its %s side',
      async (side) => {
        await onGround((ground) => {
          ground.does('load', fixture('tc'), '--name', 'c');
          ground.attach('c', '--hook', 'tc/ingress');
          const pin = pinTheirs(ground, fixture('tc'));
          addFilter(ground, side, pin, 'prio', '7');
          const theirs = filters(ground).filter((line) => line.includes('pref 7 '));
          expect(theirs).toHaveLength(1);
          ground.does('unload', 'c');
          expect(filters(ground)).toEqual(theirs);
          expect(ground.ping(2)).toBe(2);
          removeClsact(ground);
          unlinkSync(pin);
        });
      },
    );

    it.each([
      ['first', 'second'],
      ['second', 'first'],
    ])(
      'lets two functions share a qdisc, and removes it with the last of them: %s, then %s',
      async (...order) => {
        await onGround((ground) => {
          for (const name of ['first', 'second']) {
            ground.does('load', fixture('tc'), '--name', name);
            ground.attach(name, '--hook', 'tc/ingress');
          }
          expect(filters(ground)).toHaveLength(2);
          expect(qdiscs(ground)).toHaveLength(1);
          expect(ground.ping(3)).toBe(3);
          const [gone = '', stays = ''] = order;
          ground.does('unload', gone);
          expect(qdiscs(ground)).toHaveLength(1);
          expect(filters(ground)).toHaveLength(1);
          const counted = Number(packets(ground, `${stays}/packets`));
          expect(ground.ping(3)).toBe(3);
          expect(packets(ground, `${stays}/packets`)).toBe(counted + 3);
          ground.does('unload', stays);
          expect(qdiscs(ground)).toEqual([]);
        });
      },
    );

    it('takes ingress and egress of one function off one after the other', async () => {
      await onGround((ground) => {
        ground.does('load', fixture('tc'), '--name', 'c');
        ground.attach('c', '--hook', 'tc/ingress');
        ground.attach('c', '--hook', 'tc/egress');
        expect(ground.ping(3)).toBe(3);
        expect(packets(ground)).toBe(6);
        ground.does('detach', 'c', '--hook', 'tc/ingress');
        expect(qdiscs(ground)).toHaveLength(1);
        expect(ground.ping(3)).toBe(3);
        expect(packets(ground)).toBe(9);
        ground.does('detach', 'c', ground.ifname, '--hook', 'tc/egress', '--netns', ground.netns.name);
        expect(qdiscs(ground)).toEqual([]);
        ground.refuses(3, 'detach', 'c');
      });
    });

    it('sees that somebody removed its filter or its qdisc, and attaches again', async () => {
      await onGround((ground) => {
        ground.does('load', fixture('tc'), '--name', 'c');
        ground.attach('c', '--hook', 'tc/ingress');
        removeClsact(ground);
        expect(ground.listed('c').links).toMatchObject([{ dead: true }]);
        ground.attach('c', '--hook', 'tc/ingress');
        expect(ground.listed('c').links).toMatchObject([{ dead: false }]);
        expect(ground.ping(3)).toBe(3);
        expect(packets(ground)).toBe(3);
        ground.netns.run('tc', ['filter', 'del', 'dev', ground.ifname, 'ingress']);
        expect(ground.listed('c').links).toMatchObject([{ dead: true }]);
        ground.does('detach', 'c');
      });
    });
  },
  { tools: ['ping'] },
);
