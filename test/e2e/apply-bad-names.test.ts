// What apply refuses beside mistakes in one document: names that are taken, chains that cannot be, what is not to be pruned.
import { expect, it } from 'vitest';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { applied, badManifest, refused, running, standing } from './apply-bad-ground.js';
import { attachedTo, chainOf, functionOf, ingress, type ManifestGround } from './manifest-ground.js';
import { compileBeforeAll } from './objects.js';
import { conflict, expectRefused, notFound, usage } from './refusal.js';

describeAsRoot('a manifest', () => {
  const objects = { object: '', heavier: '' };

  expectUnchangedAfterAll();
  compileBeforeAll(async (compiler) => {
    objects.object = await compiler.compile('test/fixtures/fields.bpf.c');
    objects.heavier = objects.object;
  });

  it('may not have a name twice, nor may two that are applied together', async () => {
    await running(objects, async (g) => {
      const [document] = standing(g);
      if (document === undefined) throw new Error('nothing stands');
      g.declares([document, document]);
      const taken = /metadata\.name: the name 'f' is taken by another document, at .*m\.yaml:\d+:\d+/;
      await refused(g, badManifest(taken));
      g.declares([document]);
      g.declares([chainOf({ interface: 'lo', hook: ingress, functions: ['g'] }, 'f')], 'other.yaml');
      await refused(g, badManifest(/other\.yaml:.*the name 'f' is taken/), {
        more: ['-f', g.file('other.yaml')],
      });
    });
  });

  it('does not get a name of another manifest, unless it takes it over', async () => {
    await running(objects, async (g) => {
      const before = g.identity();
      g.declares(applied(g), 'other.yaml');
      const other = ['-f', g.file('other.yaml')];
      for (const command of ['plan', 'apply']) {
        await expectRefused(g.ground, [command, ...other], {
          ...conflict,
          says: /'f' was applied from .*m\.yaml/,
          hints: /'--take-over'/,
        });
      }
      g.ground.does('apply', ...other, '--take-over');
      expect(g.identity(), 'nothing but the record changes').toEqual(before);
      expect(g.ground.netkit('plan', ...other).status).toBe(0);
      await refused(g, { ...conflict, says: /'f' was applied from .*other\.yaml/ });
    });
  });

  it('does not get what was loaded by hand, unless it takes it over', async () => {
    await running(objects, async (g) => {
      g.clears();
      g.ground.does('load', g.object, '--name', 'f', '--only', 'one');
      g.ground.does('attach', 'f/one', ...g.ground.place, '--hook', ingress);
      const says = /a function 'f' was loaded by hand: no manifest declares it/;
      await refused(g, { ...conflict, says, hints: /'--take-over' .*'netkit unload f'/ });
      g.applies('--take-over');
      expect(g.plans()).toMatchObject({ pending: false });
      expect(await g.arriving(), 'attached once').toEqual({ one: 1 });
      expect(g.entries('words')).toEqual({ '01000000': '0a00000000000000' });
    });
  });

  it('is asked for names that are in it', async () => {
    await running(objects, async (g) => {
      await refused(g, { ...notFound, says: /no document of .*m\.yaml is called 'g'/ }, { more: ['g'] });
      for (const command of ['plan', 'apply']) {
        await expectRefused(g.ground, [command], {
          ...usage,
          says: /nothing says what is declared/,
          hints: /-f FILE/,
        });
        await expectRefused(g.ground, [command, 'g'], { ...notFound, says: /which manifest declares 'g'/ });
      }
      expect(g.ground.does('plan', 'f').stdout, 'where it was applied from').toBe('nothing to do\n');
    });
  });

  it('that is pruned of some of its names loses none of the others', async () => {
    await running(objects, async (g) => {
      const [f] = standing(g);
      if (f === undefined) throw new Error('nothing stands');
      const other = functionOf({ program: { object: g.object, only: ['two'] } }, 'other');
      g.declares([f, other]);
      g.applies();
      g.declares([f]);
      const before = [g.identity(), g.identity('other')];
      expect(g.plans('f', '--prune')).toMatchObject({ pending: false, removed: [], left: [] });
      g.applies('f', '--prune', '--yes');
      expect([g.identity(), g.identity('other')]).toEqual(before);
      expect(g.plans('--prune')).toMatchObject({ pending: true, removed: ['other'] });
      g.applies('--prune', '--yes');
      expect(g.ground.list().map(({ name }) => name)).toEqual(['f']);
    });
  });

  it('with a chain is refused where the chain cannot be, and nothing of it is made', async () => {
    await running(objects, async (g) => {
      const free = functionOf({ program: { object: g.object, only: ['two', 'three'] } }, 'free');
      const place = { interface: g.ground.ifname, netns: g.ground.netns.name, hook: ingress };
      const declare = (...documents: Parameters<ManifestGround['declares']>[0]) =>
        g.declares([...standing(g), free, ...documents]);
      const member = (functions: readonly unknown[], more: object = {}, name = 'edge') =>
        chainOf({ ...place, functions, ...more }, name);

      declare(member(['f']));
      await refused(g, badManifest(/spec\.functions\[0\]: 'f' attaches to .* of .* by itself/));
      declare(member([{ name: 'free', program: 'two' }, 'nobody']));
      await refused(g, badManifest(/spec\.functions\[1\]: there is no function 'nobody'/));
      declare(member(['free']));
      await refused(g, badManifest(/spec\.functions\[0\]: the object has 2 programs for .*: two, three/));
      declare(member([{ name: 'free', program: 'four' }]));
      await refused(g, badManifest(/spec\.functions\[0\]\.program: the object has no program 'four'/));
      declare(member([{ name: 'free', program: 'two' }], { hook: 'sk_lookup' }));
      await refused(g, badManifest(/spec\.hook: there is no order on 'sk_lookup'/));
      declare(member(['free', { name: 'free' }]));
      await refused(g, badManifest(/spec\.functions\[1\]: this function is in the chain already/));
      const two = [{ name: 'free', program: 'two' }];
      declare(member(two), member([{ name: 'free', program: 'three' }], {}, 'rim'));
      await refused(g, badManifest(/spec\.interface: the chain 'edge' is on .* already/));
      declare(member(two, { interface: 'none0' }));
      await refused(g, { ...notFound, says: /there is no interface 'none0'/ });
      declare(member(two, { netns: 'nowhere' }));
      await refused(g, { ...notFound, says: /nowhere/ });
      expect(g.ground.list().map(({ name }) => name)).toEqual(['f']);

      declare(member(two));
      g.applies();
      expect(await g.arriving('free')).toEqual({ two: 1 });
    });
  });

  it('of several functions is made as a whole: one that the verifier refuses takes the others back', async () => {
    await running(objects, async (g) => {
      const [f] = standing(g);
      if (f === undefined) throw new Error('nothing stands');
      const changed = functionOf({
        ...f.spec,
        globals: { step: 5 },
        maps: { words: { entries: { 2: 20 } } },
      });
      const added = functionOf(
        { program: { object: g.object, only: ['two'] }, attach: [attachedTo(g, 'two')] },
        'added',
      );
      const bad = functionOf(
        { program: { object: g.object, only: ['event'], targets: { event: 'no_such_event' } } },
        'bad',
      );
      g.declares([changed, added, bad]);
      const entries = g.entries('words');
      const result = g.tries();
      expect([1, 3, 6, 7], result.stderr).toContain(result.status);
      expect(g.ground.list().map(({ name }) => name)).toEqual(['f']);
      expect(g.entries('words')).toEqual(entries);
      expect(await g.arriving()).toEqual({ one: 1 });
      g.declares([changed, added]);
      g.applies();
      expect([await g.arriving(), await g.arriving('added')]).toEqual([{ one: 5 }, { two: 1 }]);
    });
  });
});
