/** Commands on hooks beside interfaces, killed at each of their steps: what is left is taken back or finished. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { documents } from '../../src/cli/schema/documents.js';
import { TestCgroup } from '../support/cgroup.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { type KernelCapabilityName, kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot, ownProcessId } from '../support/requirements.js';
import { documentOf, type Ground, makeGround, Objects } from './ground.js';
import { callGetpgid, compileOperate, hitsOf } from './hook-ground.js';

/** In commands `CGROUP` and `NETNS` stand for those of the test, `LOAD` for loading the one program. */
interface Scenario {
  readonly what: string;
  readonly program: string;
  readonly prepare: readonly string[];
  readonly command: string;
  readonly needs?: KernelCapabilityName;
}

const replace = 'LOAD --replace --allow-gap --reuse sockets=f/sockets --set weight=1000';
const families: readonly {
  readonly program: string;
  readonly attach: string;
  readonly needs?: KernelCapabilityName;
}[] = [
  { program: 'connecting', attach: 'attach f CGROUP' },
  { program: 'steer', attach: 'attach f --netns NETNS' },
  { program: 'entered', attach: 'attach f', needs: 'perf-links' },
  { program: 'raw', attach: 'attach f' },
  { program: 'tick', attach: 'attach f cpu-clock@50', needs: 'perf-links' },
  { program: 'filter', attach: 'attach f --netns NETNS --stage input', needs: 'netfilter-links' },
  { program: 'message', attach: 'attach f f/sockets', needs: 'sockmap-links' },
];

const scenarios = families.flatMap(({ program, attach, needs }): Scenario[] => {
  const common = { program, ...(needs === undefined ? {} : { needs }) };
  return [
    { ...common, what: 'attach', prepare: ['LOAD'], command: attach },
    { ...common, what: 'detach', prepare: ['LOAD', attach], command: 'detach f' },
    { ...common, what: 'load --replace', prepare: ['LOAD', attach], command: replace },
    { ...common, what: 'unload', prepare: ['LOAD', attach], command: 'unload f' },
  ];
});

interface Picture {
  readonly functions: string;
  readonly pins: readonly string[];
  readonly files: readonly string[];
  /** By how much ten calls count, for a program that is told of them. */
  readonly counted: number;
}

describeAsRoot(
  'a netkit command on a cgroup, a namespace, an event or a map that is killed',
  () => {
    const owned = new Scope();
    let object: string;
    let before: KernelState;

    beforeAll(async () => {
      object = await compileOperate(owned.use(new Objects()));
      before = snapshotKernelState();
    });
    afterAll(async () => {
      owned[Symbol.dispose]();
      await expectUnchanged(before);
    });

    /** What a scenario is played on. */
    interface Stage {
      readonly ground: Ground;
      readonly cgroup: TestCgroup;
      readonly scenario: Scenario;
    }

    function wordsOf({ ground, cgroup, scenario }: Stage, command: string): string[] {
      const load = ['load', object, '--name', 'f', '--only', scenario.program];
      return command.split(' ').flatMap((word) => {
        if (word === 'LOAD') return [...load, '--set', `only_process=${process.pid}`];
        return word === 'CGROUP' ? [cgroup.path] : word === 'NETNS' ? [ground.netns.name] : [word];
      });
    }

    async function reset(stage: Stage): Promise<void> {
      await stage.ground.manages('unload', 'f', '--if-exists');
      for (const command of stage.scenario.prepare) await stage.ground.manages(...wordsOf(stage, command));
    }

    function picture({ ground, scenario }: Stage): Picture {
      const { functions } = documentOf(documents.list, ground.does('list', '--json'));
      const unstable = ['id', 'btfId', 'loadedAt', 'tag'];
      return {
        functions: JSON.stringify(
          functions,
          (key, value: unknown) => (unstable.includes(key) ? undefined : key === 'mapIds' ? [] : value),
          1,
        ),
        pins: ground.bpffs.pins(),
        files: readdirSync(ground.bpffs.stateDir).sort(),
        counted: functions.length > 0 && scenario.program === 'entered' ? hitsOfTen(ground) : 0,
      };
    }

    function hitsOfTen(ground: Ground): number {
      const start = hitsOf(ground, 'f');
      callGetpgid(10);
      return hitsOf(ground, 'f') - start;
    }

    it.for(scenarios)(
      '$what of $program, at each of its steps, is taken back or finished',
      { timeout: 180_000 },
      async (scenario, context) => {
        const lack = scenario.needs === undefined ? undefined : kernelLacks(scenario.needs);
        context.skip(lack !== undefined, lack);
        using ground = makeGround();
        using cgroup = new TestCgroup();
        const stage = { ground, cgroup, scenario };
        await reset(stage);
        const beforehand = picture(stage);
        const finished: Picture[] = [];
        const outcomes: string[] = [];
        for (let step = 0; ; step++) {
          expect(step, 'steps of one command').toBeLessThan(30);
          const killed = await ground.runs(wordsOf(stage, scenario.command), {
            NETKIT_TEST_KILL_STEP: String(step),
          });
          if (killed !== undefined) {
            expect(killed.status, killed.stderr).toBe(0);
            break;
          }
          const { commands } = documentOf(documents.recover, await ground.manages('recover', '--json'));
          const outcome = commands[0]?.outcome ?? 'nothing';
          outcomes.push(outcome);
          if (outcome === 'undone') {
            expect({ step, ...picture(stage) }).toEqual({ step, ...beforehand });
          } else {
            finished.push(picture(stage));
            await reset(stage);
          }
        }
        expect(outcomes.join(' ')).toMatch(/^(undone )+(finished )+nothing$/);
        const survived = picture(stage);
        if (scenario.command !== replace) expect(survived).not.toEqual(beforehand);
        else if (scenario.program === 'entered') expect(survived.counted).toBe(10_000);
        for (const each of finished) expect(each).toEqual(survived);
        await ground.manages('unload', 'f', '--if-exists');
        expect(ground.bpffs.pins()).toEqual([]);
        expect(readdirSync(ground.bpffs.stateDir)).toEqual(['lock']);
      },
    );
  },
  { tools: ['clang', 'ping'], ...ownProcessId },
);
