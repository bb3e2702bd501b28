import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BpfMap } from '../../src/ebpf/map.js';
import { isErrno } from '../../src/sys/errno.js';
import type { Fd } from '../../src/sys/fd.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { makeNetns } from '../support/netns.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import {
  acceptOn,
  addressOf,
  bindSocket,
  connectTo,
  listenOn,
  openSocket,
  portOf,
} from '../support/socket-calls.js';
import type { Ground } from './ground.js';
import { compileOperate, hitsOf, linksOf, loadOperate, onGround, stateFile } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { rebootUnloading, rewrite } from './reboot.js';
import { conflict, expectRefused, notFound, unsupported, usage } from './refusal.js';

describeAsRoot(
  'hooks of a network namespace from the command line',
  () => {
    let object: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      object = await compileOperate(objects);
    });

    const steered = 7777;

    function listener(ground: Ground): Fd {
      return ground.netns.inside(() => {
        const socket = openSocket('ipv4', 'stream');
        bindSocket(socket, addressOf('ipv4', 0));
        listenOn(socket);
        return socket;
      });
    }

    /** Puts a socket of this process where the program looks for it. */
    function putSocket(ground: Ground, socket: Fd): void {
      using map = BpfMap.fromPin(join(ground.bpffs.root.path, 'netkit/o/maps/sockets'));
      map.set(0, `fd:${socket.value}`);
    }

    /** Connects to a port of the namespace. @returns whether somebody took it */
    function connects(ground: Ground, port: number): boolean {
      return ground.netns.inside(() => {
        using socket = openSocket('ipv4', 'stream');
        try {
          connectTo(socket, addressOf('ipv4', port));
          return true;
        } catch (error) {
          if (isErrno(error, 'ECONNREFUSED')) return false;
          throw error;
        }
      });
    }

    it('sk_lookup gives a connection to a port without listener to a socket of its choice, and only in that namespace', async () => {
      await onGround((ground) => {
        using server = listener(ground);
        expect(portOf(server)).not.toBe(steered);
        loadOperate(ground, object, ['steer'], { steered_port: steered });
        putSocket(ground, server);
        expect(connects(ground, steered)).toBe(false);
        const said = ground.does('attach', 'o', '--netns', ground.netns.name);
        expect(said.stdout).toBe(`attached o/steer to sk_lookup of netns ${ground.netns.name}\n`);
        expect(connects(ground, steered)).toBe(true);
        using _accepted = acceptOn(server);
        expect(hitsOf(ground)).toBe(1);
        const { a } = ground.veth;
        using client = a.netns.inside(() => openSocket('ipv4', 'stream'));
        expect(() => a.netns.inside(() => connectTo(client, addressOf('ipv4', steered)))).toThrow(/refused/i);

        expect(linksOf(ground)).toMatchObject([
          {
            type: 'netns',
            hook: 'sk_lookup',
            attachType: 'sk_lookup',
            target: null,
            netns: { inode: ground.netns.handle.inode, name: ground.netns.name },
            ifname: null,
          },
        ]);
        expect(ground.does('link', 'list').stdout).toContain(`sk_lookup in netns ${ground.netns.name}`);
        expect(ground.does('attach', 'o/steer', '--netns', ground.netns.name).stdout).toMatch(/already$/m);
        ground.does('detach', 'o', '--netns', ground.netns.name);
        expect(connects(ground, steered)).toBe(false);
      });
    });

    it('keeps its link when the program is replaced, with the map that is taken over', async () => {
      await onGround((ground) => {
        using server = listener(ground);
        loadOperate(ground, object, ['steer'], { steered_port: steered });
        putSocket(ground, server);
        ground.does('attach', 'o', '--netns', ground.netns.name);
        const [link] = linksOf(ground);
        const replace = ['--replace', '--reuse', 'sockets=o/sockets'];
        loadOperate(ground, object, ['steer'], { steered_port: steered + 1 }, replace);
        expect(linksOf(ground)[0]?.id).toBe(link?.id);
        expect(connects(ground, steered)).toBe(false);
        expect(connects(ground, steered + 1)).toBe(true);
        using _accepted = acceptOn(server);
      });
    });

    it('flow_dissector takes one program, and says so of a second', async () => {
      await onGround(async (ground) => {
        loadOperate(ground, object, ['dissect']);
        ground.does('attach', 'o', '--netns', ground.netns.name);
        expect(linksOf(ground)).toMatchObject([{ hook: 'flow_dissector', attachType: 'flow_dissector' }]);
        ground.does('load', object, '--name', 'second', '--only', 'dissect');
        await expectRefused(ground, ['attach', 'second', '--netns', ground.netns.name], {
          ...conflict,
          says: /flow_dissector.*has a program already|flow_dissector.*one program/,
        });
        ground.does('detach', 'o');
        ground.does('attach', 'second', '--netns', ground.netns.name);
      });
    });

    it('a namespace that is gone leaves a dead link, which is detached and unloaded like any other', async () => {
      await onGround((ground) => {
        loadOperate(ground, object, ['steer', 'dissect']);
        {
          using other = makeNetns();
          ground.does('attach', 'o', '--netns', other.name);
          expect(linksOf(ground).map(({ dead }) => dead)).toEqual([false, false]);
        }
        expect(linksOf(ground).map(({ dead }) => dead)).toEqual([true, true]);
        ground.does('detach', 'o/steer');
        expect(linksOf(ground)).toHaveLength(1);
      });
    });

    itWith(
      { kernelHas: ['netfilter-links'] },
      'netfilter drops packets of one stage, at one priority, and is replaced only with a gap that is asked for',
      async () => {
        await onGround(async (ground) => {
          const where = ['--netns', ground.netns.name];
          loadOperate(ground, object, ['filter'], { verdict: 0 });
          expect(ground.ping()).toBe(5);
          await expectRefused(ground, ['attach', 'o', ...where], {
            ...usage,
            says: /at which stage is not said/,
            hints: /--stage prerouting/,
          });
          const said = ground.does('attach', 'o', ...where, '--stage', 'input', '--priority=-7');
          expect(said.stdout).toBe(
            `attached o/filter to netfilter (ipv4 input, priority -7) of netns ${ground.netns.name}\n`,
          );
          expect(ground.ping()).toBe(0);
          expect(hitsOf(ground)).toBe(5);
          expect(linksOf(ground)).toMatchObject([
            { type: 'netfilter', detail: 'ipv4 input, priority -7', target: null, dead: false },
          ]);

          const again = ['attach', 'o', ...where, '--stage', 'input'];
          expect(ground.does(...again, '--priority=-7').stdout).toMatch(/already$/m);
          await expectRefused(ground, [...again, '--priority', '3'], {
            ...conflict,
            says: /netfilter \(ipv4 input, priority -7\) already/,
          });
          ground.does('load', object, '--name', 'second', '--only', 'filter');
          await expectRefused(ground, ['attach', 'second', ...where, '--stage', 'input', '--priority=-7'], {
            ...conflict,
            says: /one for each priority/,
          });
          ground.does('attach', 'second', ...where, '--stage', 'output', '--family', 'ipv6', '--defrag');

          const replace = ['load', object, '--name', 'o', '--only', 'filter', '--replace'];
          await expectRefused(ground, replace, {
            ...unsupported,
            says: /cannot swap the program of netfilter/,
            hints: /--allow-gap/,
          });
          ground.does(...replace, '--allow-gap');
          expect(ground.ping()).toBe(5);
          expect(hitsOf(ground)).toBe(5);
          ground.does('detach', 'o', '--hook', 'netfilter');
          expect(ground.ping()).toBe(5);
          expect(hitsOf(ground)).toBe(5);
        });
      },
    );

    itWith(
      { kernelHas: ['sockmap-links'] },
      'a map of sockets keeps a program for those that are put into it; a new map in its place is refused',
      async () => {
        await onGround(async (ground) => {
          loadOperate(ground, object, ['message']);
          ground.does('attach', 'o', 'o/sockets');
          expect(linksOf(ground)).toMatchObject([
            { type: 'sockmap', hook: 'sk_msg', target: 'o/sockets', attachType: 'sk_msg_verdict' },
          ]);
          await expectRefused(ground, ['load', object, '--name', 'o', '--only', 'message', '--replace'], {
            ...conflict,
            says: /a new map 'sockets'/,
          });
          loadOperate(ground, object, ['message'], {}, ['--replace', '--reuse', 'sockets=o/sockets']);
          expect(linksOf(ground)[0]?.dead).toBe(false);
          await expectRefused(ground, ['attach', 'o/message', 'o/.bss'], {
            ...usage,
            says: /is a map of type array, not of sockets/,
          });
          await expectRefused(ground, ['attach', 'o/message', 'o/nosuch'], { ...notFound, says: /no map/ });
          ground.does('detach', 'o', 'o/sockets');
        });
      },
    );

    it('comes back after a reboot where the namespace of that name is', async () => {
      await onGround((ground) => {
        loadOperate(ground, object, ['steer'], { steered_port: steered }, ['--persist']);
        ground.does('attach', 'o', '--netns', ground.netns.name);
        rebootUnloading(ground, object);
        rewrite(stateFile(ground), /"inode": \d+/, '"inode": 4026539999');
        expect(ground.does('recover').stdout).toMatch(/brought back o/);
        expect(linksOf(ground)).toMatchObject([
          { hook: 'sk_lookup', dead: false, netns: { inode: ground.netns.handle.inode } },
        ]);
      });
    });

    it('is refused where a target is given, or the namespace is none', async () => {
      await onGround(async (ground) => {
        loadOperate(ground, object, ['steer']);
        await expectRefused(ground, ['attach', 'o/steer', 'eth0'], {
          ...usage,
          says: /takes no target/,
          hints: /--netns/,
        });
        await expectRefused(ground, ['attach', 'o', '--netns', 'nosuch'], {
          ...notFound,
          says: /no network namespace 'nosuch'/,
        });
        await expectRefused(ground, ['attach', 'o', '--netns', ground.netns.name, '--stage', 'input'], {
          ...usage,
          says: /--stage is for netfilter/,
        });
      });
    });
  },
  { tools: ['clang', 'ping'] },
);
