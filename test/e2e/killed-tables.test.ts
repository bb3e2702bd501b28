/**
 * Tables of callbacks without a link, by commands that are killed at each of their steps. The kernel takes each table once:
 * what is undone is loaded anew before the next step.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { type Ground, makeGround } from './ground.js';
import { hookLack } from './hook-ground.js';
import { endingOf, expectNothingLeft, listedBothWays, remains, runToStep } from './kill-ground.js';
import { compileBeforeAll } from './objects.js';

const name = 'netkit_bare';
const lack = hookLack('struct_ops');

describeAsRoot(
  'a netkit command on a table without a link that is killed',
  () => {
    let object: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/hooks/congestion.bpf.c', [`NAME="${name}"`]);
    });

    /** What netkit lists, and whether the kernel has the table's congestion control. */
    function picture(ground: Ground): object {
      const known = readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').trim();
      return {
        functions: listedBothWays(ground).comparable,
        ...remains(ground),
        isThere: known.split(' ').includes(name),
      };
    }

    it.for([
      { command: 'attach', prepare: ['LOAD'], there: [false, true] },
      { command: 'detach', prepare: ['LOAD', 'attach f'], there: [true, false] },
      { command: 'unload', prepare: ['LOAD', 'attach f'], there: [true, false] },
    ])(
      '$command, at each of its steps, is taken back or finished',
      { timeout: 180_000 },
      async ({ command, prepare, there }, context) => {
        context.skip(lack !== undefined, lack);
        using ground = makeGround();
        const endings: string[] = [];
        const seen: object[] = [];
        let beforehand: object | undefined;
        for (let step = 0; ; step++) {
          await ground.manages('unload', '--all', '--yes');
          for (const line of prepare)
            await ground.manages(...ground.wordsOf(line, { LOAD: ['load', object, '--name', 'f'] }));
          beforehand = picture(ground);
          expect(beforehand).toMatchObject({ isThere: there[0] });
          const ended = await runToStep(ground, [command, 'f'], step);
          if (ended !== undefined) {
            expect(ended.status, ended.stderr).toBe(0);
            break;
          }
          const said = await ground.manages('recover', '--json');
          endings.push(endingOf(said.stdout + said.stderr));
          const now = picture(ground);
          if (endings[step] === 'undone') expect({ step, ...now }).toEqual({ step, ...beforehand });
          else seen.push({ step, ...now });
        }
        const survived = picture(ground);
        expect(survived).toMatchObject({ isThere: there[1] });
        for (const now of seen) expect(now).toMatchObject(survived);
        expect(endings.join(' ')).toMatch(/^(undone )+(finished )+nothing$/);
        await expectNothingLeft(ground);
      },
    );
  },
  { tools: ['clang'] },
);
