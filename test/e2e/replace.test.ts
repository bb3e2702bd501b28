import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { documents } from '../../src/cli/schema/documents.js';
import { Link } from '../../src/ebpf/link.js';
import { BpfMap } from '../../src/ebpf/map.js';
import { Program } from '../../src/ebpf/program.js';
import { packageRoot } from '../../src/host/package-root.js';
import { TestCgroup } from '../support/cgroup.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { documentOf, errorOf, fixture, type Ground, Objects } from './ground.js';
import { callGetpgid, onGround } from './hook-ground.js';

const packet = '00'.repeat(14);

describeAsRoot(
  '`netkit replace`',
  () => {
    const owned = new Scope();
    let objects: Objects;
    let first: string;
    let second: string;
    let grown: string;

    beforeAll(async () => {
      objects = owned.use(new Objects());
      first = await objects.compile('test/fixtures/upgrade.bpf.c', ['RELEASE=1']);
      second = await objects.compile('test/fixtures/upgrade.bpf.c', ['RELEASE=2']);
      grown = await objects.compile('test/fixtures/upgrade.bpf.c', [
        'RELEASE=2',
        'ENTRIES=60000',
        'APPENDED=1',
      ]);
    });
    afterAll(() => owned[Symbol.dispose]());

    const compile = (...defines: string[]): Promise<string> =>
      objects.compile('test/fixtures/upgrade.bpf.c', defines);

    function load(ground: Ground, programs: readonly string[], object = first, ...more: string[]): void {
      // Its table of programs asks for the one that it holds.
      const only = ['tail', ...programs].flatMap((program) => ['--only', program]);
      ground.does('load', object, '--name', 'f', ...only, ...more);
    }

    /** Replaces, and gives what the document says. */
    function replaces(ground: Ground, object: string, ...more: string[]) {
      return documentOf(documents.replace, ground.does('replace', 'f', object, '--json', ...more));
    }

    function fates(ground: Ground, object: string, ...more: string[]): Record<string, string> {
      const { maps } = replaces(ground, object, ...more);
      return Object.fromEntries(maps.map(({ name, fate }) => [name, fate]));
    }

    const mapPin = (ground: Ground, name: string): string =>
      join(ground.bpffs.root.path, 'netkit/f/maps', name);
    const idOf = (ground: Ground, name: string): number | null | undefined =>
      ground.listed('f').maps.find((map) => map.name === name)?.id;

    /** What stands in all places where a refused replacement could have left something. */
    function picture(ground: Ground): unknown {
      return [
        ground.list(),
        ground.bpffs.pins(),
        readdirSync(ground.bpffs.stateDir).sort(),
        ground.netkit('map', 'dump', 'f/kept').stdout,
      ];
    }

    /** A command that must fail, and change nothing. */
    function refuses(ground: Ground, status: number, ...args: string[]): ReturnType<typeof errorOf> {
      const before = picture(ground);
      const error = errorOf(ground.refuses(status, ...args, '--json'));
      expect(picture(ground)).toEqual(before);
      return error;
    }

    it('keeps every map of the same definition, and what is in it, under XDP', async () => {
      await onGround((ground) => {
        load(ground, ['filter']);
        ground.attach('f/filter', '--direct');
        ground.does('map', 'update', 'f/kept', '7', '700');
        ground.does('map', 'update', 'f/flows', '8', 'packets=800');
        expect(ground.ping(3)).toBe(3);
        const ids = ['kept', 'flows', 'f.bss', 'f.data'].map((name) => idOf(ground, name));
        const { maps, links, function: replaced, tests } = replaces(ground, second);
        expect(Object.fromEntries(maps.map(({ name, fate }) => [name, fate]))).toEqual({
          kept: 'kept',
          flows: 'kept',
          passing: 'kept',
          tails: 'refilled',
          'f.bss': 'kept',
          'f.data': 'kept',
          'f.rodata': 'new',
        });
        expect(['kept', 'flows', 'f.bss', 'f.data'].map((name) => idOf(ground, name))).toEqual(ids);
        expect(links.map(({ link, how }) => [link.hook, how])).toEqual([['xdp', 'swap']]);
        expect(replaced.programs.map(({ name }) => name).sort()).toEqual(['filter', 'tail']);
        expect(tests).toBeNull();
        expect(ground.entry('f/kept', '7')).toBe(700);
        expect(ground.entry('f/flows', '8')).toEqual({ packets: 800 });
        expect(ground.ping(3)).toBe(3);
        // What either release counted stands in one map.
        expect(ground.entry('f/kept', '1')).toBeGreaterThanOrEqual(3);
        expect(ground.entry('f/kept', '2')).toBeGreaterThanOrEqual(3);
      });
    });

    itWith({ kernelHas: ['bloom-filter'] }, 'keeps maps of every type as the kernel made them', async () => {
      await onGround((ground) => {
        ground.does('load', fixture('maps'), '--name', 'f');
        const others = Object.entries(fates(ground, fixture('maps'))).filter(([, fate]) => fate !== 'kept');
        expect(others).toEqual([['stages', 'refilled']]);
      });
    });

    it('migrates a map that has grown, zeros behind what there was, and says how many entries', async () => {
      await onGround((ground) => {
        load(ground, ['filter']);
        for (const key of [1, 2, 3]) ground.does('map', 'update', 'f/flows', `${key}`, `packets=${key}00`);
        const { maps } = replaces(ground, grown);
        expect(maps.find(({ name }) => name === 'flows')).toMatchObject({
          fate: 'migrated',
          entries: 3,
          carried: 0,
          mayBeLost: 0,
        });
        expect(ground.entry('f/flows', '3')).toEqual({ packets: 300, bytes: 0 });
        expect(ground.listed('f').maps.find(({ name }) => name === 'flows')).toMatchObject({
          maxEntries: 60000,
          valueSize: 16,
        });
        const text = ground.does('replace', 'f', grown).stdout;
        expect(text).toContain('map flows: kept\n');
      });
    });

    it.each([
      ['hash', 'BPF_MAP_TYPE_HASH'],
      ['lru_hash', 'BPF_MAP_TYPE_LRU_HASH'],
      ['array', 'BPF_MAP_TYPE_ARRAY'],
    ])(
      'loses nothing of what a busy writer writes to a migrated %s until it is swapped',
      async (_what, type) => {
        const [from, to] = [
          await compile('RELEASE=1', `FLOWS=${type}`, 'ENTRIES=20000'),
          await compile('RELEASE=2', `FLOWS=${type}`, 'ENTRIES=60000', 'APPENDED=1'),
        ];
        await onGround(async (ground) => {
          load(ground, ['filter'], from);
          ground.attach('f/filter', '--direct');
          const keys = 10_000;
          using old = BpfMap.fromPin(mapPin(ground, 'flows'));
          const child = spawn(
            process.execPath,
            [
              join(packageRoot(), 'scripts/run.mjs'),
              'test/support/busy-writer.ts',
              mapPin(ground, 'flows'),
              `${keys}`,
            ],
            { cwd: packageRoot(), stdio: ['pipe', 'pipe', 'inherit'] },
          );
          let said = '';
          child.stdout.setEncoding('utf8').on('data', (text: string) => {
            said += text;
          });
          while (!said.includes('writing')) await sleep(5);
          // The writer ends between the catching up and the carrying over, as a program does that is swapped.
          const running = ground.start('replace', 'f', to, '--json');
          const staged = join(ground.bpffs.root.path, 'netkit/+f/maps/flows');
          let isStaged = false;
          const deadline = performance.now() + 20_000;
          while (!isStaged && performance.now() < deadline) {
            isStaged = ground.bpffs.pins().some((pin) => pin.endsWith('+f/maps/flows'));
            await sleep(1);
          }
          expect(isStaged, staged).toBe(true);
          const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
          child.stdin.end();
          await ended;
          const result = await running.ended;
          expect(result.status, result.stderr).toBe(0);
          const flows = documentOf(documents.replace, result).maps.find(({ name }) => name === 'flows');
          expect(flows).toMatchObject({ fate: 'migrated', mayBeLost: 0 });
          using next = BpfMap.fromPin(mapPin(ground, 'flows'));
          const held = new Map([...old].map(([key, value]) => [key, value]));
          let compared = 0;
          for (const [key, value] of next) {
            if (Number(key) >= keys) continue;
            expect(value, `entry ${String(key)}`).toEqual({ ...Object(held.get(key)), bytes: 0n });
            compared++;
          }
          expect(compared).toBe(type.endsWith('ARRAY') ? keys : held.size);
          expect(compared).toBeGreaterThan(100);
        });
      },
    );

    it('refuses a map whose fields are others, with the differences, unless it may begin empty', async () => {
      const renamed = await compile('RELEASE=2', 'RENAMED=1');
      await onGround((ground) => {
        load(ground, ['filter']);
        ground.attach('f/filter', '--direct');
        ground.does('map', 'update', 'f/flows', '8', 'packets=800');
        const error = refuses(ground, 5, 'replace', 'f', renamed);
        expect(error.code).toBe('conflict');
        expect(error.message).toMatch(
          /^map 'flows' can be neither kept nor migrated: value.packets .* is gone/,
        );
        expect(error.hint).toContain('--new-map flows');
        expect(error.details['map']).toBe('flows');
        expect(JSON.stringify(error.details['differences'])).toMatch(/value\.packets.*value\.frames/);
        const { maps } = replaces(ground, renamed, '--new-map', 'flows');
        expect(maps.find(({ name }) => name === 'flows')).toMatchObject({ fate: 'new', entries: null });
        expect(ground.does('map', 'dump', 'f/flows', '--json').stdout).not.toContain('800');
      });
    });

    it('keeps a map with other names of its members when it is told to reuse it', async () => {
      const renamed = await compile('RELEASE=2', 'RENAMED=1');
      await onGround((ground) => {
        load(ground, ['filter']);
        ground.does('map', 'update', 'f/flows', '8', 'packets=800');
        const id = idOf(ground, 'flows');
        expect(fates(ground, renamed, '--reuse', 'flows=f/flows')['flows']).toBe('reused');
        expect(idOf(ground, 'flows')).toBe(id);
      });
    });

    it('says when entries do not fit into a smaller map, and changes nothing', async () => {
      const small = await compile('RELEASE=2', 'ENTRIES=2');
      await onGround((ground) => {
        load(ground, ['filter']);
        for (const key of [1, 2, 3]) ground.does('map', 'update', 'f/flows', `${key}`, `packets=${key}00`);
        const error = refuses(ground, 5, 'replace', 'f', small);
        expect(error.message).toMatch(/f\/flows/);
      });
    });

    it('says which maps are gone, and makes those that came', async () => {
      const without = await compile('RELEASE=2', 'WITHOUT=1');
      await onGround((ground) => {
        load(ground, ['filter', 'shape']);
        const result = ground.does('replace', 'f', without);
        expect(result.stdout).toContain('map passing: gone (the new object has no such map)\n');
        expect(ground.listed('f').maps.map(({ name }) => name)).toContain('fresh');
        expect(ground.listed('f').maps.map(({ name }) => name)).not.toContain('passing');
      });
    });

    it('gives a table of programs the new ones, its own and those that were put there', async () => {
      await onGround((ground) => {
        load(ground, ['filter', 'into_table', 'into_slot_3']);
        {
          using tails = BpfMap.fromPin(mapPin(ground, 'tails'));
          using tail = Program.fromPin(join(ground.bpffs.root.path, 'netkit/f/progs/tail'));
          tails.setReference(3, tail);
        }
        const runs = (program: string): number | undefined =>
          documentOf(
            documents['prog run'],
            ground.does('prog', 'run', `f/${program}`, '--hex', packet, '--json'),
          ).runs[0]?.verdict;
        expect([runs('into_table'), runs('into_slot_3')]).toEqual([10, 10]);
        expect(fates(ground, second)['tails']).toBe('refilled');
        expect([runs('into_table'), runs('into_slot_3')]).toEqual([20, 20]);
      });
    });

    it('keeps globals that programs write, but not one whose first value is another now', async () => {
      const level = await compile('RELEASE=2', 'LEVEL=7');
      await onGround((ground) => {
        load(ground, ['filter']);
        ground.does('prog', 'run', 'f/filter', '--hex', packet);
        expect(ground.entry('f/.bss', '0')).toMatchObject({ hits: 1 });
        const { maps } = replaces(ground, level);
        expect(maps.find(({ name }) => name === 'f.data')).toMatchObject({
          fate: 'new',
          reason: "'level' begins with another value",
        });
        expect(ground.entry('f/.bss', '0')).toMatchObject({ hits: 1 });
        expect(ground.entry('f/.data', '0')).toMatchObject({ level: 107 });
      });
    });

    it('takes over what was chosen at load, unless it is chosen anew', async () => {
      await onGround((ground) => {
        load(ground, ['filter'], first, '--set', 'verdict=1', '--map-size', 'flows=50');
        replaces(ground, second);
        const flows = () => ground.listed('f').maps.find(({ name }) => name === 'flows')?.maxEntries;
        const verdict = () =>
          documentOf(documents['prog run'], ground.does('prog', 'run', 'f/filter', '--hex', packet, '--json'))
            .runs[0]?.verdictName;
        expect([flows(), verdict()]).toEqual([50, 'drop']);
        replaces(ground, second, '--set', 'verdict=2');
        expect([flows(), verdict()]).toEqual([50, 'pass']);
        replaces(ground, second, '--map-size', 'flows=70', '--only', 'tail', '--only', 'shape');
        expect(flows()).toBe(70);
        expect(
          ground
            .listed('f')
            .programs.map(({ name }) => name)
            .sort(),
        ).toEqual(['shape', 'tail']);
      });
    });

    it('runs the packets of --test before it swaps, and swaps when each gets its verdict', async () => {
      await onGround((ground) => {
        load(ground, ['filter']);
        ground.attach('f/filter', '--direct');
        const file = join(objects.folder, 'pass.json');
        writeFileSync(
          file,
          JSON.stringify([
            { name: 'all pass', program: 'filter', packet, verdict: 'pass', output: packet },
            { program: 'tail', packet, verdict: 20 },
          ]),
        );
        expect(replaces(ground, second, '--test', file).tests).toBe(2);
      });
    });

    it('swaps nothing when a test of --test fails, and says which', async () => {
      await onGround((ground) => {
        load(ground, ['filter']);
        ground.attach('f/filter', '--direct');
        const file = join(objects.folder, 'fail.ndjson');
        const lines = [
          { program: 'filter', packet, verdict: 'pass' },
          { name: 'strangers', program: 'filter', packet, verdict: 'drop' },
          { program: 'filter', packet, verdict: 'pass', output: 'ff'.repeat(14) },
        ];
        writeFileSync(file, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
        const before = [ground.list(), ground.bpffs.pins()];
        const result = ground.netkit('replace', 'f', second, '--test', file);
        expect(result.status).toBe(1);
        expect(result.stderr).toBe(
          `${file}: line 2 (strangers), program 'filter': pass (2), expected drop (1)\n` +
            `${file}: line 3, program 'filter': the packet left as ${packet}, expected ${'ff'.repeat(14)}\n` +
            'netkit: 2 of 3 tests failed: nothing was swapped\n',
        );
        expect([ground.list(), ground.bpffs.pins()]).toEqual(before);
        const error = errorOf(ground.refuses(1, 'replace', 'f', second, '--test', file, '--json'));
        expect(error.details['failures']).toHaveLength(2);
      });
    });

    it('leaves nothing of its tests in a map that is migrated', async () => {
      await onGround((ground) => {
        load(ground, ['filter']);
        ground.does('map', 'update', 'f/flows', '1', 'packets=100');
        const file = join(objects.folder, 'migrating.json');
        writeFileSync(file, JSON.stringify([{ program: 'filter', packet, verdict: 'pass' }]));
        replaces(ground, grown, '--test', file);
        expect(ground.entry('f/flows', '1')).toEqual({ packets: 100, bytes: 0 });
      });
    });

    it('puts all links back when somebody else has changed one of them', async () => {
      await onGround((ground) => {
        load(ground, ['filter', 'shape']);
        ground.attach('f/filter', '--direct');
        ground.does('load', fixture('pass'), '--name', 'other');
        const links = join(ground.bpffs.root.path, 'netkit/f/links');
        const { a } = ground.veth;
        ground.does('attach', 'f/filter', a.ifname, '--netns', a.netns.name, '--direct');
        const [name = ''] = readdirSync(links)
          .filter((each) => each.includes(a.ifname))
          .slice(-1);
        const programsOn = (): number[] =>
          readdirSync(links).map((each) => {
            using link = Link.fromPin(join(links, each));
            return link.info().programId;
          });
        {
          using link = Link.fromPin(join(links, name));
          using other = Program.fromPin(join(ground.bpffs.root.path, 'netkit/other/progs/pass'));
          using own = Program.fromPin(join(ground.bpffs.root.path, 'netkit/f/progs/filter'));
          link.update(other, own);
        }
        const before = programsOn();
        expect(new Set(before).size).toBe(2);
        const error = refuses(ground, 5, 'replace', 'f', second);
        expect(error.code).toBe('conflict');
        expect(programsOn()).toEqual(before);
      });
    });

    itWith(
      { kernelHas: ['tcx'] },
      'swaps tcx in place: its link, its order and the programs beside it stay',
      async () => {
        await onGround((ground) => {
          load(ground, ['shape', 'leaving']);
          ground.does('load', fixture('tcx'), '--name', 'beside');
          ground.attach('beside/on_ingress');
          ground.attach('f/shape', '--first');
          ground.attach('f/leaving');
          const order = () =>
            documentOf(documents['link list'], ground.does('link', 'list', '--json')).links.map((link) => [
              link.id,
              link.hook,
              link.program.name,
            ]);
          const before = order();
          replaces(ground, second);
          expect(order()).toEqual(before);
          expect(ground.ping(3)).toBe(3);
          expect(ground.entry('f/kept', '2')).toBeGreaterThanOrEqual(6);
        });
      },
    );

    it('writes over a tc filter, which stays in its place', async () => {
      await onGround((ground) => {
        load(ground, ['shape']);
        ground.attach('f/shape', '--hook', 'tc/ingress');
        replaces(ground, second);
        expect(ground.ping(3)).toBe(3);
        expect(ground.entry('f/kept', '2')).toBeGreaterThanOrEqual(3);
        expect(ground.hooks().filter((text) => text.includes('shape'))).toHaveLength(1);
      });
    });

    itWith({ kernelHas: ['freplace'] }, 'swaps a member of an XDP chain, with its maps', async () => {
      await onGround((ground) => {
        load(ground, ['filter']);
        ground.does('load', fixture('pass'), '--name', 'other');
        ground.attach('f/filter', '--priority', '10');
        ground.attach('other');
        expect(ground.ping(3)).toBe(3);
        replaces(ground, second);
        expect(ground.ping(3)).toBe(3);
        expect(ground.entry('f/kept', '1')).toBeGreaterThanOrEqual(3);
        expect(ground.entry('f/kept', '2')).toBeGreaterThanOrEqual(3);
        expect(ground.listed('f').links[0]?.detail).toContain('priority 10');
      });
    });

    it('swaps a program of a cgroup', async () => {
      await onGround((ground) => {
        using cgroup = new TestCgroup();
        load(ground, ['connecting']);
        ground.does('attach', 'f', cgroup.path);
        const before = ground.listed('f').links[0]?.id;
        replaces(ground, second);
        expect(ground.listed('f').links[0]?.id).toBe(before);
      });
    });

    itWith(
      { kernelHas: ['perf-links'] },
      'has both programs of a tracepoint run for a moment, and says so',
      async () => {
        await onGround((ground) => {
          load(ground, ['traced']);
          ground.does('attach', 'f');
          const result = ground.does('replace', 'f', second);
          expect(result.stderr).toMatch(
            /cannot swap f\/traced on tracepoint.*for a moment both programs run/,
          );
          callGetpgid(2);
          expect(ground.entry('f/kept', '2')).toBeGreaterThanOrEqual(2);
        });
      },
    );

    itWith(
      { kernelHas: ['netfilter-links'] },
      'replaces a netfilter program with --allow-gap only',
      async () => {
        await onGround((ground) => {
          load(ground, ['hooked']);
          ground.does('attach', 'f', '--stage', 'input', '--netns', ground.netns.name);
          const error = refuses(ground, 6, 'replace', 'f', second);
          expect(error.hint).toContain('--allow-gap');
          const result = ground.does('replace', 'f', second, '--allow-gap');
          expect(result.stderr).toMatch(/for a moment neither program runs/);
          expect(ground.ping(2)).toBe(2);
          expect(ground.entry('f/kept', '2')).toBeGreaterThanOrEqual(2);
        });
      },
    );

    it('shows with --dry-run what would become of each map, and changes nothing', async () => {
      await onGround((ground) => {
        load(ground, ['filter']);
        const before = picture(ground);
        const text = ground.does('replace', 'f', grown, '--dry-run').stdout;
        expect(text).toContain('map kept: would be kept\n');
        expect(text).toMatch(/map flows: would be migrated \(.*entries 1000 became 60000.*\)/);
        expect(replaces(ground, grown, '--dry-run').dryRun).toBe(true);
        expect(picture(ground)).toEqual(before);
      });
    });

    it('refuses what it cannot do, and changes nothing', async () => {
      const without = await compile('RELEASE=2', 'WITHOUT=1');
      await onGround((ground) => {
        load(ground, ['filter', 'leaving']);
        ground.attach('f/filter', '--direct');
        ground.attach('f/leaving', '--hook', 'tc/egress');
        const tests = (name: string, text: string): string[] => {
          const path = join(objects.folder, name);
          writeFileSync(path, text);
          return ['--test', path];
        };
        const replace = ['replace', 'f', second];
        expect(refuses(ground, 5, 'replace', 'f', without).message).toMatch(/has no program 'leaving'/);
        expect(refuses(ground, 3, 'replace', 'g', second).message).toMatch(/'g'/);
        expect(refuses(ground, 3, 'replace', 'f', '/nonexistent.o').code).toBe('not-found');
        expect(refuses(ground, 1, 'replace', 'f', join(packageRoot(), 'package.json')).code).toBe(
          'bad-object',
        );
        expect(refuses(ground, 3, ...replace, '--new-map', 'flow').hint).toContain('flows');
        expect(refuses(ground, 3, ...replace, '--only', 'nothing').code).toBe('not-found');
        expect(refuses(ground, 3, ...replace, '--set', 'nothing=1').code).toBe('not-found');
        expect(refuses(ground, 3, ...replace, '--test', '/nonexistent').code).toBe('not-found');
        expect(refuses(ground, 2, ...replace, ...tests('none.json', '[]')).message).toMatch(/has no tests/);
        expect(refuses(ground, 2, ...replace, ...tests('torn.json', '{"packet":')).message).toMatch(/line 1/);
        const bad = (test: object, status = 2) =>
          refuses(ground, status, ...replace, ...tests('bad.json', JSON.stringify([test]))).message;
        expect(bad({ packet })).toMatch(/test 1: no test at 'verdict'/);
        expect(bad({ packet, verdict: 'pass' })).toMatch(/which program is meant/);
        expect(bad({ program: 'filter', packet: 'zz', verdict: 'pass' })).toMatch(/'z' is not a hexadecimal/);
        expect(bad({ program: 'filter', packet: 'aa', verdict: 'pass' })).toMatch(/too short/);
        expect(bad({ program: 'filter', packet, verdict: 'passs' })).toMatch(/no verdict of 'filter'/);
        expect(bad({ program: 'filter', verdict: 'pass' })).toMatch(/either "packet" or "pcap"/);
        expect(bad({ program: 'none', packet, verdict: 'pass' }, 3)).toMatch(/no program 'none'/);
        expect(bad({ program: 'filter', pcap: 'none.pcap', verdict: 'pass' }, 3)).toMatch(/none\.pcap/);
      });
    });
  },
  { tools: ['clang', 'ping', 'tc'] },
);
