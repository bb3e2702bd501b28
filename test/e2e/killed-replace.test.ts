/** `netkit replace`, killed at each of its steps: what is left is taken back or finished, with everything in the maps. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { documents } from '../../src/cli/schema/documents.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { documentOf, type Ground, makeGround, Objects } from './ground.js';

const packet = '00'.repeat(14);

describeAsRoot(
  '`netkit replace` that is killed',
  () => {
    const owned = new Scope();
    let objects: Objects;
    let first: string;
    let before: KernelState;

    beforeAll(async () => {
      objects = owned.use(new Objects());
      first = await objects.compile('test/fixtures/upgrade.bpf.c', ['RELEASE=1']);
      before = snapshotKernelState();
    });
    afterAll(async () => {
      owned[Symbol.dispose]();
      await expectUnchanged(before);
    });

    async function reset(ground: Ground): Promise<void> {
      await ground.manages('unload', 'f', '--if-exists');
      const programs = ['filter', 'tail', 'shape', 'traced'].flatMap((program) => ['--only', program]);
      await ground.manages('load', first, '--name', 'f', ...programs);
      const where = [ground.ifname, '--netns', ground.netns.name];
      await ground.manages('attach', 'f/filter', ...where, '--direct');
      await ground.manages('attach', 'f/shape', ...where, '--hook', 'tc/ingress');
      if (kernelLacks('tcx') === undefined) await ground.manages('attach', 'f/shape', ...where);
      if (kernelLacks('perf-links') === undefined) await ground.manages('attach', 'f/traced');
      await ground.manages('map', 'update', 'f/kept', '77', '7700');
      await ground.manages('map', 'update', 'f/flows', '88', 'packets=8800');
    }

    async function picture(ground: Ground) {
      const listed = await ground.manages('list', '--json');
      const { functions } = documentOf(documents.list, listed);
      const unstable = ['id', 'btfId', 'loadedAt'];
      const flows = await ground.manages('map', 'get', 'f/flows', '88', '--json');
      return {
        // A link that could only overlap is another one when it has been put back.
        exact: JSON.stringify(functions.map(({ programs, maps }) => [programs, maps])),
        functions: JSON.stringify(
          functions,
          (key, value: unknown) => (unstable.includes(key) ? undefined : key === 'mapIds' ? [] : value),
          1,
        ),
        pins: ground.bpffs.pins(),
        files: readdirSync(ground.bpffs.stateDir).sort(),
        kept: ground.entry('f/kept', '77'),
        flow: documentOf(documents['map get'], flows).value,
        answered: await ground.pings(),
      };
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
        await reset(ground);
        let beforehand = await picture(ground);
        const finished: object[] = [];
        const outcomes: string[] = [];
        for (let step = 0; ; step++) {
          expect(step, 'steps of one command').toBeLessThan(40);
          const killed = await ground.runs(['replace', 'f', object, '--test', tests], {
            NETKIT_TEST_KILL_STEP: String(step),
          });
          if (killed !== undefined) {
            expect(killed.status, killed.stderr).toBe(0);
            break;
          }
          const said = await ground.manages('recover', '--json');
          const outcome = /"outcome": ?"(\w+)"/.exec(said.stdout)?.[1] ?? 'nothing';
          outcomes.push(outcome);
          const now = await picture(ground);
          if (outcome === 'undone') expect({ step, ...now }).toEqual({ step, ...beforehand });
          else {
            const { exact: _, ...comparable } = now;
            finished.push(comparable);
            await reset(ground);
            beforehand = await picture(ground);
          }
        }
        expect(outcomes.join(' ')).toMatch(/^(undone )+(finished )+nothing$/);
        const { exact: _, ...survived } = await picture(ground);
        for (const each of finished) expect(each).toEqual(survived);
        expect(survived.kept).toBe(7700);
        expect(survived.flow).toMatchObject({ packets: 8800 });
        console.log(
          `${outcomes.length} steps: ${outcomes.filter((each) => each === 'undone').length} undone`,
        );
        await ground.manages('unload', 'f');
        expect(ground.bpffs.pins()).toEqual([]);
        expect(ground.hooks()).toEqual(bare);
        expect(readdirSync(ground.bpffs.stateDir)).toEqual(['lock']);
      },
      240_000,
    );
  },
  { tools: ['clang', 'ping', 'tc'] },
);
