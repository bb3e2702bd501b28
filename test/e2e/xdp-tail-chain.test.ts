import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { xdpVerdicts } from '../../src/obj/xdp-dispatcher/actions.js';
import { pass } from '../support/chain-marks.js';
import { leavingNothing } from '../support/kernel-state.js';
import { makeVethPair } from '../support/netns.js';
import { randomFrom, seedOfRun } from '../support/random.js';
import { describeAsRoot } from '../support/requirements.js';
import { loadTail, onTailGround, seen, withoutFreplace } from '../support/tail-chain.js';
import { ran, returns } from './chain-ground.js';
import { documentOf, type Ground, makeGround } from './ground.js';
import { compileBeforeAll } from './objects.js';

describeAsRoot(
  'chains of XDP programs by tail calls',
  () => {
    let object: string;

    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/tail-chain.bpf.c');
    });

    const load = (ground: Ground, name = 'c', path = object): void => loadTail(ground, name, path);

    it('run their members in the order of their priorities, as list, net and prog list show it, and leave nothing', async () => {
      await onTailGround((ground) => {
        load(ground);
        const attached = ground.attach('c/member_3', '--priority', '30');
        expect(attached.stdout).toBe(
          `attached c/member_3 to xdp (chain by tail calls, native, priority 30) of ${ground.ifname} in netns ${ground.netns.name}\n`,
        );
        expect(attached.stderr).toBe('');
        expect(ran(ground)).toEqual([3]);
        ground.attach('c/member_1', '--priority', '40', '--proceed-on', 'drop,pass');
        ground.attach('c/member_2', '--priority', '7');
        // The object says where it belongs.
        ground.attach('c/member_11');
        expect(ran(ground)).toEqual([11, 2, 3, 1]);
        expect(seen(ground)).toEqual([
          {
            hook: 'xdp',
            name: 'netkit_xdp_root',
            priority: null,
            detail: 'native, chain by tail calls',
            owner: null,
          },
          ...[
            ['member_11', 7, 'drop, pass'],
            ['member_2', 7, 'pass'],
            ['member_3', 30, 'pass'],
            ['member_1', 40, 'drop, pass'],
          ].map(([name, priority, verdicts]) => ({
            hook: 'xdp/chain',
            name,
            priority,
            detail: `tail call, goes on upon ${verdicts}`,
            owner: name,
          })),
        ]);
        expect(ground.does('net', ...ground.place).stdout).toMatch(
          /netkit_xdp_root.*_chain\/.*\/root.*chain by tail calls/,
        );

        expect(ground.attach('c/member_3').stdout).toContain('already');
        ground.refuses(5, 'attach', 'c/member_3', ...ground.place, '--priority', '31');
        ground.refuses(5, 'attach', 'c/member_3', ...ground.place, '--direct');
        ground.refuses(5, 'attach', 'c/member_4', ...ground.place, '--mode', 'generic');
        ground.refuses(5, 'attach', 'c/member_4', ...ground.place, '--direct');

        const { links, programs } = ground.listed('c');
        expect(
          links.map(({ program, type, hook, mode, dead }) => [program.name, type, hook, mode, dead]),
        ).toEqual(
          ['member_3', 'member_1', 'member_2', 'member_11'].map((name) => [
            name,
            'xdp',
            'xdp',
            'native',
            false,
          ]),
        );
        // Members run as copies, with the chain's maps.
        const copies = links.map(({ program }) => program.id);
        for (const { id } of programs) expect(copies).not.toContain(id);
        const { programs: all } = documentOf(documents['prog list'], ground.does('prog', 'list', '--json'));
        expect(all.filter(({ id }) => copies.includes(id)).map(({ function: owner }) => owner)).toEqual(
          copies.map(() => 'c'),
        );

        ground.does('detach', 'c/member_3', ...ground.place);
        expect(ran(ground)).toEqual([11, 2, 1]);
        ground.does('detach', 'c');
        expect(ran(ground)).toEqual([]);
        expect(seen(ground)).toEqual([]);
        ground.attach('c/member_5');
        expect(ran(ground)).toEqual([5]);
      });
    });

    it('end with the verdict that their members and --proceed-on lead to, in any order of 1 to 10', async () => {
      process.stderr.write(`chains by tail calls: seed ${seedOfRun}\n`);
      const random = randomFrom(seedOfRun);
      await onTailGround((ground) => {
        load(ground);
        for (const count of [1, 2, 3, 4, 10]) {
          const members = Array.from({ length: count }, (_, index) => ({
            number: (index + random(2)) % 11,
            priority: random(4) * 10,
            proceedOn: xdpVerdicts.filter(() => random(3) > 0),
            verdict: random(3) > 0 ? pass : random(xdpVerdicts.length - 1),
          })).filter(({ number }, at, all) => all.findIndex((each) => each.number === number) === at);
          for (const { number, priority, proceedOn, verdict } of members) {
            const goesOn = proceedOn.join(',') || 'none';
            ground.attach(`c/member_${number}`, '--priority', `${priority}`, '--proceed-on', goesOn);
            returns(ground, number, verdict);
          }
          const ordered = [...members].sort(
            (a, b) => a.priority - b.priority || (`member_${a.number}` < `member_${b.number}` ? -1 : 1),
          );
          const last = ordered.findIndex(({ verdict, proceedOn }) => {
            const word = xdpVerdicts[verdict];
            return word === undefined || !proceedOn.includes(word);
          });
          const expected = last < 0 ? ordered : ordered.slice(0, last + 1);
          expect(ran(ground)).toEqual(expected.map(({ number }) => number));
          expect(ground.ping(1)).toBe(last < 0 || ordered[last]?.verdict === pass ? 1 : 0);
          for (const { number } of members) returns(ground, number, pass);
          ground.does('detach', 'c');
        }
      });
    });

    it('are changed in by several functions, without losing a packet', async () => {
      await onTailGround(async (ground) => {
        load(ground);
        load(ground, 'd');
        ground.attach('c/member_5');
        ground.attach('d/member_7', '--first');
        ground.attach('c/member_8', '--last');
        ground.attach('d/member_9', '--before', 'c/member_8');
        ground.attach('c/member_0', '--after', 'c/member_5');
        expect(ran(ground)).toEqual([7, 5, 0, 9, 8]);
        using traffic = ground.traffic();
        ground.does('link', 'update', 'c/member_8', '--priority', '1', '--proceed-on', 'pass,drop');
        ground.does('link', 'update', 'd', '--priority', '2');
        const reuse = ['marks', 'verdicts'].flatMap((map) => ['--reuse', `${map}=c/${map}`]);
        ground.does('load', object, '--name', 'd', '--replace', ...reuse);
        ground.does('replace', 'd', object);
        ground.does('detach', 'c/member_5');
        const { sent, received } = await traffic.stop();
        expect(received).toBe(sent);
        expect(ran(ground)).toEqual([8, 7, 9, 0]);
        expect(seen(ground).map(({ priority }) => priority)).toMatchObject([
          null,
          1,
          2,
          2,
          expect.any(Number),
        ]);
        ground.refuses(3, 'link', 'update', 'c/member_5', '--priority', '3');
        // The members of one function go with it, those of the other stay.
        ground.does('unload', 'd');
        expect(ran(ground)).toEqual([8, 0]);
      });
    });

    it('take ten members, and no eleventh', async () => {
      await onTailGround(async (ground) => {
        load(ground);
        const all = await Promise.all(
          Array.from({ length: 10 }, (_, number) =>
            ground.manages('attach', `c/member_${number}`, ...ground.place, '--priority', `${9 - number}`),
          ),
        );
        expect(all.map(({ stderr }) => stderr).join('')).not.toContain('alone');
        expect(ran(ground)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
        expect(ground.refuses(5, 'attach', 'c/member_10', ...ground.place).stderr).toMatch(
          /is full: it takes 10 programs/,
        );
        ground.does('replace', 'c', object);
        expect(ran(ground)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
      });
    });

    it('are one for each interface, also where two have the same index in two namespaces', async () => {
      using other = makeVethPair();
      await onTailGround((ground) => {
        load(ground);
        load(ground, 'd');
        const ends = [other.a, other.b];
        const twin = ends.find(({ ifindex }) => ifindex === ground.veth.b.ifindex);
        expect(twin).toBeDefined();
        if (twin === undefined) return;
        ground.attach('c/member_1');
        ground.does('attach', 'd/member_2', twin.ifname, '--netns', twin.netns.name);
        ground.does('attach', 'c/member_3', twin.ifname, '--netns', twin.netns.name);
        expect(ran(ground)).toEqual([1]);
        ground.does('detach', 'c/member_3', twin.ifname, '--netns', twin.netns.name);
        ground.does('detach', 'c/member_1', ...ground.place);
        expect(ran(ground)).toEqual([]);
        expect(ground.listed('d').links).toMatchObject([{ dead: false }]);
        ground.does('unload', 'd');
      });
    });

    it('are taken off by off, from pins alone, and by unload without state', async () => {
      await onTailGround((ground) => {
        load(ground);
        ground.attach('c/member_1');
        ground.attach('c/member_2');
        ground.does('off', ...ground.place);
        expect(seen(ground)).toEqual([]);
        expect(ground.listed('c').links.map(({ dead }) => dead)).toEqual([true, true]);
        expect(ground.bpffs.pins().filter((pin) => pin.startsWith('netkit/_chain'))).toEqual([]);
        ground.attach('c/member_1');
        expect(ran(ground)).toEqual([1]);
        ground.attach('c/member_2');
        expect(ran(ground)).toEqual([1, 2]);
      });
    });

    it('that ended with their interface leave nothing when their functions are unloaded', async () => {
      using ground = makeGround(withoutFreplace);
      await leavingNothing(() => {
        load(ground);
        ground.attach('c/member_1');
        ground.attach('c/member_2');
        ground.netns.run('ip', ['link', 'del', ground.ifname]);
        expect(ground.listed('c').links.map(({ dead }) => dead)).toEqual([true, true]);
        ground.does('detach', 'c/member_1');
        ground.does('unload', 'c');
        expect(ground.bpffs.pins()).toEqual([]);
        expect(readdirSync(ground.bpffs.root.path)).not.toContain('netkit');
      });
    });

    it('are not begun by --hold and --direct', async () => {
      await onTailGround(async (ground) => {
        load(ground);
        using running = ground.start('attach', 'c/member_1', ...ground.place, '--hold');
        await running.output(/attached/);
        expect(seen(ground)).toMatchObject([{ hook: 'xdp', name: 'member_1' }]);
        running.process.kill('SIGINT');
        await running.ended;
        ground.attach('c/member_1', '--direct');
        expect(seen(ground)).toMatchObject([{ hook: 'xdp', name: 'member_1' }]);
        expect(ran(ground)).toEqual([1]);
      });
    });
  },
  { tools: ['clang', 'ping'] },
);
