import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { documents } from '../../src/cli/schema/documents.js';
import { tcx } from '../../src/ebpf/attach/index.js';
import { Program } from '../../src/ebpf/program.js';
import { CliResult, netkitPath } from '../support/cli.js';
import { expectUnchangedAfterAll, leavingNothing } from '../support/kernel-state.js';
import { run } from '../support/netns.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { bpftool, documentOf, fixture, type Ground, makeGround } from './ground.js';
import { addClsact, addFilter, pinTheirs, removeClsact } from './other-tools.js';

describeAsRoot(
  "another owner's program",
  () => {
    expectUnchangedAfterAll();

    const idOf = (pin: string): number =>
      z.looseObject({ id: z.int() }).parse(bpftool('prog', 'show', 'pinned', pin)).id;
    const attachXdp = ['attach', 'pass'];

    /** All that netkit can do around a hook where somebody else is: each must end with the status it says. */
    function busy(ground: Ground, hook: string): void {
      ground.does('load', fixture('tcx'), '--name', 'ours');
      for (const each of ['tcx/ingress', 'tcx/egress', 'tc/ingress', 'tc/egress']) {
        ground.does('attach', 'ours/on_ingress', ...ground.place, '--hook', each);
      }
      ground.does('load', fixture('tcx'), '--name', 'ours', '--replace');
      ground.does('detach', 'ours', '--hook', hook === 'tcx' ? 'tcx/ingress' : 'tc/ingress');
      ground.does('detach', 'ours', ...ground.place);
      ground.does('attach', 'ours', ...ground.place);
      ground.does('recover');
      ground.does('unload', '--all', '--yes');
    }

    it.each([
      ['ip link set xdp', 'xdpdrv'],
      ['ip link set xdpgeneric', 'xdpgeneric'],
      ['bpftool net attach', 'bpftool'],
    ])('on XDP, attached with %s, is named and left alone', (_how, word) => {
      using ground = makeGround();
      const pin = pinTheirs(ground, fixture('pass'));
      const bare = ground.hooks();
      if (word === 'bpftool') {
        ground.netns.run('bpftool', ['net', 'attach', 'xdp', 'pinned', pin, 'dev', ground.ifname]);
      } else {
        ground.netns.run('ip', ['link', 'set', 'dev', ground.ifname, word, 'pinned', pin]);
      }
      const hooks = ground.hooks();
      expect(hooks).not.toEqual(bare);
      ground.does('load', fixture('pass'));
      for (const mode of ['auto', 'native', 'generic']) {
        const refused = ground.refuses(5, ...attachXdp, ...ground.place, '--mode', mode);
        expect(refused.stderr).toContain(`'pass', id ${idOf(pin)}`);
        expect(refused.stderr).toContain(ground.ifname);
      }
      expect(ground.listed('pass').links).toEqual([]);
      ground.refuses(3, 'detach', 'pass', ...ground.place);
      busy(ground, 'xdp');
      expect(ground.hooks()).toEqual(hooks);
      expect(ground.bpffs.pins()).toEqual(['theirs']);
      ground.netns.run('ip', [
        'link',
        'set',
        'dev',
        ground.ifname,
        word === 'xdpgeneric' ? word : 'xdp',
        'off',
      ]);
      expect(ground.hooks()).toEqual(bare);
    });

    it('cannot be put on XDP beside a link of netkit, whose program stays', () => {
      using ground = makeGround();
      const pin = pinTheirs(ground, fixture('pass'));
      ground.does('load', fixture('globals'), '--name', 'ours', '--set', 'default_action=PASS');
      ground.attach('ours');
      const hooks = ground.hooks();
      expect(() =>
        ground.netns.run('ip', ['link', 'set', 'dev', ground.ifname, 'xdpdrv', 'pinned', pin]),
      ).toThrow();
      expect(ground.hooks()).toEqual(hooks);
      ground.does('unload', 'ours');
    });

    itWith(
      { kernelHas: ['tcx'] },
      'on tcx keeps its place and its packets, and goes when its link is named',
      () => {
        using ground = makeGround();
        const pin = pinTheirs(ground, fixture('tc'));
        const bare = ground.hooks();
        using program = Program.fromPin(pin);
        using link = program.attach(
          tcx({ ifname: ground.ifname, direction: 'ingress', netns: ground.netns.handle }),
        );
        const { id } = link.info();
        busy(ground, 'tcx');
        expect(link.info()).toMatchObject({ ifindex: ground.veth.b.ifindex, programId: idOf(pin) });
        const count = () => packetsOf(pin);
        const seen = count();
        expect(ground.ping(3)).toBe(3);
        expect(count()).toBe(seen + 3);

        const shown = documentOf(
          documents['link show'],
          ground.does('link', 'show', `id:${id}`, '--json'),
        ).link;
        expect(shown).toMatchObject({
          id,
          type: 'tcx',
          function: null,
          program: { id: idOf(pin), name: 'count' },
        });
        const all = documentOf(documents['link list'], ground.does('link', 'list', '--all', '--json')).links;
        expect(all.filter((each) => each.id === id)).toMatchObject([
          { function: null, attachType: 'tcx_ingress' },
        ]);
        ground.does('detach', `id:${id}`, '--dry-run');
        expect(link.info().ifindex).not.toBe(0);
        expect(ground.does('detach', `id:${id}`).stdout).toContain(`link ${id}`);
        expect(link.info().ifindex).toBe(0);
        expect(ground.ping(3)).toBe(3);
        expect(count()).toBe(seen + 3);
        ground.refuses(3, 'detach', 'id:2147483647');
        ground.refuses(2, 'detach', 'id:0');
        expect(ground.hooks()).toEqual(bare);
      },
    );

    it('as a tc filter survives, with its qdisc', () => {
      using ground = makeGround();
      const pin = pinTheirs(ground, fixture('tc'));
      const bare = ground.hooks();
      addClsact(ground);
      addFilter(ground, 'ingress', pin, 'prio', '50', 'handle', '1');
      addFilter(ground, 'egress', pin, 'prio', '1');
      const hooks = ground.hooks();
      const seen = packetsOf(pin);
      busy(ground, 'tc');
      expect(ground.hooks()).toEqual(hooks);
      expect(ground.ping(2)).toBe(2);
      expect(packetsOf(pin)).toBe(seen + 4);
      removeClsact(ground);
      expect(ground.hooks()).toEqual(bare);
    });

    it('in the place of a tc filter of netkit is not taken for it', () => {
      using ground = makeGround();
      const pin = pinTheirs(ground, fixture('tc'));
      ground.does('load', fixture('tc'), '--name', 'ours');
      ground.attach('ours', '--hook', 'tc/ingress');
      const ours = ground.hooks().find((line) => line.startsWith('ingress') && line.includes('handle')) ?? '';
      const handle = /handle (0x[0-9a-f]+)/.exec(ours)?.[1] ?? '';
      const place = ['dev', ground.ifname, 'ingress', 'prio', '50', 'handle', handle];
      ground.netns.run('tc', ['filter', 'replace', ...place, 'bpf', 'da', 'pinned', pin]);
      expect(ground.hooks().join('\n')).toContain(` id ${idOf(pin)} `);
      ground.does('unload', 'ours');
      expect(ground.hooks().join('\n')).toContain(` id ${idOf(pin)} `);
      removeClsact(ground);
    });

    it('and its maps are read and written by path, id and name', () => {
      using ground = makeGround();
      const pins = join(ground.bpffs.root.path, 'theirs');
      mkdirSync(pins);
      run('bpftool', ['prog', 'loadall', fixture('tc'), join(pins, 'progs'), 'pinmaps', join(pins, 'maps')]);
      const map = join(pins, 'maps/packets');
      ground.does('map', 'update', map, '0', '0xdeadbeef');
      expect(ground.entry(map, '0')).toBe(0xdeadbeef);
      const id = z.looseObject({ id: z.int() }).parse(bpftool('map', 'show', 'pinned', map)).id;
      expect(ground.entry(`id:${id}`, '0')).toBe(0xdeadbeef);
      expect(ground.does('prog', 'show', join(pins, 'progs/count')).stdout).toContain('sched_cls');
      expect(ground.list()).toEqual([]);
    });
  },
  { tools: ['ping'] },
);

const folder = '/usr/lib';
const debians = existsSync(folder)
  ? readdirSync(folder)
      .map((triplet) => join(folder, triplet, 'bpf'))
      .filter((path) => existsSync(path))
      .flatMap((path) => readdirSync(path).map((file) => join(path, file)))
      .filter((path) => path.endsWith('.o'))
  : [];

describeAsRoot(
  "the objects of Debian's xdp-tools",
  () => {
    expectUnchangedAfterAll();

    it.each(debians.map((path) => [basename(path), path] as const))(
      '%s is inspected without privileges',
      (_name, object) => {
        const asNobody = [
          '--reuid=65534',
          '--regid=65534',
          '--clear-groups',
          '--inh-caps=-all',
          '--bounding-set=-all',
        ];
        const { status, stdout, stderr } = spawnSync(
          'setpriv',
          [...asNobody, process.execPath, netkitPath, 'inspect', object, '--json'],
          { encoding: 'utf8', cwd: '/', env: { PATH: process.env.PATH ?? '' } },
        );
        expect(status, stderr).toBe(0);
        const inspected = documentOf(documents.inspect, new CliResult(status ?? 1, stdout, stderr));
        expect(inspected.programs.length).toBeGreaterThan(0);
        expect(inspected.licence).toMatch(/GPL/);
      },
    );

    it.each(debians.map((path) => [basename(path), path] as const))(
      '%s is loaded when bpftool loads it, with the same programs, or refused with the reason',
      async (_name, object) => {
        using ground = makeGround();
        await leavingNothing(() => {
          // In a mount namespace of its own: some of these objects have their maps pinned at /sys/fs/bpf.
          const script =
            'mount -t bpf bpf /sys/fs/bpf && bpftool prog loadall "$1" /sys/fs/bpf/theirs && ls /sys/fs/bpf/theirs';
          const byBpftool = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', object], {
            encoding: 'utf8',
          });
          const theirs =
            byBpftool.status === 0 ? byBpftool.stdout.split('\n').filter((name) => name !== '') : undefined;
          const result = ground.netkit('load', object, '--name', 'debian');
          if (theirs === undefined) {
            expect(result.status, `bpftool: ${byBpftool.stderr}`).not.toBe(0);
            expect(result.stderr).toMatch(/^netkit: \S.{20,}\n/);
            expect(result.stderr).not.toMatch(/libbpf: /);
            expect(ground.bpffs.pins()).toEqual([]);
            return;
          }
          expect(result.status, result.stderr).toBe(0);
          const pins = ground.bpffs.pins().filter((pin) => pin.startsWith('netkit/debian/progs/'));
          expect(pins.map((pin) => basename(pin))).toEqual(theirs);
          expect(ground.bpffs.pins().filter((pin) => !pin.startsWith('netkit/'))).toEqual([]);
          ground.does('unload', 'debian');
        });
      },
    );
  },
  {
    tools: ['setpriv', 'unshare'],
    check: () => (debians.length > 0 ? undefined : "the objects of Debian's package xdp-tools"),
  },
);

/** Packets that a program of tc.bpf.c has counted in its own map. */
function packetsOf(pin: string): number {
  const { map_ids: ids } = z
    .looseObject({ map_ids: z.array(z.int()) })
    .parse(bpftool('prog', 'show', 'pinned', pin));
  for (const id of ids) {
    const map = z.looseObject({ name: z.string() }).parse(bpftool('map', 'show', 'id', String(id)));
    if (map.name !== 'packets') continue;
    const [entry] = z
      .array(z.looseObject({ value: z.array(z.string()) }))
      .parse(bpftool('map', 'dump', 'id', String(id)));
    return Buffer.from((entry?.value ?? []).map((byte) => Number(byte))).readUInt32LE();
  }
  throw new Error(`${pin} has no map packets`);
}
