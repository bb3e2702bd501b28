import { expect, it } from 'vitest';
import { tcActionLack } from '../support/kernel-config.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { hitsOf, linksOf, loadOperate, onGround } from './hook-ground.js';
import { routeOf, sendElsewhere } from './kinds-ground.js';
import { compileBeforeAll } from './objects.js';
import { rebootUnloading } from './reboot.js';
import { conflict, expectRefused, notFound, usage } from './refusal.js';

describeAsRoot(
  'programs on routes, and as tc actions, from the command line',
  () => {
    let object: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/further-kinds.bpf.c');
    });

    it('a route is made with its program, takes another at another point, and goes with the last one', async () => {
      await onGround((ground) => {
        const { netns } = ground.veth.a;
        const way = [routeOf(ground), '--netns', netns.name];
        const routes = netns.run('ip', ['route']);
        loadOperate(ground, object, ['route_out', 'route_xmit']);
        const said = ground.does('attach', 'o/route_out', ...way);
        expect(said.stdout).toBe(
          `attached o/route_out to lwt_out of ${routeOf(ground)} in netns ${netns.name}\n`,
        );
        sendElsewhere(ground, 5);
        expect(hitsOf(ground)).toBe(5);
        expect(linksOf(ground)).toMatchObject([
          {
            type: 'lwt',
            hook: 'lwt_out',
            target: routeOf(ground),
            ifname: ground.veth.a.ifname,
            dead: false,
          },
        ]);
        expect(ground.does('attach', 'o/route_out', ...way).stdout).toMatch(/already$/m);
        ground.does('attach', 'o/route_xmit', ...way);
        sendElsewhere(ground, 5);
        expect(hitsOf(ground)).toBe(15);
        expect(netns.run('ip', ['route'])).toMatch(/encap bpf out route_out:\[\d+\] xmit route_xmit:\[\d+\]/);
        ground.does('detach', 'o/route_out');
        sendElsewhere(ground, 5);
        expect(hitsOf(ground)).toBe(20);
        ground.does('detach', 'o', '10.99.0.0/24', '--netns', netns.name);
        expect(netns.run('ip', ['route'])).toBe(routes);
      });
    });

    it('is swapped in place, comes back after a reboot, and is seen and taken off by its interface', async () => {
      await onGround((ground) => {
        const { netns, ifname } = ground.veth.a;
        loadOperate(ground, object, ['route_out', 'route_xmit'], {}, ['--persist']);
        ground.does('attach', 'o', routeOf(ground), '--netns', netns.name);
        loadOperate(ground, object, ['route_out', 'route_xmit'], { weight: 1000 }, ['--replace']);
        sendElsewhere(ground, 3);
        expect(hitsOf(ground)).toBe(6000);
        expect(linksOf(ground).map(({ dead }) => dead)).toEqual([false, false]);
        const net = ground.does('net', ifname, '--netns', netns.name).stdout;
        expect(net).toMatch(/lwt_out\s.*route_out/);
        expect(net).toContain('route to 10.99.0.0/24');

        rebootUnloading(ground, object);
        expect(ground.does('recover').stdout).toMatch(/brought back o/);
        sendElsewhere(ground, 3);
        expect(hitsOf(ground)).toBe(6000);

        const routes = netns.run('ip', ['route']);
        expect(routes).toContain('encap bpf');
        expect(ground.does('off', ifname, '--netns', netns.name, '--yes').stdout).toContain('lwt_out');
        expect(netns.run('ip', ['route'])).not.toContain('10.99.0.0');
        expect(linksOf(ground).map(({ dead }) => dead)).toEqual([true, true]);
      });
    });

    it("somebody else's route is left alone, and one that went is dead", async () => {
      await onGround(async (ground) => {
        const { netns, ifname } = ground.veth.a;
        const way = [routeOf(ground), '--netns', netns.name];
        loadOperate(ground, object, ['route_out', 'route_in']);
        netns.run('ip', ['route', 'add', '10.99.0.0/24', 'dev', ifname]);
        await expectRefused(ground, ['attach', 'o/route_out', ...way], {
          ...conflict,
          says: /there is a route 10\.99\.0\.0\/24 .* already/,
        });
        netns.run('ip', ['route', 'del', '10.99.0.0/24']);
        ground.does('attach', 'o/route_out', ...way);
        netns.run('ip', ['route', 'del', '10.99.0.0/24']);
        expect(linksOf(ground)[0]?.dead).toBe(true);
        netns.run('ip', ['route', 'add', '10.99.0.0/24', 'dev', ifname]);
        ground.does('detach', 'o');
        expect(netns.run('ip', ['route'])).toContain('10.99.0.0/24');
        await expectRefused(ground, ['attach', 'o/route_in', '10.98.0.0/24'], {
          ...usage,
          says: /is not a route/,
          hints: /DESTINATION dev INTERFACE/,
        });
        await expectRefused(ground, ['attach', 'o/route_in', '10.98.0.1/24 dev lo'], {
          status: 2,
          code: 'bad-value',
          says: /did you mean 10\.98\.0\.0\/24/,
        });
        await expectRefused(ground, ['attach', 'o', '10.98.0.0/24 dev nosuch'], {
          ...notFound,
          says: /nosuch/,
        });
      });
    });

    it('an action of tc runs behind a filter that matches everything', async (context) => {
      const lack = tcActionLack();
      context.skip(lack !== undefined, lack);
      await onGround(async (ground) => {
        const hooks = ground.hooks();
        loadOperate(ground, object, ['act']);
        await expectRefused(ground, ['attach', 'o', ...ground.place], {
          ...usage,
          says: /the section 'action' .* tells no hook/,
          hints: /action\/ingress or action\/egress/,
        });
        const attached = ground.does(
          'attach',
          'o',
          ...ground.place,
          '--hook',
          'action/ingress',
          '--priority',
          '7',
        );
        expect(attached.stdout).toContain('attached o/act to action/ingress of');
        expect(ground.ping()).toBe(5);
        const counted = hitsOf(ground);
        expect(counted).toBeGreaterThanOrEqual(5);
        expect(linksOf(ground)).toMatchObject([{ type: 'tc', hook: 'action/ingress', dead: false }]);
        expect(ground.does('net', ...ground.place).stdout).toMatch(/tc\/ingress\s+7\s+act\s.*matchall/);
        const [link] = linksOf(ground);
        loadOperate(ground, object, ['act'], { weight: 1000 }, ['--replace']);
        ground.ping();
        expect(hitsOf(ground)).toBeGreaterThanOrEqual(5000);
        expect(linksOf(ground)[0]?.program.id).not.toBe(link?.program.id);
        expect(linksOf(ground)[0]?.dead).toBe(false);
        ground.does('detach', 'o');
        expect(ground.hooks()).toEqual(hooks);
        ground.does('attach', 'o', ...ground.place, '--hook', 'action/egress');
        ground.ping();
        ground.does('off', ...ground.place, '--yes');
        expect(ground.hooks().filter((text) => text.includes('matchall'))).toEqual([]);
      });
    });
  },
  { tools: ['clang', 'ping'] },
);
