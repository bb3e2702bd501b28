import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { documents } from '../../src/cli/schema/documents.js';
import { leavingNothing } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { run } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { chainPlace, loneNote, xdpPlace } from './chain-ground.js';
import {
  bpftool,
  bpftoolDump,
  chained,
  documentOf,
  fixture,
  type Ground,
  littleEndian,
  makeGround,
} from './ground.js';
import { onGround } from './hook-ground.js';
import { compileBeforeAll, type Objects } from './objects.js';
import { reboot } from './reboot.js';

const needsClang = { tools: ['clang', 'ping'] };
const counters = z.object({ packets: z.number(), bytes: z.number() });

/** Frame bytes of one of ping's echo requests: Ethernet, IPv4, ICMP, 56 bytes. */
const frameBytes = 14 + 20 + 8 + 56;

describeAsRoot(
  'XDP from the command line',
  () => {
    let objects: Objects;
    let firewall: string;

    compileBeforeAll(async (made) => {
      objects = made;
      firewall = await objects.compile('bpf/firewall.bpf.c');
    });

    const xdpOf = (ground: Ground): unknown =>
      z
        .array(z.looseObject({ xdp: z.optional(z.unknown()) }))
        .parse(JSON.parse(ground.netns.run('ip', ['-j', '-d', 'link', 'show', 'dev', ground.ifname])))[0]
        ?.xdp;

    it('builds, loads, attaches, blocks and takes away again, as the README has it', async () => {
      await onGround((ground) => {
        const object = join(ground.bpffs.folder, 'fw.bpf.o');
        ground.does('build', join(import.meta.dirname, '../../bpf/firewall.bpf.c'), '-o', object);
        ground.does('load', object, '--name', 'fw');
        ground.attach('fw');
        expect(ground.ping()).toBe(5);
        ground.does('map', 'update', 'fw/blocklist_v4', '10.0.0.0/8', 'drop');
        expect(ground.ping()).toBe(0);
        ground.does('unload', 'fw');
        expect(ground.ping()).toBe(5);
      });
    });

    it.each(['native', 'generic'])(
      'blocks real pings by a map entry in %s mode, counts them, and lets them through when the entry is gone',
      async (mode) => {
        await onGround((ground) => {
          ground.does('load', firewall, '--name', 'fw');
          const attached = ground.attach('fw', '--mode', mode);
          expect(attached.stderr).toBe('');
          expect(attached.stdout).toContain(` to ${chainPlace(mode)} of ${ground.ifname}`);
          expect(xdpOf(ground)).toMatchObject({ mode: mode === 'native' ? 1 : 2 });
          expect(ground.ping(7)).toBe(7);
          expect(ground.entry('fw/stats', 'pass_no_match')).toEqual({
            packets: 7,
            bytes: 7 * frameBytes,
          });

          ground.does('map', 'update', 'fw/blocklist_v4', `${ground.veth.a.address}/32`, 'drop');
          expect(ground.ping(4)).toBe(0);
          expect(ground.entry('fw/stats', 'drop_blocked_v4')).toEqual({
            packets: 4,
            bytes: 4 * frameBytes,
          });
          const rule = { action: 'drop', tag: 0, packets: 4, bytes: 4 * frameBytes };
          expect(ground.entry('fw/blocklist_v4', `${ground.veth.a.address}/32`)).toEqual(rule);

          ground.does('map', 'delete', 'fw/blocklist_v4', `${ground.veth.a.address}/32`);
          expect(ground.ping(3)).toBe(3);
          ground.does('detach', 'fw', ...ground.place);
          expect(xdpOf(ground)).toBeUndefined();
          ground.does('unload', 'fw');
        });
      },
    );

    it('writes into the map what bpftool reads there, byte for byte, and reads what bpftool writes', async () => {
      await onGround((ground) => {
        ground.does('load', firewall, '--name', 'fw');
        const pin = join(ground.bpffs.root.path, 'netkit/fw/maps/blocklist_v4');
        ground.does('map', 'update', 'fw/blocklist_v4', '10.0.0.0/8', 'drop');
        const written = '{"action":"pass","tag":305419896,"packets":18446744073709551615,"bytes":2}';
        ground.does('map', 'update', 'fw/blocklist_v4', '192.168.7.0/24', written);
        const entries = bpftoolDump(pin);
        expect(entries).toHaveLength(2);
        expect(entries).toContainEqual({
          key: `${littleEndian(8, 4)}0a000000`,
          value: `${littleEndian(1, 4)}${littleEndian(0, 4)}${littleEndian(0, 8)}${littleEndian(0, 8)}`,
        });
        expect(entries).toContainEqual({
          key: `${littleEndian(24, 4)}c0a80700`,
          value: `${littleEndian(0, 4)}78563412ffffffffffffffff${littleEndian(2, 8)}`,
        });
        const got = ground.does('map', 'get', 'fw/blocklist_v4', '192.168.7.0/24', '--json').stdout;
        expect(got.replace(/\s/g, '')).toContain(`"value":${written}`);

        const key = ['hex', '10', '0', '0', '0', 'ac', '10', '0', '0'];
        const value = ['hex', '1', '0', '0', '0', '9', ...new Array<string>(19).fill('0')];
        run('bpftool', ['map', 'update', 'pinned', pin, 'key', ...key, 'value', ...value]);
        expect(ground.entry('fw/blocklist_v4', '172.16.0.0/16')).toEqual({
          action: 'drop',
          tag: 9,
          packets: 0,
          bytes: 0,
        });
        const dump = documentOf(
          documents['map dump'],
          ground.does('map', 'dump', 'fw/blocklist_v4', '--json-strings'),
        );
        expect(dump.entries.map(({ key: prefix }) => prefix).sort()).toEqual([
          '10.0.0.0/8',
          '172.16.0.0/16',
          '192.168.7.0/24',
        ]);
        ground.refuses(3, 'map', 'get', 'fw/blocklist_v4', '10.0.0.0/9');
        ground.refuses(2, 'map', 'update', 'fw/blocklist_v4', '10.0.0.1/8', 'drop');
        ground.refuses(5, 'map', 'update', 'fw/blocklist_v4', '10.0.0.0/8', 'drop', 'noexist');
        ground.refuses(3, 'map', 'update', 'fw/blocklist_v4', '11.0.0.0/8', 'drop', 'exist');
        expect(bpftoolDump(pin)).toHaveLength(3);
      });
    });

    it('takes native mode first, and says so when the driver has none', async () => {
      await onGround((ground) => {
        ground.does('load', fixture('pass'));
        const native = ground.attach('pass', '--json');
        expect(native.stderr).toMatch(loneNote);
        expect(documentOf(documents.attach, native).links[0]).toMatchObject({
          already: false,
          note: chained ? null : expect.stringMatching(/^attached alone, /),
          link: {
            mode: 'native',
            type: chained ? 'tracing' : 'xdp',
            hook: 'xdp',
            ifname: ground.ifname,
            dead: false,
          },
        });

        const where = ['--netns', ground.netns.name];
        const refused = ground.refuses(6, 'attach', 'pass', 'lo', '--mode', 'native', ...where);
        expect(refused.stderr).toMatch(/lo.*native[\s\S]*hint: .*generic/);
        expect(ground.listed('pass').links).toHaveLength(1);

        const fallen = ground.does('attach', 'pass', 'lo', ...where);
        expect(fallen.stdout).toContain(`${xdpPlace('generic')} of lo`);
        expect(fallen.stderr).toMatch(/^netkit: .*lo.*native.*generic.*\n(netkit: attached alone, .*\n)?$/);
        expect(ground.listed('pass').links.map(({ ifname, mode }) => [ifname, mode])).toEqual([
          [ground.ifname, 'native'],
          ['lo', 'generic'],
        ]);
      });
    });

    it('finds a program attached already in just that way, and refuses another mode', async () => {
      await onGround((ground) => {
        ground.does('load', fixture('pass'));
        ground.attach('pass', '--mode', 'generic');
        const [before] = ground.listed('pass').links;
        for (const more of [[], ['--mode', 'auto'], ['--mode', 'generic']]) {
          const again = ground.attach('pass', ...more);
          expect(again.stdout).toMatch(/pass.*generic.*already/);
        }
        const document = documentOf(documents.attach, ground.attach('pass', '--json'));
        expect(document.links.map(({ already }) => already)).toEqual([true]);
        expect(document.actions).toEqual([]);
        const refused = ground.refuses(
          5,
          ...['attach', 'pass', ground.ifname, '--mode', 'native', '--netns', ground.netns.name],
        );
        expect(refused.stderr).toContain('generic');
        expect(ground.listed('pass').links).toEqual([before]);
      });
    });

    it('attaches again where somebody else took the program off behind its back', async () => {
      await onGround((ground) => {
        ground.does('load', fixture('pass'));
        ground.attach('pass', '--direct');
        const [link] = ground.listed('pass').links;
        run('bpftool', ['link', 'detach', 'id', String(link?.id)]);
        expect(ground.listed('pass').links).toMatchObject([{ dead: true }]);
        ground.attach('pass', '--direct');
        const links = ground.listed('pass').links;
        expect(links).toMatchObject([{ dead: false }]);
        expect(links[0]?.id).not.toBe(link?.id);
      });
    });

    it('shows a link whose interface has gone as dead, and unloads it', async () => {
      using ground = makeGround();
      await leavingNothing(() => {
        ground.netns.run('ip', ['link', 'add', 'brx', 'type', 'bridge']);
        ground.does('load', fixture('pass'));
        ground.does('attach', 'pass', 'brx', '--netns', ground.netns.name, '--mode', 'generic');
        ground.netns.run('ip', ['link', 'del', 'brx']);
        expect(ground.listed('pass').links).toMatchObject([{ ifname: 'brx', dead: true }]);
        ground.does('unload', 'pass');
        expect(ground.bpffs.pins()).toEqual([]);
      });
    });

    it('refuses a name that is taken, and leaves the function there as it was', async () => {
      await onGround((ground) => {
        ground.does('load', firewall, '--name', 'fw');
        ground.attach('fw', '--direct');
        const before = ground.listed('fw');
        const refused = ground.refuses(5, 'load', fixture('pass'), '--name', 'fw');
        expect(refused.stderr).toMatch(/'fw'[\s\S]*--replace/);
        expect(ground.listed('fw')).toEqual(before);
        expect(readdirSync(ground.bpffs.stateDir)).toHaveLength(3);
      });
    });

    it('replaces a function under traffic without losing a packet: same link, new program, new maps', async () => {
      await onGround(async (ground) => {
        ground.does('load', firewall, '--name', 'fw');
        ground.attach('fw', '--direct');
        const before = ground.listed('fw');
        using flow = ground.traffic();
        ground.does('load', firewall, '--name', 'fw', '--replace', '--map-size', 'blocklist_v4=77');
        const after = ground.listed('fw');
        expect(after.links[0]?.id).toBe(before.links[0]?.id);
        expect(after.links[0]?.program.id).toBe(after.programs[0]?.id);
        expect(after.programs[0]?.id).not.toBe(before.programs[0]?.id);
        const ids = before.maps.map(({ id }) => id);
        expect(after.maps.filter(({ id }) => ids.includes(id))).toEqual([]);
        expect(after.maps.find(({ name }) => name === 'blocklist_v4')?.maxEntries).toBe(77);
        const { sent, received } = await flow.stop();
        expect(received).toBe(sent);
        // The new program is the one that runs.
        ground.does('map', 'update', 'fw/blocklist_v4', '10.0.0.0/8', 'drop');
        expect(ground.ping()).toBe(0);
        ground.does('load', firewall, '--name', 'fw', '--replace', '--set', 'default_action=drop');
        expect(ground.ping()).toBe(0);
        ground.does('load', firewall, '--name', 'fw', '--replace');
        expect(ground.ping()).toBe(5);
        expect(ground.listed('fw').links.map(({ id }) => id)).toEqual(before.links.map(({ id }) => id));
        expect(ground.bpffs.pins().filter((pin) => pin.includes('+') || pin.includes('old_'))).toEqual([]);
        expect(readdirSync(ground.bpffs.stateDir).filter((file) => file.endsWith('.o'))).toHaveLength(1);
      });
    });

    it('refuses a replacement without the attached program, and one that the verifier refuses', async () => {
      await onGround((ground) => {
        ground.does('load', firewall, '--name', 'fw');
        ground.attach('fw', '--direct');
        const before = ground.listed('fw');
        const pins = ground.bpffs.pins();
        expect(ground.refuses(5, 'load', fixture('pass'), '--name', 'fw', '--replace').stderr).toMatch(
          /no program 'firewall'.*\n.*detach/,
        );
        ground.does('load', fixture('pass'), '--name', 'oob');
        ground.refuses(7, 'load', fixture('oob'), '--name', 'oob', '--replace');
        ground.does('unload', 'oob');
        expect(ground.listed('fw')).toEqual(before);
        expect(ground.bpffs.pins()).toEqual(pins);
        expect(ground.ping()).toBe(5);
      });
    });

    it('replaces what is not attached, and loads with --replace where nothing was', async () => {
      await onGround((ground) => {
        const first = documentOf(
          documents.load,
          ground.does('load', fixture('pass'), '--name', 'x', '--replace', '--json'),
        );
        expect(first.replaced).toBe(false);
        const second = documentOf(
          documents.load,
          ground.does('load', fixture('tcx'), '--name', 'x', '--replace', '--json'),
        );
        expect(second.replaced).toBe(true);
        expect(ground.listed('x').programs.map(({ name }) => name)).toEqual(['on_ingress', 'on_egress']);
      });
    });

    it('loads only the programs that are named', async () => {
      await onGround((ground) => {
        ground.does('load', fixture('subprograms'), '--name', 'one', '--only', 'calls');
        expect(ground.listed('one').programs.map(({ name }) => name)).toEqual(['calls']);
        expect(ground.bpffs.pins()).toEqual(expect.arrayContaining(['netkit/one/progs/calls']));
        expect(ground.bpffs.pins().filter((pin) => pin.includes('calls_back'))).toEqual([]);
        // 'calls_back' has bpf_loop().
        if (kernelLacks('bpf-loop') === undefined) {
          const both = ['--name', 'both', '--only', 'calls', '--only', 'calls_back'];
          ground.does('load', fixture('subprograms'), ...both);
          expect(ground.listed('both').programs).toHaveLength(2);
        }
        const refused = ground.refuses(3, 'load', fixture('subprograms'), '--name', 'no', '--only', 'cals');
        expect(refused.stderr).toMatch(/calls/);
      });
    });

    it('sets global variables by name, type and range', async () => {
      await onGround((ground) => {
        ground.does('load', firewall, '--name', 'fw', '--set', 'default_action=drop');
        ground.attach('fw');
        expect(ground.ping(3)).toBe(0);
        expect(counters.parse(ground.entry('fw/stats', 'drop_no_match')).packets).toBe(3);
        const settings = ['--set', 'small=7', '--set', 'negative=-128', '--set', 'label=core'];
        ground.does('load', fixture('globals'), '--name', 'g', ...settings, '--set', 'limits={"rate":99}');
        const pin = ground.bpffs.pins().find((each) => each === 'netkit/g/maps/g_rodata') ?? '';
        const section = run('bpftool', ['-j', 'map', 'dump', 'pinned', join(ground.bpffs.root.path, pin)]);
        expect(section.replace(/[^0-9a-fx]|0x/g, '')).toContain(Buffer.from('core\0').toString('hex'));
        const misspelt = ground.refuses(3, 'load', firewall, '--name', 'no', '--set', 'defualt_action=drop');
        expect(misspelt.stderr).toMatch(/default_action/);
        ground.refuses(2, 'load', firewall, '--name', 'no', '--set', 'default_action=maybe');
        ground.refuses(2, 'load', fixture('globals'), '--name', 'no', '--set', 'small=256');
        ground.refuses(2, 'load', firewall, '--name', 'no', '--set', 'default_action');
        expect(ground.list().map(({ name }) => name)).toEqual(['fw', 'g']);
      });
    });

    it('makes maps of the size asked for, which is then all they hold', async () => {
      await onGround((ground) => {
        ground.does(
          'load',
          firewall,
          '--name',
          'fw',
          '--map-size',
          'blocklist_v4=2',
          '--map-size',
          'stats=9',
        );
        const pin = join(ground.bpffs.root.path, 'netkit/fw/maps');
        expect(bpftool('map', 'show', 'pinned', join(pin, 'blocklist_v4'))).toMatchObject({ max_entries: 2 });
        expect(bpftool('map', 'show', 'pinned', join(pin, 'blocklist_v6'))).toMatchObject({
          max_entries: 65536,
        });
        ground.does('map', 'update', 'fw/blocklist_v4', '10.0.0.0/8', 'drop');
        ground.does('map', 'update', 'fw/blocklist_v4', '11.0.0.0/8', 'drop');
        const full = ground.refuses(5, 'map', 'update', 'fw/blocklist_v4', '12.0.0.0/8', 'drop');
        expect(full.stderr).toMatch(/full.* 2 /);
        ground.refuses(3, 'load', firewall, '--name', 'no', '--map-size', 'blocklist=2');
        ground.refuses(2, 'load', firewall, '--name', 'no', '--map-size', 'blocklist_v4=0');
        ground.refuses(2, 'load', firewall, '--name', 'no', '--map-size', 'blocklist_v4=4294967296');
      });
    });

    it('shares a map between two functions, which outlives the one that made it', async () => {
      await onGround((ground) => {
        ground.does('load', firewall, '--name', 'one');
        ground.does('load', firewall, '--name', 'two', '--reuse', 'blocklist_v4=one/blocklist_v4');
        const idOf = (name: string) =>
          ground.listed(name).maps.find((map) => map.name === 'blocklist_v4')?.id;
        const id = idOf('one');
        expect(idOf('two')).toBe(id);
        ground.attach('two');
        ground.does('map', 'update', 'one/blocklist_v4', '10.0.0.0/8', 'drop');
        expect(ground.ping(3)).toBe(0);
        ground.does('unload', 'one');
        expect(idOf('two')).toBe(id);
        expect(ground.ping(3)).toBe(0);
        ground.does('map', 'delete', 'two/blocklist_v4', '10.0.0.0/8');
        expect(ground.ping(3)).toBe(3);
        // By other references too.
        ground.does('load', firewall, '--name', 'three', '--reuse', `blocklist_v4=id:${id}`);
        expect(idOf('three')).toBe(id);
        const wrong = ground.refuses(5, 'load', firewall, '--name', 'no', '--reuse', `blocklist_v6=id:${id}`);
        expect(wrong.stderr).toMatch(/key size/);
        ground.refuses(3, 'load', firewall, '--name', 'no', '--reuse', 'blocklist_v4=none/blocklist_v4');
      });
    });

    it('has nothing to remove: status 3, or 0 with --if-exists', async () => {
      using ground = makeGround();
      await leavingNothing(() => {
        ground.does('load', firewall, '--name', 'fw');
        const absent: string[][] = [
          ['unload', 'nothing'],
          ['detach', 'nothing'],
          ['detach', 'fw'],
          ['detach', 'fw', ...ground.place],
          ['map', 'delete', 'fw/blocklist_v4', '10.0.0.0/8'],
        ];
        for (const command of absent) {
          ground.refuses(3, ...command);
          ground.does(...command, '--if-exists');
          ground.does(...command, '--if-exists', '--json').json();
        }
        ground.does('unload', 'fw');
        ground.does('unload', 'fw', '--if-exists');
      });
    });

    it('changes nothing with --dry-run, and says what it would do', async () => {
      using ground = makeGround();
      const where = ['--netns', ground.netns.name];
      await leavingNothing(async () => {
        const dry = async (...args: string[]) => {
          const state = stateFiles(ground.bpffs.stateDir);
          const hooks = ground.hooks();
          await leavingNothing(() => {
            expect(ground.does(...args, '--dry-run').stdout).toMatch(/^would /m);
            expect(
              z
                .looseObject({ dryRun: z.literal(true) })
                .parse(ground.does(...args, '--dry-run', '--json').json()),
            ).toBeTruthy();
          });
          expect(ground.hooks()).toEqual(hooks);
          expect(stateFiles(ground.bpffs.stateDir)).toEqual(state);
        };
        await dry('load', firewall, '--name', 'fw');
        expect(() => statSync(ground.bpffs.stateDir)).toThrow();
        ground.does('load', firewall, '--name', 'fw');
        await dry('load', firewall, '--name', 'fw', '--replace');
        await dry('attach', 'fw', ground.ifname, ...where);
        await dry('map', 'update', 'fw/blocklist_v4', '10.0.0.0/8', 'drop');
        ground.refuses(3, 'map', 'get', 'fw/blocklist_v4', '10.0.0.0/8');
        ground.does('map', 'update', 'fw/blocklist_v4', '10.0.0.0/8', 'drop');
        await dry('map', 'delete', 'fw/blocklist_v4', '10.0.0.0/8');
        ground.entry('fw/blocklist_v4', '10.0.0.0/8');
        ground.attach('fw', '--direct');
        const id = ground.listed('fw').links[0]?.id;
        await dry('detach', 'fw', ground.ifname, ...where);
        await dry('detach', `id:${id}`);
        await dry('unload', 'fw');
        await dry('unload', '--all');
        ground.does('unload', 'fw');
      });
    });

    it('asks before it unloads everything, and without a terminal wants --yes', async () => {
      using ground = makeGround();
      await leavingNothing(() => {
        ground.does('load', fixture('pass'), '--name', 'one');
        ground.does('load', fixture('pass'), '--name', 'two');
        ground.refuses(2, 'unload', '--all');
        expect(ground.list()).toHaveLength(2);
        ground.refuses(2, 'unload', 'one', '--all');
        ground.does('unload', '--all', '--yes');
        expect(ground.bpffs.pins()).toEqual([]);
        expect(ground.list()).toEqual([]);
      });
    });

    it('remembers after a reboot what was loaded with --persist, and nothing else', async () => {
      using ground = makeGround();
      await leavingNothing(() => {
        ground.does('load', fixture('pass'), '--name', 'kept', '--persist');
        ground.does('load', fixture('pass'), '--name', 'lost');
        reboot(ground);
        expect(ground.listed('kept')).toMatchObject({ persist: true, programs: [{ id: null }] });
        expect(ground.list().map(({ name }) => name)).toEqual(['kept']);
        const taken = ground.refuses(5, 'load', fixture('pass'), '--name', 'kept');
        expect(taken.stderr).toMatch(/boot.*\n.*recover.*unload kept/);
        ground.does('load', fixture('pass'), '--name', 'lost');
        expect(ground.listed('lost').programs[0]?.id).toBeGreaterThan(0);
        ground.does('unload', 'lost');
        ground.does('unload', 'kept');
        expect(readdirSync(ground.bpffs.stateDir)).toEqual(['lock']);
        ground.refuses(3, 'unload', 'kept');
      });
    });
  },
  needsClang,
);

function stateFiles(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => {
      const { ino, size, mtimeMs } = statSync(join(directory, name));
      return `${name} ${ino} ${size} ${mtimeMs}`;
    });
  } catch {
    return [];
  }
}
