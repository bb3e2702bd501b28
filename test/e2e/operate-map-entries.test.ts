import { expect, it } from 'vitest';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { makeVethPair } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { eventually, hitsOf, linksOf, loadOperate, onGround } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { rebootUnloading } from './reboot.js';
import { conflict, expectRefused, notFound, unsupported, usage } from './refusal.js';

describeAsRoot(
  'programs of entries of devmaps and cpumaps from the command line',
  () => {
    let object: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/further-kinds.bpf.c');
    });

    it('an entry of a cpumap is made with its program, which runs for what is redirected there', async () => {
      await onGround(async (ground) => {
        const programs = ['arriving', 'to_processor'];
        loadOperate(ground, object, programs, {}, ['--persist']);
        ground.attach('o/to_processor', '--direct');
        expect(ground.ping()).toBe(5);
        const said = ground.does('attach', 'o/arriving', 'o/processors[0]=64');
        expect(said.stdout).toBe(
          'attached o/arriving to xdp/cpumap (queue of 64 packets) of o/processors[0]\n',
        );
        expect(ground.ping()).toBe(5);
        await eventually('they are counted', () => hitsOf(ground) >= 5);
        expect(linksOf(ground).find(({ hook }) => hook === 'xdp/cpumap')).toMatchObject({
          type: 'map_entry',
          target: 'o/processors[0]',
          detail: 'queue of 64 packets',
          dead: false,
        });
        expect(ground.does('attach', 'o/arriving', 'o/processors[0]').stdout).toMatch(/already$/m);
        const replace = ['--replace', '--reuse', 'processors=o/processors', '--persist'];
        await expectRefused(
          ground,
          ['load', object, '--name', 'o', ...programs.flatMap((each) => ['--only', each]), '--replace'],
          { ...conflict, says: /a new map 'processors'/ },
        );
        loadOperate(ground, object, programs, { weight: 1000 }, replace);
        ground.ping();
        await eventually('the new one counts', () => hitsOf(ground) >= 5000);
        rebootUnloading(ground, object);
        expect(ground.does('recover').stdout).toMatch(/brought back o/);
        ground.ping();
        await eventually('it counts again', () => hitsOf(ground) >= 5000);
        ground.does('detach', 'o/arriving');
        expect(ground.does('map', 'dump', 'o/processors').stdout).toBe('no entries\n');
      });
    });

    it('an entry of a devmap goes with its program when it was made for it, and stays when it was there', async () => {
      await onGround(async (ground) => {
        using further = makeVethPair({ a: ground.netns });
        const { ifname, ifindex } = further.a;
        const inside = ['--netns', ground.netns.name];
        loadOperate(ground, object, ['leaving', 'to_port']);
        await expectRefused(ground, ['attach', 'o/leaving', 'o/ports[1]', ...inside], {
          ...notFound,
          says: /no entry 1/,
          hints: /o\/ports\[1\]=eth1/,
        });
        ground.does('attach', 'o/leaving', `o/ports[1]=${ifname}`, ...inside);
        const entry = ground.entry('o/ports', '1');
        expect(entry).toMatchObject({ ifindex, prog: linksOf(ground)[0]?.program.id });
        // The receiving end of a redirect has to take XDP packets.
        ground.does('load', object, '--name', 'sink', '--only', 'to_processor');
        ground.does('attach', 'sink', further.b.ifname, '--netns', further.b.netns.name, '--direct');
        ground.attach('o/to_port', '--direct');
        ground.ping();
        await eventually('they are counted', () => hitsOf(ground) >= 1);
        ground.does('detach', 'o/leaving', 'o/ports[1]');
        expect(ground.does('map', 'dump', 'o/ports').stdout).toBe('no entries\n');
        const own = { ifindex: 1, prog: 0 };
        ground.does('map', 'update', 'o/ports', '2', 'ifindex=1');
        ground.does('attach', 'o/leaving', 'o/ports[2]');
        expect(linksOf(ground)).toContainEqual(expect.objectContaining({ detail: 'to lo', dead: false }));
        expect(ground.entry('o/ports', '2')).not.toEqual(own);
        ground.does('detach', 'o/leaving');
        expect(ground.entry('o/ports', '2')).toEqual(own);
        // Entries are written with the ids of programs, too: then they are entries, and nothing that netkit attached.
        const id = ground.listed('o').programs.find(({ name }) => name === 'leaving')?.id;
        ground.does('map', 'update', 'o/ports', '2', `ifindex=1,prog=${id}`);
        expect(ground.entry('o/ports', '2')).toEqual({ ifindex: 1, prog: id });
      });
    });

    it('is refused where the map, the entry or the program is none for that', async () => {
      await onGround(async (ground) => {
        loadOperate(ground, object, ['leaving', 'arriving']);
        ground.does('load', object, '--name', 'other', '--only', 'leaving');
        ground.does('attach', 'o/leaving', 'o/ports[0]=lo');
        const cases = [
          [['attach', 'o/leaving', 'o/bare[0]=lo'], { ...unsupported, says: /no room for a program/ }],
          [['attach', 'o/leaving', 'o/processors[0]=64'], { ...usage, says: /wants a devmap/ }],
          [['attach', 'o/leaving', 'o/.bss[0]=lo'], { ...usage, says: /a map of type array/ }],
          [['attach', 'o/leaving', 'lo'], { ...usage, says: /'lo' is not an entry of a map/ }],
          [['attach', 'o/arriving', 'o/processors[0]=0'], { ...usage, says: /not the length of a queue/ }],
          [['attach', 'o/leaving', 'o/ports[1]=nosuch'], { ...notFound, says: /nosuch/ }],
          [['attach', 'o/leaving', 'o/ports[9]=lo'], { status: 1, code: 'failed', says: /entry 9/ }],
          [['attach', 'other', 'o/ports[0]'], { ...conflict, says: /has a program already: id \d+/ }],
          [['attach', 'other', 'o/ports[0]=eth9'], { ...conflict, says: /is lo, not eth9/ }],
        ] as const;
        for (const [args, refusal] of cases) await expectRefused(ground, args, refusal);
      });
    });
  },
  { tools: ['clang', 'ping'] },
);
