/** Order on the other hooks: where it is the same as on tcx, and where it cannot be had, in which words that is said. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kernelLacks } from '../support/known-kernels.js';
import { newerToolsMissing } from '../support/newer-tools.js';
import { cgroupHook, netkitDeviceHook } from '../support/ordered-hooks.js';
import { describeAsRoot } from '../support/requirements.js';
import type { Ground } from './ground.js';
import { orderTests } from './order-ground.js';
import { reboot, rewrite } from './reboot.js';
import { badValue, conflict, expectRefused, notFound, unsupported, usage } from './refusal.js';

const places = [['--first'], ['--last'], ['--before', 'a'], ['--after', 'a']] as const;

describe('order', () => {
  const withOrder = orderTests('on_ingress');

  describeAsRoot(
    'after a reboot',
    () => {
      it('is what was recorded, but for a place next to a program that is not there yet, and a note says so', async () => {
        await withOrder(0, (order, ground) => {
          for (const [name, mark] of Object.entries({ a: 1, p: 4, x: 10, y: 11 })) {
            order.load(name, mark);
            if (name !== 'p') persist(ground, name);
          }
          ground.attach('a');
          ground.attach('x', '--priority', '70');
          ground.attach('p', '--last');
          ground.attach('y', '--before', 'p');
          expect(order.marks()).toEqual([1, 10, 11, 4]);
          ground.does('unload', 'p');
          reboot(ground);
          const { stderr } = ground.does('recover');
          expect(stderr).toMatch(/no function 'p' is loaded: placed by its priority, 50$/m);
          expect(order.order('x')).toEqual({ priority: 70, place: 3, of: 3 });
          expect(order.order('y')).toEqual({ priority: 50, place: 2, of: 3 });
        });
      });
    },
    { kernelHas: ['tcx'], check: newerToolsMissing },
  );

  describeAsRoot('on tc filters', () => {
    it('is their priority, and nothing else', async () => {
      await withOrder(2, async (order, ground) => {
        const tc = ['--hook', 'tc/ingress'];
        ground.attach('a', ...tc, '--priority', '7');
        ground.attach('b', ...tc, '--priority', '3');
        const filters = ground.netns.run('tc', ['filter', 'show', 'dev', ground.ifname, 'ingress']);
        expect([...filters.matchAll(/pref (\d+) bpf chain 0 handle/g)].map(([, pref]) => pref)).toEqual([
          '3',
          '7',
        ]);
        expect(order.marks()).toEqual([2, 1]);
        expect(ground.attach('a', ...tc, '--priority', '7').stdout).toMatch(/already$/m);
        await expectRefused(ground, order.attaching('a', ...tc, '--priority', '8'), {
          ...conflict,
          says: /already, with priority 7$/,
        });
        await expectRefused(ground, order.attaching('a', ...tc, '--priority', '70000'), {
          ...badValue,
          says: /from 1 to 65535, not 70000$/,
        });
        for (const place of places) {
          await expectRefused(ground, order.attaching('b', ...tc, ...place), {
            ...usage,
            says: / is for hooks that run several programs in order; 'on_ingress' goes to tc\/ingress$/,
            hints: /tc orders its filters by their priority alone: use --priority/,
          });
        }
      });
    });
  });

  if (kernelLacks('tcx') !== undefined) {
    describeAsRoot('on a kernel without tcx', () => {
      it('is that of tc filters: a priority is kept, a place is refused', async () => {
        await withOrder(2, async (order, ground) => {
          ground.attach('a', '--priority', '7');
          ground.attach('b', '--priority', '3');
          expect(order.marks()).toEqual([2, 1]);
          ground.does('detach', 'b');
          for (const place of places) {
            await expectRefused(ground, order.attaching('b', ...place), {
              ...unsupported,
              says: /this kernel has no tcx\/ingress: .*and tc's filters know no neighbours$/,
              hints: /use --priority/,
            });
          }
        });
      });
    });
  }
});

describe('order on XDP', () => {
  const withOrder = orderTests('on_xdp');

  describeAsRoot('without a chain', () => {
    it('is refused, and nothing is attached', async () => {
      await withOrder(1, async (order, ground) => {
        const lacksChains = kernelLacks('freplace') !== undefined;
        for (const words of [...places, ['--priority', '10']]) {
          await expectRefused(ground, order.attaching('a', '--direct', ...words), {
            ...usage,
            says: /--priority, --proceed-on and places are for chains: --direct attaches without one$/,
          });
          if (!lacksChains) continue;
          await expectRefused(ground, order.attaching('a', ...words), {
            ...unsupported,
            says: /'on_xdp' cannot be in a chain of XDP programs: it needs freplace/,
            hints: /it is attached alone/,
          });
        }
      });
    });
  });
});

describe('order on cgroups', () => {
  const withOrder = orderTests('on_cgroup');

  describeAsRoot(
    'of Linux 6.17 and newer',
    () => {
      it('is what was asked for', async () => {
        await withOrder(5, async (order, ground) => {
          using hook = cgroupHook();
          if (hook.place.hook !== 'cgroup') throw new Error('another hook');
          const { path } = hook.place;
          const attach = (name: string, ...more: string[]) => ground.does('attach', name, path, ...more);
          attach('a');
          attach('b', '--first');
          attach('c', '--after', 'b');
          attach('d', '--priority', '90');
          attach('e', '--before', 'd/on_cgroup', '--dry-run');
          expect(order.marks(() => hook.sendOne())).toEqual([2, 3, 1, 4]);
          expect(order.order('c')).toEqual({ priority: 50, place: 2, of: 4 });
          attach('e', '--priority', '60');
          expect(order.marks(() => hook.sendOne())).toEqual([2, 3, 1, 5, 4]);
          await expectRefused(ground, ['attach', 'e', path, '--first'], {
            ...conflict,
            says: /already, as number 4 of 5, which is not first$/,
          });
          ground.does('detach', 'e');
          await expectRefused(ground, ['attach', 'e', path, '--before', 'x'], {
            ...notFound,
            says: /no function 'x' is loaded/,
          });
          for (const name of 'abcd') ground.does('detach', name);
        });
      });
    },
    { kernelHas: ['cgroup-anchors'] },
  );

  if (kernelLacks('cgroup-anchors') !== undefined) {
    describeAsRoot('of older kernels', () => {
      it('cannot be asked for: a program goes behind those that are there', async () => {
        await withOrder(2, async (order, ground) => {
          using hook = cgroupHook();
          if (hook.place.hook !== 'cgroup') throw new Error('another hook');
          const { path } = hook.place;
          ground.does('attach', 'a', path);
          for (const words of [...places, ['--priority', '10']]) {
            await expectRefused(ground, ['attach', 'b', path, ...words], {
              ...unsupported,
              says: /^netkit: this kernel has no order of programs on /,
              hints: /came with Linux 6\.17/,
            });
          }
          ground.does('attach', 'b', path);
          expect(order.marks(() => hook.sendOne())).toEqual([1, 2]);
          for (const name of 'ab') ground.does('detach', name);
        });
      });
    });
  }
});

describe('order on devices of the type netkit', () => {
  const withOrder = orderTests('on_any');

  describeAsRoot(
    'of either end',
    () => {
      it('is what was asked for', async () => {
        await withOrder(4, (order, ground) => {
          using hook = netkitDeviceHook();
          if (hook.place.hook !== 'netkit-dev') throw new Error('another hook');
          const { ifname, netns } = hook.place;
          const attach = (name: string, ...more: string[]) =>
            ground.does(
              'attach',
              name,
              ifname,
              '--netns',
              netns?.name ?? '',
              '--hook',
              'netkit-dev/primary',
              ...more,
            );
          attach('a');
          attach('b', '--first');
          attach('c', '--after', 'b/on_any');
          attach('d', '--priority', '10');
          expect(order.marks(() => hook.sendOne())).toEqual([4, 2, 3, 1]);
          expect(order.order('c')).toEqual({ priority: 50, place: 3, of: 4 });
          for (const name of 'abcd') ground.does('detach', name);
        });
      });
    },
    { kernelHas: ['netkit-device'] },
  );
});

/** As `load --persist` does. */
function persist(ground: Ground, name: string): void {
  rewrite(join(ground.bpffs.stateDir, `${name}.json`), /"persist":\s*false/, '"persist": true');
}
