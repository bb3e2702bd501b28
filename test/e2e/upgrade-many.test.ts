/** Upgrades one after another, and rollbacks: what is kept of former generations, and that nothing else is. */
import { appendFileSync, copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { documents } from '../../src/cli/schema/documents.js';
import { TestCgroup } from '../support/cgroup.js';
import { emulated, kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { isThorough } from '../support/sampling.js';
import { bpftool, documentOf, type Ground } from './ground.js';
import { eventually, onGround } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';

/** Fifty with NETKIT_TEST_THOROUGH, or another number in NETKIT_TEST_UPGRADES. */
const upgrades = Number(process.env['NETKIT_TEST_UPGRADES'] ?? (emulated ? 5 : isThorough ? 50 : 12));

vi.setConfig({ testTimeout: emulated ? 900_000 : 60_000 + upgrades * 10_000 });

const ingress = kernelLacks('tcx') === undefined ? 'tcx/ingress' : 'tc/ingress';

describeAsRoot(
  '`netkit upgrade`, again and again,',
  () => {
    let object: string;

    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/upgrade.bpf.c');
    });

    /** A release of the function `steady`: each has an object, a constant, a size and entries of its own. */
    function declares(ground: Ground, release: number, more: object = {}): string {
      const { folder } = ground.bpffs;
      const own = join(folder, `release-${release}.bpf.o`);
      copyFileSync(object, own);
      // Behind everything that is read: another object with the same contents.
      appendFileSync(own, Buffer.alloc(8, release));
      const where = { interfaces: [ground.ifname], netns: ground.netns.name };
      const document = {
        apiVersion: 'netkit/v1',
        kind: 'NetworkFunction',
        metadata: { name: 'steady' },
        spec: {
          program: { object: own, only: ['filter', 'tail', 'shape', 'connecting'] },
          globals: { weight: release },
          maps: {
            kept: { entries: { 900: release, [1000 + release]: release } },
            flows: { maxEntries: 1000 + (release % 2) },
          },
          attach: [
            { program: 'filter', hook: 'xdp', direct: true, ...where },
            { program: 'shape', hook: ingress, ...where },
          ],
          ...more,
        },
      };
      const path = join(folder, 'f.json');
      writeFileSync(path, JSON.stringify(document));
      return path;
    }

    it(`leaves two generations, and nothing grows: ${upgrades} of them`, async () => {
      using cgroup = new TestCgroup();
      await onGround(async (ground) => {
        const where = { interfaces: [ground.ifname], netns: ground.netns.name };
        const more = {
          attach: [
            { program: 'filter', hook: 'xdp', direct: true, ...where },
            { program: 'shape', hook: ingress, ...where },
            { program: 'connecting', hook: 'cgroup/connect4', target: cgroup.path },
          ],
          // Somebody waits beside the command, and goes with it.
          health: { probe: { map: 'kept', key: 900, op: '==', value: 0 }, settle: '20ms' },
        };
        ground.does('apply', '-f', declares(ground, 1, more));
        const upgrade = (release: number): void => {
          const path = declares(ground, release, more);
          const { functions } = documentOf(
            documents.upgrade,
            ground.does('upgrade', '-f', path, '--json', '--quiet'),
          );
          expect(functions).toMatchObject([{ verb: 'upgrade', generation: release }]);
        };
        upgrade(2);
        upgrade(3);
        const early = await census(ground);
        // A tc filter is no link.
        expect(early).toMatchObject({ links: ingress === 'tcx/ingress' ? 3 : 2 });
        const links = linkIds(ground);
        const size = stateSize(ground);
        for (let release = 4; release <= upgrades + 1; release++) upgrade(release);
        expect(await census(ground)).toEqual(early);
        expect(linkIds(ground)).toEqual(links);
        expect(generations(ground)).toEqual([upgrades, upgrades + 1]);
        await nobodyStays(ground);
        // Their numbers have a digit more.
        expect(Math.abs(stateSize(ground) - size)).toBeLessThan(256);

        // The latest one counts with its own weight, and has its own entries.
        expect(countedByOnePacket(ground)).toBe((upgrades + 1) * 2);
        expect(declaredEntries(ground)).toEqual([900, upgrades + 1001]);
        ground.does('rollback', 'steady');
        expect(await census(ground)).toEqual(early);
        expect(generations(ground)).toEqual([upgrades + 1, upgrades + 2]);
        expect(countedByOnePacket(ground)).toBe(upgrades * 2);
        expect(declaredEntries(ground)).toEqual([900, upgrades + 1000]);
        ground.does('delete', 'steady', '--yes');
      });
    });

    it('leaves nothing of former generations with --keep 1', async () => {
      await onGround(async (ground) => {
        ground.does('apply', '-f', declares(ground, 1), '--keep', '1');
        // Maps that are kept have the type information of the first object for ever.
        ground.does('upgrade', '-f', declares(ground, 2), '--keep', '1');
        const second = await census(ground);
        for (const release of [3, 4]) {
          ground.does('upgrade', '-f', declares(ground, release), '--keep', '1');
          expect(await census(ground)).toEqual(second);
        }
        expect(generations(ground)).toEqual([4]);
        const refused = ground.refuses(3, 'rollback', 'steady');
        expect(refused.stderr).toMatch(/^netkit: 'steady' has no former generation\nhint: /);
        ground.refuses(3, 'rollback', 'steady', '3');
        ground.refuses(3, 'rollback', 'steady', '4');
        expect(countedByOnePacket(ground)).toBe(8);
        ground.does('delete', 'steady', '--yes');
      });
    });

    it('leaves with --keep 5 five generations, and each of them comes back', async () => {
      await onGround(async (ground) => {
        for (const release of [1, 2, 3, 4, 5, 6, 7])
          ground.does('apply', '-f', declares(ground, release), '--keep', '5');
        expect(generations(ground)).toEqual([3, 4, 5, 6, 7]);
        ground.refuses(3, 'rollback', 'steady', '2');
        let next = 8;
        for (const generation of [3, 5, 7, 4, 6]) {
          ground.does('rollback', 'steady', String(generation), '--keep', '20');
          expect(generations(ground).at(-1)).toBe(next);
          expect(countedByOnePacket(ground)).toBe(generation * 2);
          expect(declaredEntries(ground)).toEqual([900, 1000 + generation]);
          next++;
        }
        // Each came back by another number, and is not kept by the old one beside.
        expect(generations(ground)).toEqual([8, 9, 10, 11, 12]);
        // One that came back can come back again.
        ground.does('rollback', 'steady', '8');
        expect(countedByOnePacket(ground)).toBe(6);
        expect(generations(ground)).toEqual([9, 10, 11, 12, 13]);
        // The manifest still says the seventh.
        const applied = ground.does('apply', '-f', join(ground.bpffs.folder, 'f.json'), '--json');
        expect(documentOf(documents.apply, applied).functions).toMatchObject([
          { verb: 'upgrade', generation: 14 },
        ]);
        expect(countedByOnePacket(ground)).toBe(14);
        ground.does('delete', 'steady', '--yes');
      });
    });

    it('takes along ten attachments and 100,000 entries that are kept', async () => {
      await onGround(async (ground) => {
        const interfaces = Array.from({ length: 10 }, (_, index) => `many${index}`);
        for (const ifname of interfaces)
          ground.netns.run('ip', ['link', 'add', ifname, 'type', 'veth', 'peer', 'name', `of-${ifname}`]);
        const count = emulated ? 10_000 : 100_000;
        const rows = Array.from({ length: count }, (_, index) => `${index + 5000},${index}`);
        writeFileSync(join(ground.bpffs.folder, 'kept.csv'), `key,value\n${rows.join('\n')}\n`);
        const more = {
          maps: { kept: { maxEntries: 200_000, keep: true, from: './kept.csv' } },
          attach: [{ program: 'shape', hook: ingress, interfaces: ['many*'], netns: ground.netns.name }],
        };
        ground.does('apply', '-f', declares(ground, 1, more));
        const before = { links: linkIds(ground), programs: runningPrograms(ground), map: keptId(ground) };
        expect(before.links).toHaveLength(10);
        const path = declares(ground, 2, more);
        const started = performance.now();
        ground.does('upgrade', '-f', path);
        console.log(
          `10 attachments and ${count} kept entries: upgraded within ${Math.round(performance.now() - started)} ms, start included`,
        );
        expect(linkIds(ground)).toEqual(before.links);
        expect(keptId(ground)).toBe(before.map);
        expect(new Set(runningPrograms(ground)).size).toBe(1);
        expect(runningPrograms(ground)).not.toContain(before.programs[0]);
        expect(declaredEntries(ground)).toHaveLength(count);
        ground.does('rollback', 'steady');
        expect(keptId(ground)).toBe(before.map);
        expect(declaredEntries(ground)).toHaveLength(count);
        ground.does('delete', 'steady', '--yes');
        for (const ifname of interfaces) ground.netns.run('ip', ['link', 'del', ifname]);
      });
    });
  },
  { tools: ['clang', 'ping'] },
);

/** How many kernel objects of each kind the function has, or has left behind, the pins, and the files of the state without their digests. */
async function census(ground: Ground): Promise<unknown> {
  let last = '';
  // The kernel frees a little later what nobody has any more.
  for (let same = 0; same < 4; ) {
    const now = JSON.stringify(counts(ground));
    same = now === last ? same + 1 : 0;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return JSON.parse(last);
}

const programNames = ['filter', 'tail', 'shape', 'connecting'];
// Not the table of programs: one that was listed just while it went is never freed by some kernels.
const mapNames = ['kept', 'flows', 'passing', 'steady.rodata', 'steady.data', 'steady.bss'];

const shown = z.array(
  z.looseObject({
    id: z.int(),
    name: z.string().optional(),
    btf_id: z.int().optional(),
    prog_id: z.int().optional(),
  }),
);

function counts(ground: Ground): unknown {
  const all = (kind: string) => shown.parse(bpftool(kind, 'show'));
  const programs = all('prog').filter(({ name = '' }) => programNames.includes(name));
  const maps = all('map').filter(({ name = '' }) => mapNames.includes(name));
  const ids = new Set(programs.map(({ id }) => id));
  return {
    programs: programs.length,
    maps: maps.length,
    links: all('link').filter(({ prog_id }) => prog_id !== undefined && ids.has(prog_id)).length,
    types: new Set([...programs, ...maps].map(({ btf_id }) => btf_id)).size,
    pins: ground.bpffs.pins().sort(),
    files: readdirSync(ground.bpffs.stateDir)
      .map((file) => file.replace(/[0-9a-f]{12}/, '#'))
      .sort(),
  };
}

function stateSize({ bpffs: { stateDir } }: Ground): number {
  return readdirSync(stateDir).reduce((sum, file) => sum + statSync(join(stateDir, file)).size, 0);
}

function generations(ground: Ground): number[] {
  const { functions } = documentOf(documents.status, ground.does('status', 'steady', '--json'));
  return functions.flatMap(({ former, generation }) =>
    [...former, ...(generation === null ? [] : [generation])].map(({ number }) => number),
  );
}

function linkIds(ground: Ground): (number | null)[] {
  return ground.listed('steady').links.map(({ id }) => id);
}

function runningPrograms(ground: Ground): (number | null)[] {
  return ground.listed('steady').links.map(({ program }) => program.id);
}

function keptId(ground: Ground): number | null | undefined {
  return ground.listed('steady').maps.find(({ name }) => name === 'kept')?.id;
}

const counted = z.looseObject({ hits: z.int() });

/** One packet passes the programs for XDP and for tc. What the kernel sends by itself passes too. */
function countedByOnePacket(ground: Ground): number {
  const hits = () => counted.parse(ground.entry('steady/.bss', '0')).hits;
  ground.ping(1);
  const before = hits();
  expect(ground.ping(1)).toBe(1);
  return hits() - before;
}

const dumped = z.looseObject({ entries: z.array(z.looseObject({ key: z.int() })) });

/** Keys of what is declared: programs count by smaller ones. */
function declaredEntries(ground: Ground): number[] {
  const { entries } = dumped.parse(ground.does('map', 'dump', 'steady/kept', '--json').json());
  return entries
    .map(({ key }) => key)
    .filter((key) => key >= 900)
    .sort((one, other) => one - other);
}

/** No process of netkit's that knows of this state is left. */
function nobodyStays({ bpffs: { stateDir } }: Ground): Promise<void> {
  return eventually('no process is left', () =>
    readdirSync('/proc').every((process) => {
      if (!/^\d+$/.test(process) || Number(process) === globalThis.process.pid) return true;
      try {
        const text = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${process}/${file}`, 'utf8'));
        return !text.join().includes(stateDir);
      } catch {
        // It has gone meanwhile.
        return true;
      }
    }),
  );
}
