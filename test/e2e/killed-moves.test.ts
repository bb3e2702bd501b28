/** A link of the kernel's own order that gets another place, killed at each of its steps, and on its way back. */
import { expect, it } from 'vitest';
import { queryOrder } from '../../src/ebpf/order.js';
import { Program } from '../../src/ebpf/program.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { fixture, type Ground, makeGround } from './ground.js';
import {
  expectNothingLeft,
  type KilledCommand,
  killedAtEachStep,
  recoveryKilledAtEachStep,
} from './kill-ground.js';
import { picture, prepare, wordsOf } from './plan-ground.js';

const load = `load ${fixture('tcx')} --only on_ingress --name`;
/** `f` between two others. */
const three = ['a', 'f', 'z'].flatMap((name, index) => [
  `${load} ${name}`,
  `attach ${name} @ --priority ${(index + 1) * 20}`,
]);

const moves = [
  { what: 'to the end', prepare: three, command: 'link update f @ --priority 90' },
  { what: 'to the front', prepare: three, command: 'link update f @ --priority 5' },
];

describeAsRoot(
  'a link of tcx that moves',
  () => {
    expectUnchangedAfterAll();

    it.for(moves)(
      '$what, killed at each of its steps and of the steps of its recovery, runs at each moment and is then moved or not',
      { timeout: 240_000 },
      async (move) => {
        using ground = makeGround();
        const stage = { ground };
        const bare = ground.hooks();
        const command: KilledCommand = {
          ground,
          command: () => wordsOf(stage, move.command),
          async reset() {
            await ground.manages('unload', '--all', '--yes');
            await prepare(stage, move.prepare);
          },
          picture: () => picture(stage),
          // All: there are few.
          most: 80,
          left: () => expectAllRun(ground),
        };
        const killed = await killedAtEachStep(command);
        expect(killed.survived.comparable).not.toEqual(killed.beforehand.comparable);
        expect(killed.endings.join(' ')).toMatch(/^(undone )+(finished )+nothing$/);
        expect([...killed.families]).toContain('tcx rearrange');
        const kills = await recoveryKilledAtEachStep(command, killed);
        expect(kills).toBeGreaterThan(3);
        process.stderr.write(
          `${move.command}: killed at ${killed.steps.length} steps, and ${kills} recoveries\n`,
        );
        await expectNothingLeft(ground);
        expect(ground.hooks()).toEqual(bare);
      },
    );
  },
  { tools: ['ping'], kernelHas: ['tcx'] },
);

/** The others are in their order, and the one that moves is there once, or twice for a moment. */
function expectAllRun({ bpffs, ifname, netns }: Ground): void {
  const names = new Map(
    ['a', 'z', 'f'].map((name) => {
      using program = Program.fromPin(`${bpffs.root.path}/netkit/${name}/progs/on_ingress`);
      return [program.info().id, name];
    }),
  );
  const { entries } = queryOrder({ hook: 'tcx', ifname, direction: 'ingress', netns: netns.handle });
  // What moves is loaded once more.
  const order = entries.map(({ programId }) => names.get(programId) ?? 'f').join('');
  expect(order.replaceAll('f', '')).toBe('az');
  expect(order).toMatch(/^[az]*f[az]*f?[az]*$/);
}
