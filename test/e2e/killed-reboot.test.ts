/** Commands that are killed at each of their steps, after which the machine reboots before anybody recovers. */
import { expect, it } from 'vitest';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { fixture, makeGround } from './ground.js';
import { expectNothingLeft, runToStep } from './kill-ground.js';
import { clearFilters, picture, prepare, wordsOf } from './plan-ground.js';
import { reboot } from './reboot.js';

const tc = `load ${fixture('tc')} --name f`;

describeAsRoot(
  'a netkit command that is killed before a reboot',
  () => {
    expectUnchangedAfterAll();

    it.concurrent.for([
      { what: 'load', prepare: [], command: `${tc} --persist` },
      { what: 'load without --persist', prepare: [], command: tc, isForgotten: true },
      {
        what: 'load --replace',
        prepare: [`${tc} --persist`],
        command: `load ${fixture('pass')} --name f --replace`,
      },
      { what: 'attach', prepare: [`${tc} --persist`], command: 'attach f @ --hook tc/egress' },
      { what: 'unload', prepare: [`${tc} --persist`, 'attach f @ --hook tc/ingress'], command: 'unload f' },
    ])(
      '$what, killed at each of its steps and followed by a reboot, has happened or not',
      { timeout: 180_000 },
      async ({ prepare: commands, command, isForgotten = false }) => {
        using ground = makeGround();
        const stage = { ground };
        const start = async () => {
          await ground.manages('unload', '--all', '--yes');
          clearFilters(ground);
          await prepare(stage, commands);
        };
        const afterReboot = async () => {
          reboot(ground);
          clearFilters(ground);
          await ground.manages('recover');
          return picture(stage).comparable;
        };
        await start();
        const without = await afterReboot();
        await start();
        await prepare(stage, [command]);
        const withIt = await afterReboot();
        expect(JSON.stringify(withIt) === JSON.stringify(without)).toBe(isForgotten);
        let happened = '';
        for (let step = 0; ; step++) {
          await start();
          const ended = await runToStep(ground, wordsOf(stage, command), step);
          if (ended !== undefined) break;
          const now = await afterReboot();
          const didHappen = JSON.stringify(now) !== JSON.stringify(without);
          expect({ step, now }).toEqual({ step, now: didHappen ? withIt : without });
          happened += didHappen ? '+' : '-';
        }
        if (isForgotten) expect(happened.length).toBeGreaterThan(3);
        else expect(happened).toMatch(/^-+\++$/);
        await expectNothingLeft(ground);
      },
    );
  },
  { tools: ['clang', 'ping'] },
);
