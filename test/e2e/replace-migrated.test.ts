/** `netkit replace` of an object whose map is another size: its entries go over to the new one. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { BpfMap } from '../../src/ebpf/map.js';
import { packageRoot } from '../../src/host/package-root.js';
import { describeAsRoot } from '../support/requirements.js';
import { documentOf } from './ground.js';
import { onGround } from './hook-ground.js';
import { compileBeforeAll, type Objects } from './objects.js';
import { compileGrown, compileRelease, load, mapPin, packet, refuses, replaces } from './replace-ground.js';

describeAsRoot(
  '`netkit replace`, with a map that is migrated',
  () => {
    let objects: Objects;
    let first: string;
    let grown: string;

    compileBeforeAll(async (made) => {
      objects = made;
      first = await compileRelease(objects, 1);
      grown = await compileGrown(objects);
    });

    it('migrates a map that has grown, zeros behind what there was, and says how many entries', async () => {
      await onGround((ground) => {
        load(ground, first, ['filter']);
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
          await compileRelease(objects, 1, `FLOWS=${type}`, 'ENTRIES=20000'),
          await compileRelease(objects, 2, `FLOWS=${type}`, 'ENTRIES=60000', 'APPENDED=1'),
        ];
        await onGround(async (ground) => {
          load(ground, from, ['filter']);
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

    it('says when entries do not fit into a smaller map, and changes nothing', async () => {
      const small = await compileRelease(objects, 2, 'ENTRIES=2');
      await onGround((ground) => {
        load(ground, first, ['filter']);
        for (const key of [1, 2, 3]) ground.does('map', 'update', 'f/flows', `${key}`, `packets=${key}00`);
        const error = refuses(ground, 5, 'replace', 'f', small);
        expect(error.message).toMatch(/f\/flows/);
      });
    });

    it('leaves nothing of its tests in a map that is migrated', async () => {
      await onGround((ground) => {
        load(ground, first, ['filter']);
        ground.does('map', 'update', 'f/flows', '1', 'packets=100');
        const file = join(objects.folder, 'migrating.json');
        writeFileSync(file, JSON.stringify([{ program: 'filter', packet, verdict: 'pass' }]));
        replaces(ground, grown, '--test', file);
        expect(ground.entry('f/flows', '1')).toEqual({ packets: 100, bytes: 0 });
      });
    });
  },
  { tools: ['clang', 'ping', 'tc'] },
);
