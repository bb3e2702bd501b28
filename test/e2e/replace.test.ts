/** `netkit replace`: its options, its tests, and what it refuses. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { packageRoot } from '../../src/host/package-root.js';
import { describeAsRoot } from '../support/requirements.js';
import { documentOf, errorOf } from './ground.js';
import { onGround } from './hook-ground.js';
import { compileBeforeAll, type Objects } from './objects.js';
import { compileGrown, compileRelease, load, packet, picture, refuses, replaces } from './replace-ground.js';

describeAsRoot(
  '`netkit replace`',
  () => {
    let objects: Objects;
    let first: string;
    let second: string;
    let grown: string;

    compileBeforeAll(async (made) => {
      objects = made;
      first = await compileRelease(objects, 1);
      second = await compileRelease(objects, 2);
      grown = await compileGrown(objects);
    });

    it('takes over what was chosen at load, unless it is chosen anew', async () => {
      await onGround((ground) => {
        load(ground, first, ['filter'], '--set', 'verdict=1', '--map-size', 'flows=50');
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
        load(ground, first, ['filter']);
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
        load(ground, first, ['filter']);
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

    it('shows with --dry-run what would become of each map, and changes nothing', async () => {
      await onGround((ground) => {
        load(ground, first, ['filter']);
        const before = picture(ground);
        const text = ground.does('replace', 'f', grown, '--dry-run').stdout;
        expect(text).toContain('map kept: would be kept\n');
        expect(text).toMatch(/map flows: would be migrated \(.*entries 1000 became 60000.*\)/);
        expect(replaces(ground, grown, '--dry-run').dryRun).toBe(true);
        expect(picture(ground)).toEqual(before);
      });
    });

    it('refuses what it cannot do, and changes nothing', async () => {
      const without = await compileRelease(objects, 2, 'WITHOUT=1');
      await onGround((ground) => {
        load(ground, first, ['filter', 'leaving']);
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
