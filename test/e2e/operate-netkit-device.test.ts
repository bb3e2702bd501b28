import { expect, it } from 'vitest';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { makeVethPair } from '../support/netns.js';
import { netkitDeviceHook } from '../support/ordered-hooks.js';
import { describeAsRoot } from '../support/requirements.js';
import { fixture } from './ground.js';
import { hitsOf, linksOf, onGround } from './hook-ground.js';
import { expectRefused } from './refusal.js';

const lack = kernelLacks('netkit-device');

describeAsRoot(
  'devices of the type netkit from the command line',
  () => {
    expectUnchangedAfterAll();

    it.for(['primary', 'peer'] as const)(
      'a program on the %s sees the packets of its end, keeps its link when it is replaced, and goes',
      async (end, context) => {
        context.skip(lack !== undefined, lack);
        await onGround((ground) => {
          using device = netkitDeviceHook();
          if (device.place.hook !== 'netkit-dev') throw new Error('another hook');
          const { ifname, netns } = device.place;
          const place = [ifname, '--netns', netns?.name ?? ''];
          const hook = `netkit-dev/${end}`;
          const load = ['load', fixture('hooks'), '--name', 'o', '--only', `on_netkit_${end}`];
          ground.does(...load);
          device.sendOne();
          expect(hitsOf(ground)).toBe(0);
          expect(ground.does('attach', 'o', ...place).stdout).toContain(
            `attached o/on_netkit_${end} to ${hook} of ${ifname}`,
          );
          device.sendOne();
          expect(hitsOf(ground)).toBeGreaterThanOrEqual(1);
          const [link, ...more] = linksOf(ground);
          expect(more).toEqual([]);
          expect(link).toMatchObject({ type: 'netkit', hook, ifname, dead: false });
          expect(ground.does('link', 'list').stdout).toContain(hook);
          expect(ground.does('net', ...place).stdout).toMatch(new RegExp(`${hook}\\s.*on_netkit_p`));
          expect(ground.does('attach', 'o', ...place).stdout).toMatch(/already$/m);

          ground.does(...load, '--replace');
          device.sendOne();
          expect(hitsOf(ground)).toBeGreaterThanOrEqual(1);
          const [now] = linksOf(ground);
          expect(now?.id).toBe(link?.id);
          expect(now?.program.id).not.toBe(link?.program.id);

          ground.does('detach', 'o', ...place);
          const last = hitsOf(ground);
          device.sendOne();
          expect(hitsOf(ground)).toBe(last);
          expect(ground.does('net', ...place).stdout).not.toContain('on_netkit_p');
          ground.does('attach', 'o', ...place);
          ground.does('off', ...place, '--yes');
          expect(linksOf(ground).map(({ dead }) => dead)).toEqual([true]);
        });
      },
    );

    it('a device of another type is refused, and so is a kernel without them', async () => {
      await onGround(async (ground) => {
        using pair = makeVethPair();
        ground.does('load', fixture('hooks'), '--name', 'o', '--only', 'on_netkit_primary');
        await expectRefused(ground, ['attach', 'o', pair.b.ifname, '--netns', pair.b.netns.name], {
          status: 6,
          code: 'unsupported',
          says: /netkit/,
        });
      });
    });
  },
  { tools: ['ping'] },
);
