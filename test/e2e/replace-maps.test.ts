/** What `netkit replace` does with maps that can stay, and with those that cannot. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { BpfMap } from '../../src/ebpf/map.js';
import { Program } from '../../src/ebpf/program.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { documentOf, fixture } from './ground.js';
import { onGround } from './hook-ground.js';
import { compileBeforeAll, type Objects } from './objects.js';
import { compileRelease, fates, load, mapId, mapPin, packet, refuses, replaces } from './replace-ground.js';

describeAsRoot(
  '`netkit replace`, with maps that stay',
  () => {
    let objects: Objects;
    let first: string;
    let second: string;

    compileBeforeAll(async (made) => {
      objects = made;
      first = await compileRelease(objects, 1);
      second = await compileRelease(objects, 2);
    });

    it('keeps every map of the same definition, and what is in it, under XDP', async () => {
      await onGround((ground) => {
        load(ground, first, ['filter']);
        ground.attach('f/filter', '--direct');
        ground.does('map', 'update', 'f/kept', '7', '700');
        ground.does('map', 'update', 'f/flows', '8', 'packets=800');
        expect(ground.ping(3)).toBe(3);
        const ids = ['kept', 'flows', 'f.bss', 'f.data'].map((name) => mapId(ground, name));
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
        expect(['kept', 'flows', 'f.bss', 'f.data'].map((name) => mapId(ground, name))).toEqual(ids);
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

    it('refuses a map whose fields are others, with the differences, unless it may begin empty', async () => {
      const renamed = await compileRelease(objects, 2, 'RENAMED=1');
      await onGround((ground) => {
        load(ground, first, ['filter']);
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
      const renamed = await compileRelease(objects, 2, 'RENAMED=1');
      await onGround((ground) => {
        load(ground, first, ['filter']);
        ground.does('map', 'update', 'f/flows', '8', 'packets=800');
        const id = mapId(ground, 'flows');
        expect(fates(ground, renamed, '--reuse', 'flows=f/flows')['flows']).toBe('reused');
        expect(mapId(ground, 'flows')).toBe(id);
      });
    });

    it('says which maps are gone, and makes those that came', async () => {
      const without = await compileRelease(objects, 2, 'WITHOUT=1');
      await onGround((ground) => {
        load(ground, first, ['filter', 'shape']);
        const result = ground.does('replace', 'f', without);
        expect(result.stdout).toContain('map passing: gone (the new object has no such map)\n');
        expect(ground.listed('f').maps.map(({ name }) => name)).toContain('fresh');
        expect(ground.listed('f').maps.map(({ name }) => name)).not.toContain('passing');
      });
    });

    it('gives a table of programs the new ones, its own and those that were put there', async () => {
      await onGround((ground) => {
        load(ground, first, ['filter', 'into_table', 'into_slot_3']);
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
      const level = await compileRelease(objects, 2, 'LEVEL=7');
      await onGround((ground) => {
        load(ground, first, ['filter']);
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
  },
  { tools: ['clang', 'ping', 'tc'] },
);
