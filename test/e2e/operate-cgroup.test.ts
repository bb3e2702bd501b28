import { expect, it } from 'vitest';
import { cgroupRoot } from '../../src/host/cgroup.js';
import { isErrno } from '../../src/sys/errno.js';
import type { Fd } from '../../src/sys/fd.js';
import { TestCgroup } from '../support/cgroup.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { addressOf, bindSocket, connectTo, listenOn, openSocket, portOf } from '../support/socket-calls.js';
import type { Ground } from './ground.js';
import { compileOperate, eventually, hitsOf, linksOf, loadOperate, onGround } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { conflict, expectRefused, notFound, usage } from './refusal.js';

describeAsRoot(
  'cgroups from the command line',
  () => {
    let object: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      object = await compileOperate(objects);
    });

    /** A socket that listens in the ground's namespace. */
    function listener(ground: Ground): Fd {
      return ground.netns.inside(() => {
        const socket = openSocket('ipv4', 'stream');
        bindSocket(socket, addressOf('ipv4', 0));
        listenOn(socket);
        return socket;
      });
    }

    /** Connects in the ground's namespace. @returns whether that is permitted */
    function connects(ground: Ground, port: number): boolean {
      return ground.netns.inside(() => {
        using socket = openSocket('ipv4', 'stream');
        try {
          connectTo(socket, addressOf('ipv4', port));
          return true;
        } catch (error) {
          if (isErrno(error, 'EPERM')) return false;
          throw error;
        }
      });
    }

    const nameOf = (cgroup: TestCgroup) => cgroup.path.slice((cgroupRoot() ?? '').length);

    it('a program refuses a connection to the processes of the cgroup, and to no other, until it is detached', async () => {
      await onGround((ground) => {
        using cgroup = new TestCgroup();
        using server = listener(ground);
        const port = portOf(server);
        loadOperate(ground, object, ['connecting'], { closed_port: port });
        const said = ground.does('attach', 'o', cgroup.path);
        expect(said.stdout).toBe(`attached o/connecting to cgroup/connect4 of ${nameOf(cgroup)}\n`);
        expect(connects(ground, port)).toBe(true);
        expect(cgroup.inside(() => connects(ground, port))).toBe(false);
        expect(hitsOf(ground)).toBe(1);

        expect(linksOf(ground)).toMatchObject([
          {
            type: 'cgroup',
            hook: 'cgroup/connect4',
            attachType: 'cgroup_inet4_connect',
            target: nameOf(cgroup),
            ifname: null,
            netns: null,
            dead: false,
          },
        ]);
        expect(ground.does('link', 'list').stdout).toContain(`cgroup/connect4 of ${nameOf(cgroup)}`);
        expect(ground.does('list').stdout).toContain(`cgroup/connect4 of ${nameOf(cgroup)}`);

        ground.does('detach', 'o', cgroup.path);
        expect(cgroup.inside(() => connects(ground, port))).toBe(true);
        expect(hitsOf(ground)).toBe(1);
      });
    });

    it('are named by their directory or by their path in the tree, and once is enough', async () => {
      await onGround((ground) => {
        using cgroup = new TestCgroup();
        loadOperate(ground, object, ['connecting']);
        ground.does('attach', 'o/connecting', nameOf(cgroup));
        for (const words of [cgroup.path, `${cgroup.path}/`, nameOf(cgroup), nameOf(cgroup).slice(1)])
          expect(ground.does('attach', 'o', words).stdout, words).toMatch(/already$/m);
        expect(linksOf(ground)).toHaveLength(1);
        ground.does('detach', 'o', nameOf(cgroup).slice(1));
        expect(linksOf(ground)).toEqual([]);
      });
    });

    it('take several hooks of one function, each where --hook says', async () => {
      await onGround((ground) => {
        using cgroup = new TestCgroup();
        using server = listener(ground);
        loadOperate(ground, object, ['connecting', 'passing'], { closed_port: 1 });
        ground.does('attach', 'o', cgroup.path);
        for (const hook of ['cgroup_skb/ingress', 'cgroup_skb/egress'])
          ground.does('attach', 'o/passing', cgroup.path, '--hook', hook);
        expect(cgroup.inside(() => connects(ground, portOf(server)))).toBe(true);
        expect(hitsOf(ground)).toBeGreaterThan(2);
        ground.does('detach', 'o', cgroup.path, '--hook', 'cgroup_skb/egress');
        expect(linksOf(ground).map(({ hook }) => hook)).toEqual(['cgroup/connect4', 'cgroup_skb/ingress']);
      });
    });

    it('keep their link when the program is replaced', async () => {
      await onGround((ground) => {
        using cgroup = new TestCgroup();
        using server = listener(ground);
        const port = portOf(server);
        loadOperate(ground, object, ['connecting'], { closed_port: port });
        ground.does('attach', 'o', cgroup.path);
        const [link] = linksOf(ground);
        loadOperate(ground, object, ['connecting'], { closed_port: 1 }, ['--replace']);
        const [replaced] = linksOf(ground);
        expect(replaced).toEqual({ ...link, program: { name: 'connecting', id: expect.any(Number) } });
        expect(replaced?.program.id).not.toBe(link?.program.id);
        expect(cgroup.inside(() => connects(ground, port))).toBe(true);
      });
    });

    it('that are gone leave a dead link, which detach and unload remove, and attach makes anew', async () => {
      await onGround(async (ground) => {
        loadOperate(ground, object, ['connecting']);
        let path: string;
        {
          using cgroup = new TestCgroup();
          path = cgroup.path;
          ground.does('attach', 'o', path);
        }
        await eventually('the link is dead', () => linksOf(ground)[0]?.dead === true);
        expect(ground.does('link', 'list').stdout).toMatch(/\(dead\)/);
        const elsewhere = ground.refuses(3, 'detach', 'o', '/nosuch');
        expect(elsewhere.stderr).toMatch(/^hint: .*dead: the cgroup is gone/m);
        ground.does('detach', 'o', path);
        expect(linksOf(ground)).toEqual([]);
      });
    });

    it('are left when a held attachment is stopped, and nothing is recorded meanwhile', async () => {
      await onGround(async (ground) => {
        using cgroup = new TestCgroup();
        using server = listener(ground);
        const port = portOf(server);
        loadOperate(ground, object, ['connecting'], { closed_port: port });
        using held = ground.start('attach', 'o', cgroup.path, '--hold');
        await held.output(/^attached o\/connecting .*until it is stopped$/m);
        expect(cgroup.inside(() => connects(ground, port))).toBe(false);
        expect(linksOf(ground)).toEqual([]);
        held.process.kill('SIGINT');
        expect((await held.ended).status).toBe(130);
        expect(cgroup.inside(() => connects(ground, port))).toBe(true);
      });
    });

    it('are refused with the reason where they cannot be', async () => {
      await onGround(async (ground) => {
        using cgroup = new TestCgroup();
        loadOperate(ground, object, ['connecting', 'passing', 'steer', 'in_map']);
        const tree = cgroupRoot() ?? '';
        const cases = [
          [['attach', 'o', '/no/such/cgroup'], { ...notFound, says: /no cgroup '\/no\/such\/cgroup'/ }],
          [['attach', 'o/connecting', `${tree}/nosuch`], { ...notFound, says: /no cgroup/ }],
          [['attach', 'o/connecting', '/proc'], { ...usage, says: /'\/proc' is no cgroup of the v2 tree/ }],
          [['attach', 'o/connecting'], { ...usage, says: /needs a target: the path of a cgroup/ }],
          [['attach', 'o/passing', cgroup.path], { ...usage, says: /'cgroup\/skb'.*tells no hook/ }],
          [
            ['attach', 'o/connecting', cgroup.path, '--hook', 'cgroup/bind4'],
            { ...usage, says: /was loaded for 'cgroup\/connect4': it cannot go to cgroup\/bind4/ },
          ],
          [
            ['attach', 'o/connecting', cgroup.path, '--hook', 'xdp'],
            { ...usage, says: /of type cgroup_sock_addr: it cannot go to xdp/ },
          ],
          [['attach', 'o', cgroup.path, '--mode', 'native'], { ...usage, says: /--mode is for XDP/ }],
          [['attach', 'o/steer', cgroup.path], { ...usage, says: /sk_lookup, which takes no target/ }],
          [
            ['attach', 'o/in_map', cgroup.path],
            { ...usage, says: /an entry of a map, as FUNCTION\/MAP\[KEY\]/ },
          ],
          [['detach', 'o', cgroup.path], { ...notFound, says: /o is not attached to/ }],
        ] as const;
        for (const [args, refusal] of cases) await expectRefused(ground, args, refusal);
        ground.does('attach', 'o', cgroup.path);
        await expectRefused(ground, ['attach', 'o', cgroup.path, '--hold'], {
          ...conflict,
          says: /already, and stays there without --hold/,
        });
      });
    });
  },
  { tools: ['clang', 'ping'] },
);
