/** `netkit replace`, killed at each of its steps: what is left is taken back or finished, with everything in the maps. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BpfMap } from '../../src/ebpf/map.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { inAll } from '../support/sampling.js';
import { type Ground, makeGround } from './ground.js';
import {
  expectNothingLeft,
  type KilledCommand,
  killedAtEachStep,
  killedKinds,
  listedBothWays,
  type Picture,
  recoveryKilledAtEachStep,
  remains,
} from './kill-ground.js';
import { compileBeforeAll, type Objects } from './objects.js';

const packet = '00'.repeat(14);

describeAsRoot(
  '`netkit replace` that is killed',
  () => {
    let objects: Objects;
    let first: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (made) => {
      objects = made;
      first = await objects.compile('test/fixtures/upgrade.bpf.c', ['RELEASE=1']);
    });

    async function reset(ground: Ground): Promise<void> {
      await ground.manages('unload', 'f', '--if-exists');
      const programs = ['filter', 'tail', 'shape', 'traced'].flatMap((program) => ['--only', program]);
      await ground.manages('load', first, '--name', 'f', ...programs);
      await ground.manages('attach', 'f/filter', ...ground.place, '--direct');
      await ground.manages('attach', 'f/shape', ...ground.place, '--hook', 'tc/ingress');
      if (kernelLacks('tcx') === undefined) await ground.manages('attach', 'f/shape', ...ground.place);
      if (kernelLacks('perf-links') === undefined) await ground.manages('attach', 'f/traced');
      await ground.manages('map', 'update', 'f/kept', '77', '7700');
      await ground.manages('map', 'update', 'f/flows', '88', 'packets=8800');
    }

    async function picture(ground: Ground): Promise<Picture> {
      const listed = listedBothWays(ground);
      const comparable = {
        functions: listed.comparable,
        ...remains(ground),
        kept: entryOf(ground, 'kept', 77),
        flow: entryOf(ground, 'flows', 88),
        answered: await ground.pings(),
      };
      // A link that could only overlap is another one when it has been put back.
      const exact = JSON.stringify(JSON.parse(String(listed.exact)), (key, value: unknown) =>
        key === 'links' ? [] : value,
      );
      return { exact, comparable };
    }

    /** Read in this process, more often than anything else. */
    function entryOf({ bpffs }: Ground, name: string, key: number): string {
      using map = BpfMap.fromPin(join(bpffs.root.path, 'netkit/f/maps', name));
      return JSON.stringify(map.get(key), (_, value: unknown) =>
        typeof value === 'bigint' || typeof value === 'number' ? String(value) : value,
      ).replace(/^"(\d+)"$/, '$1');
    }

    it.each([
      ['with maps that stay', ['RELEASE=2']],
      ['with a map that is migrated', ['RELEASE=2', 'ENTRIES=2000', 'APPENDED=1']],
    ])(
      '%s, at each of its steps, is taken back or finished by recover',
      async (_what, defines) => {
        using ground = makeGround();
        const object = await objects.compile('test/fixtures/upgrade.bpf.c', defines);
        const tests = join(objects.folder, 'killed.json');
        writeFileSync(tests, JSON.stringify([{ program: 'filter', packet, verdict: 'pass' }]));
        const bare = ground.hooks();
        const command: KilledCommand = {
          ground,
          command: () => ['replace', 'f', object, '--test', tests],
          reset: () => reset(ground),
          picture: () => picture(ground),
        };
        const killed = await killedAtEachStep(command);
        expect(killed.survived.comparable).toMatchObject({
          kept: '7700',
          flow: expect.stringContaining('"packets":"8800"'),
        });
        if (defines.length > 1) {
          expect([...killed.kinds]).toEqual(expect.arrayContaining([...killedKinds(import.meta.url)]));
          expect(await recoveryKilledAtEachStep(command, killed)).toBeGreaterThan(inAll(20));
        }
        await expectNothingLeft(ground);
        expect(ground.hooks()).toEqual(bare);
      },
      240_000,
    );
  },
  { tools: ['clang', 'ping', 'tc'] },
);
