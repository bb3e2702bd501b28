/** Where programs go among others on a hook that runs several: what packets meet first. */
import { expect, it } from 'vitest';
import { newerToolsMissing } from '../support/newer-tools.js';
import { describeAsRoot } from '../support/requirements.js';
import { orderTests } from './order-ground.js';
import { badValue, conflict, expectRefused, notFound, usage } from './refusal.js';

const withOrder = orderTests('on_ingress');

describeAsRoot(
  'order on tcx',
  () => {
    it('goes by priority, 50 when none is given; those with the same run in the order of their coming', async () => {
      await withOrder(6, (order, ground) => {
        ground.attach('a');
        ground.attach('b', '--priority', '10');
        ground.attach('c', '--priority', '90');
        ground.attach('d');
        ground.attach('e', '--priority', '10');
        ground.attach('f', '--priority', '91');
        expect(order.marks()).toEqual([2, 5, 1, 4, 3, 6]);
      });
    });

    it('leaves programs of others in their places, and each of netkit goes next to one of its own', async () => {
      await withOrder(6, (order, ground) => {
        order.attachForeign('a/progs/on_ingress');
        ground.attach('b', '--priority', '60');
        order.attachForeign('c/progs/on_ingress');
        ground.attach('d');
        ground.attach('e', '--priority', '70');
        ground.attach('f', '--priority', '65');
        expect(order.marks()).toEqual([1, 4, 2, 3, 6, 5]);
        ground.does('detach', 'b');
        ground.does('detach', 'f');
        expect(order.marks()).toEqual([1, 4, 3, 5]);
      });
    });

    it('can be asked for: first, last, before and after what is named in each way', async () => {
      await withOrder(8, (order, ground) => {
        const foreign = order.attachForeign('a/progs/on_ingress');
        ground.attach('b', '--first');
        ground.attach('c', '--before', `id:${foreign}`);
        ground.attach('d', '--after', 'b/on_ingress');
        ground.attach('e', '--last');
        ground.attach('f', '--before', 'e');
        expect(order.marks()).toEqual([2, 4, 3, 1, 6, 5]);
        const [link] = ground.listed('c').links;
        ground.attach('g', '--after', `id:${link?.id}`);
        ground.attach(
          'h',
          '--before',
          `${ground.bpffs.root.path}/netkit/f/links/${ground.listed('f').links[0]?.name}`,
        );
        expect(order.marks()).toEqual([2, 4, 3, 7, 1, 8, 6, 5]);
        ground.does('detach', 'h');
        ground.attach('h', '--after', `${ground.bpffs.root.path}/netkit/a/progs/on_ingress`);
        expect(order.marks()).toEqual([2, 4, 3, 7, 1, 8, 6, 5]);
      });
    });

    it('keeps the order of programs that one command attaches', async () => {
      await withOrder(1, (order, ground) => {
        order.load('two', 9, ['on_ingress', 'on_ingress_too']);
        ground.attach('a');
        for (const [place, expected] of [
          [['--first'], [9, 109, 1]],
          [['--last'], [1, 9, 109]],
          [
            ['--before', 'a'],
            [9, 109, 1],
          ],
          [
            ['--after', 'a'],
            [1, 9, 109],
          ],
          [
            ['--priority', '7'],
            [9, 109, 1],
          ],
        ] as const) {
          ground.attach('two', ...place);
          expect(order.marks(), place.join(' ')).toEqual(expected);
          ground.does('detach', 'two');
        }
      });
    });

    it('finds an anchor by its name in the kernel when only one program there has it', async () => {
      await withOrder(3, async (order, ground) => {
        order.load('two', 9, ['on_ingress_too']);
        ground.attach('a');
        ground.attach('two');
        ground.attach('b', '--before', 'name:on_ingress_too');
        expect(order.marks()).toEqual([1, 2, 109]);
        await expectRefused(ground, order.attaching('c', '--before', 'name:on_ingress'), {
          ...conflict,
          says: /more than one program on tcx\/ingress of \S+ is named 'on_ingress'$/,
          hints: /^hint: use an id: id:\d+, id:\d+$/,
        });
      });
    });

    it('is kept when a function is replaced', async () => {
      await withOrder(3, (order, ground) => {
        ground.attach('a');
        ground.attach('b', '--first');
        ground.attach('c', '--priority', '40');
        // By its priority in front of what --first put there.
        expect(order.marks()).toEqual([3, 2, 1]);
        order.replace('c', 33);
        expect(order.marks()).toEqual([33, 2, 1]);
        expect(order.order('c')).toEqual({ priority: 40, place: 1, of: 3 });
      });
    });

    it('is shown with each link', async () => {
      await withOrder(3, (order, ground) => {
        const foreign = order.attachForeign('a/progs/on_ingress');
        ground.attach('b');
        ground.attach('c', '--priority', '7');
        expect(order.order('b')).toEqual({ priority: 50, place: 3, of: 3 });
        expect(order.order('c')).toEqual({ priority: 7, place: 2, of: 3 });
        const text = ground.does('link', 'show', order.link('c')).stdout;
        expect(text).toMatch(/^place: +2 of 3$/m);
        expect(text).toMatch(/^priority: +7$/m);
        expect(foreign).toBeGreaterThan(0);
      });
    });

    it('that is there already is no fault, and another one is a conflict', async () => {
      await withOrder(2, async (order, ground) => {
        ground.attach('a', '--priority', '20');
        ground.attach('b', '--last');
        for (const same of [
          [],
          ['--priority', '20'],
          ['--first'],
          ['--before', 'b'],
          ['--priority', '20', '--first'],
        ])
          expect(ground.attach('a', ...same).stdout).toMatch(/is attached to .+ already/);
        expect(order.marks()).toEqual([1, 2]);
        const hints = /^hint: 'netkit link update' changes it in place$/;
        await expectRefused(ground, order.attaching('a', '--priority', '21'), {
          ...conflict,
          says: /on_ingress is attached to tcx\/ingress of \S+ already, with priority 20$/,
          hints,
        });
        for (const [place, words] of [
          [['--last'], 'last'],
          [['--after', 'b'], 'after b'],
        ] as const) {
          await expectRefused(ground, order.attaching('a', ...place), {
            ...conflict,
            says: new RegExp(`already, as number 1 of 2, which is not ${words}$`),
            hints,
          });
        }
      });
    });

    it('is refused in words when it cannot be', async () => {
      await withOrder(3, async (order, ground) => {
        order.load('out', 9, ['on_egress']);
        ground.attach('a');
        ground.attach('out');
        const { a } = ground.veth;
        ground.does('attach', 'b', a.ifname, '--netns', a.netns.name);
        const refused = async (words: readonly string[], refusal: Parameters<typeof expectRefused>[2]) =>
          expectRefused(ground, order.attaching('c', ...words), refusal);
        await refused(['--before', 'a', '--after', 'a'], {
          ...usage,
          says: /--before and --after exclude each other/,
        });
        await refused(['--first', '--last'], { ...usage, says: /--first and --last exclude each other/ });
        await refused(['--first', '--before', 'a'], { ...usage, says: /exclude each other/ });
        const nowhere = 'nothing can go before or after it there';
        await refused(['--before', 'out'], {
          ...notFound,
          says: new RegExp(`out is not on .+: ${nowhere}`),
          hints: /it is on tcx\/egress of/,
        });
        await refused(['--after', 'b/on_ingress'], {
          ...notFound,
          says: new RegExp(`b/on_ingress is not on .+: ${nowhere}`),
          hints: new RegExp(a.ifname),
        });
        await refused(['--before', 'd'], { ...notFound, says: /no function 'd' is loaded/ });
        await refused(['--before', 'a/on_ingres'], {
          ...notFound,
          says: /has no program 'on_ingres'/,
          hints: /on_ingress/,
        });
        await refused(['--before', 'id:2000000000'], { ...notFound, says: /id:2000000000 is not on/ });
        await refused(['--before', 'id:x'], { ...usage, says: /'x' is not an id/ });
        await refused(['--before', 'name:nobody'], { ...notFound, says: /name:nobody is not on/ });
        await refused(['--before', '/nowhere/at/all'], { ...notFound, says: /there is no pin/ });
        await refused(['--before', ''], { ...usage, says: /./ });
        for (const priority of ['0', '65536', '-1', '1.5', 'high', ''])
          await refused(['--priority', priority], {
            ...(/^-?\d+$/.test(priority) ? badValue : usage),
            says: /priority/,
          });
      });
    });
  },
  { kernelHas: ['tcx'], check: newerToolsMissing },
);
