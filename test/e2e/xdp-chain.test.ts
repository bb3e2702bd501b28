import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { leavingNothing } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { newerToolsMissing } from '../support/newer-tools.js';
import { randomFrom, seedOfRun } from '../support/random.js';
import { describeAsRoot } from '../support/requirements.js';
import {
  chainObject,
  type LoaderVersion,
  loaderVersions,
  numberOf,
  plainMembers,
  XdpLoader,
} from '../support/xdp-chain.js';
import { ran } from './chain-ground.js';
import { documentOf, errorOf, fixture, type Ground, makeGround } from './ground.js';
import { onGround } from './hook-ground.js';

/** xdp-loader, whose members share the maps of the function `c`. */
function loaderOn(ground: Ground, version: LoaderVersion): XdpLoader {
  const bpffs = ground.bpffs.root.path;
  return new XdpLoader(version, ground.veth.b, bpffs, join(bpffs, 'netkit/c/maps'));
}

/** What both tools must agree upon. */
function seen(
  ground: Ground,
  version: LoaderVersion = '1.5',
): { name: string; priority: number; actions: string }[] {
  return loaderOn(ground, version)
    .status()
    .map(({ name, priority, actions }) => ({ name, priority, actions }));
}

describeAsRoot(
  'chains of XDP programs from the command line',
  () => {
    it('have the members of several functions in the order of their priorities, as xdp-loader and packets see it', async () => {
      await onGround((ground) => {
        ground.does('load', chainObject, '--name', 'c');
        ground.does('load', fixture('pass'), '--name', 'p');
        const attached = ground.attach('c/member_3', '--priority', '30');
        expect(attached.stdout).toBe(
          `attached c/member_3 to xdp (native, priority 30) of ${ground.ifname} in netns ${ground.netns.name}\n`,
        );
        expect(attached.stderr).toBe('');
        ground.attach('c/member_1', '--priority', '40', '--proceed-on', 'drop,pass');
        ground.attach('p');
        ground.attach('c/member_2', '--priority', '7');
        // The object says where it belongs.
        ground.attach('c/member_11');
        const expected = [
          { name: 'member_11', priority: 7, actions: 'XDP_DROP,XDP_PASS' },
          { name: 'member_2', priority: 7, actions: 'XDP_PASS' },
          { name: 'member_3', priority: 30, actions: 'XDP_PASS' },
          { name: 'member_1', priority: 40, actions: 'XDP_DROP,XDP_PASS' },
          { name: 'pass', priority: 50, actions: 'XDP_PASS' },
        ];
        for (const version of loaderVersions) expect(seen(ground, version)).toEqual(expected);
        expect(ran(ground)).toEqual([11, 2, 3, 1]);

        const again = ground.attach('c/member_3');
        expect(again.stdout).toContain('already');
        ground.refuses(5, 'attach', 'c/member_3', ...ground.place, '--priority', '31');
        ground.refuses(5, 'attach', 'c/member_3', ...ground.place, '--proceed-on', 'tx');
        ground.refuses(5, 'attach', 'c/member_3', ...ground.place, '--mode', 'generic');
        ground.refuses(5, 'attach', 'c/member_3', ...ground.place, '--direct');
        ground.refuses(2, 'attach', 'c/member_4', ...ground.place, '--proceed-on', 'sideways');

        const links = ground.listed('c').links;
        expect(
          links.map(({ program, type, hook, mode, dead }) => [program.name, type, hook, mode, dead]),
        ).toEqual(
          ['member_3', 'member_1', 'member_2', 'member_11'].map((name) => [
            name,
            'tracing',
            'xdp',
            'native',
            false,
          ]),
        );
        const { link, order } = documentOf(
          documents['link show'],
          ground.does('link', 'show', `id:${links[0]?.id}`, '--json'),
        );
        expect(link.function).toBe('c');
        expect(order).toEqual({ priority: 30, place: 3, of: 5 });
        const { programs } = documentOf(documents['prog list'], ground.does('prog', 'list', '--json'));
        const ids = new Set(links.map(({ program }) => program.id));
        expect(
          programs.filter(({ id }) => ids.has(id)).map(({ type, function: owner }) => [type, owner]),
        ).toEqual(links.map(() => ['ext', 'c']));

        ground.does('detach', 'c/member_2', ...ground.place);
        expect(ran(ground)).toEqual([11, 3, 1]);
      });
    });

    it('can be asked for a place beside another member, whoever put it there', async () => {
      await onGround((ground) => {
        ground.does('load', chainObject, '--name', 'c');
        ground.attach('c/member_5');
        loaderOn(ground, '1.3').add('member_6', '--prio', '60');
        ground.attach('c/member_7', '--first');
        ground.attach('c/member_8', '--last');
        ground.attach('c/member_9', '--before', 'name:member_6');
        ground.attach('c/member_0', '--after', 'c/member_5');
        expect(ran(ground)).toEqual([7, 5, 0, 9, 6, 8]);
        expect(
          loaderOn(ground, '1.3')
            .status()
            .map(({ name }) => numberOf(name)),
        ).toEqual([7, 5, 0, 9, 6, 8]);
        ground.refuses(3, 'attach', 'c/member_1', ...ground.place, '--before', 'c/member_2');
        const other = loaderOn(ground, '1.5')
          .status()
          .find(({ name }) => name === 'member_6');
        loaderOn(ground, '1.5').remove(other?.id ?? 0);
      });
    });

    it('change in place: priority and verdicts, while packets flow', async () => {
      await onGround(async (ground) => {
        ground.does('load', chainObject, '--name', 'c');
        ground.attach('c/member_1', '--priority', '1');
        ground.attach('c/member_2', '--priority', '2');
        using traffic = ground.traffic();
        const updated = ground.does('link', 'update', 'c/member_1', ...ground.place, '--priority', '3');
        expect(updated.stdout).toContain(`c/member_1 is on xdp (native, priority 3) of ${ground.ifname}`);
        ground.does('link', 'update', 'c', '--proceed-on', 'pass,redirect');
        const { sent, received } = await traffic.stop();
        expect(received).toBe(sent);
        expect(seen(ground)).toEqual([
          { name: 'member_2', priority: 2, actions: 'XDP_PASS,XDP_REDIRECT' },
          { name: 'member_1', priority: 3, actions: 'XDP_PASS,XDP_REDIRECT' },
        ]);
        expect(ran(ground)).toEqual([2, 1]);
        const { actions } = documentOf(
          documents['link update'],
          ground.does('link', 'update', 'c/member_1', '--priority', '3', '--json'),
        );
        expect(actions).toEqual([]);
        ground.refuses(2, 'link', 'update', 'c/member_1');
        ground.refuses(3, 'link', 'update', 'c/member_4', '--priority', '3');
        ground.does('link', 'update', 'c/member_1', '--priority', '1', '--dry-run');
        expect(ran(ground)).toEqual([2, 1]);
      });
    });

    it('keep a function in its place when it is replaced, beside members of others, without losing a packet', async () => {
      await onGround(async (ground) => {
        ground.does('load', chainObject, '--name', 'c');
        ground.attach('c/member_4', '--priority', '20', '--proceed-on', 'pass,tx');
        for (const [version, priority] of [
          ['1.3', '10'],
          ['1.5', '30'],
        ] as const)
          loaderOn(ground, version).add(`member_${priority === '10' ? 1 : 3}`, '--prio', priority);
        const before = loaderOn(ground, '1.3').status();
        using traffic = ground.traffic();
        const reuse = ['marks', 'verdicts'].flatMap((map) => ['--reuse', `${map}=c/${map}`]);
        ground.does('load', chainObject, '--name', 'c', '--replace', ...reuse);
        const { sent, received } = await traffic.stop();
        expect(received).toBe(sent);
        const after = loaderOn(ground, '1.3').status();
        expect(after.map(({ name }) => name)).toEqual(['member_1', 'member_4', 'member_3']);
        expect(after[1]).toMatchObject({ priority: 20, actions: 'XDP_PASS,XDP_TX' });
        expect([after[0], after[2]]).toEqual([before[0], before[2]]);
        expect(after[1]?.id).not.toBe(before[1]?.id);
        expect(ran(ground)).toEqual([1, 4, 3]);
        expect(ground.listed('c').links).toMatchObject([{ dead: false, program: { id: after[1]?.id } }]);
        loaderOn(ground, '1.5').removeAll();
        expect(ground.listed('c').links).toMatchObject([{ dead: true }]);
      });
    });

    it('are changed by netkit and xdp-loader 1.3 and 1.5 in turns', async () => {
      process.stderr.write(`chains in turns: seed ${seedOfRun}\n`);
      const random = randomFrom(seedOfRun);
      await onGround((ground) => {
        ground.does('load', chainObject, '--name', 'c');
        const who = [undefined, ...loaderVersions.map((version) => loaderOn(ground, version))];
        let members: { name: string; priority: number; id: number; own: boolean }[] = [];
        const ordered = (): string[] =>
          [...members]
            .sort((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : 1))
            .map(({ name }) => name);
        for (let step = 0; step < 14; step++) {
          const loader = who[random(3)];
          const one = members[random(members.length + 2)];
          if (one !== undefined) {
            // What netkit attached may be taken off by xdp-loader, and is dead then; the other way round netkit refuses.
            if (one.own && loader === undefined) ground.does('detach', `c/${one.name}`);
            else who[1]?.remove(one.id);
            members = members.filter((each) => each !== one);
          } else {
            const free = plainMembers.filter((name) => members.every((each) => each.name !== name));
            const name = free[random(free.length)] ?? '';
            const priority = 1 + random(3) * 20;
            const known = new Set(members.map(({ id }) => id));
            if (loader === undefined) ground.attach(`c/${name}`, '--priority', String(priority));
            else loader.add(name, '--prio', String(priority));
            const id = who[2]?.status().find((each) => !known.has(each.id))?.id ?? 0;
            members.push({ name, priority, id, own: loader === undefined });
          }
          const names = members.length === 0 ? [] : (who[1]?.status() ?? []).map(({ name }) => name);
          expect({ step, names }).toEqual({ step, names: ordered() });
        }
        expect(ran(ground)).toEqual(ordered().map(numberOf));
        for (const { id, own } of members) if (!own) who[2]?.remove(id);
        ground.does('unload', 'c');
      });
    });

    it('are left alone where they cannot be changed, and a lone program of another tool is named', async () => {
      await onGround((ground) => {
        ground.does('load', chainObject, '--name', 'c');
        ground.does('load', fixture('pass'), '--name', 'p');
        ground.attach('p', '--direct');
        const refused = ground.refuses(5, 'attach', 'c/member_1', ...ground.place);
        expect(refused.stderr).toMatch(/has an XDP program that is no chain: 'pass', id \d+ \(native\)/);
        ground.does('detach', 'p');
        expect(
          errorOf(ground.refuses(2, 'attach', 'p', ...ground.place, '--direct', '--priority', '3', '--json'))
            .code,
        ).toBe('usage');
        // An object without BTF cannot be a member: alone, or not at all.
        for (const member of plainMembers.slice(0, 10)) ground.attach(`c/${member}`);
        expect(ground.refuses(5, 'attach', 'p', ...ground.place).stderr).toMatch(
          /is full: it takes 10 programs/,
        );
        expect(seen(ground)).toHaveLength(10);
      });
    });

    it('give up a member also when its function is unloaded from its pins alone', async () => {
      await onGround((ground) => {
        ground.does('load', chainObject, '--name', 'c');
        ground.does('load', fixture('pass'), '--name', 'p');
        ground.attach('c/member_1');
        ground.attach('p');
        truncateSync(join(ground.bpffs.stateDir, 'p.json'), 40);
        ground.does('unload', 'p');
        expect(seen(ground)).toMatchObject([{ name: 'member_1' }]);
        expect(ran(ground)).toEqual([1]);
      });
    });

    it('that ended with their interface leave nothing when their functions are unloaded', async () => {
      using ground = makeGround();
      await leavingNothing(() => {
        ground.does('load', chainObject, '--name', 'c');
        ground.attach('c/member_1');
        ground.attach('c/member_2');
        ground.netns.run('ip', ['link', 'del', ground.ifname]);
        expect(ground.listed('c').links.map(({ dead }) => dead)).toEqual([true, true]);
        ground.does('detach', 'c/member_1');
        ground.does('unload', 'c');
        expect(ground.bpffs.pins()).toEqual([]);
      });
    });

    it('stay when the command that holds a program alone is refused, and are not begun by --hold', async () => {
      await onGround(async (ground) => {
        ground.does('load', chainObject, '--name', 'c');
        using running = ground.start('attach', 'c/member_1', ...ground.place, '--hold');
        await running.output(/attached/);
        expect(ground.hooks().join()).toContain('"member_1"');
        running.process.kill('SIGINT');
        await running.ended;
        expect(ground.hooks().join()).not.toContain('"xdp"');
      });
    });
  },
  { kernelHas: ['freplace'], tools: ['xdp-loader', 'ping'], check: newerToolsMissing },
);

describeAsRoot(
  'an XDP program on an interface',
  () => {
    it('is in a chain, or alone with a note that says why, and a second one is then refused with the reason', async () => {
      const lack = kernelLacks('freplace');
      await onGround((ground) => {
        ground.does('load', fixture('pass'), '--name', 'p');
        ground.does('load', fixture('pass'), '--name', 'q');
        const { stderr } = ground.attach('p');
        if (lack === undefined) {
          expect(stderr).toBe('');
          ground.attach('q');
          return;
        }
        expect(stderr).toMatch(
          /^netkit: attached alone, since there can be no chain of XDP programs: it needs freplace/,
        );
        const refused = ground.refuses(5, 'attach', 'q', ...ground.place);
        expect(refused.stderr).toMatch(
          /has an XDP program already: 'pass', id \d+ \(native\)\nhint: .*chain.*freplace/,
        );
        ground.refuses(6, 'attach', 'q', ...ground.place, '--priority', '7');
        expect(ground.attach('p').stdout).toContain('already');
        ground.does('detach', 'p');
        expect(ground.attach('q', '--direct').stderr).toBe('');
      });
    });
  },
  { tools: ['ping'] },
);
