/** Commands whose plans are of several parts, killed at each of their steps: what is left is taken back or finished. */
import { expect, it } from 'vitest';
import { TestCgroup } from '../support/cgroup.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { type KernelCapabilityName, kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { inAll } from '../support/sampling.js';
import { fixture, makeGround } from './ground.js';
import { compileOperate } from './hook-ground.js';
import {
  expectNothingLeft,
  type KilledCommand,
  killedAtEachStep,
  recoveryKilledAtEachStep,
  type Scenario,
} from './kill-ground.js';
import { compileBeforeAll } from './objects.js';
import { clearFilters, picture, prepare, type Stage, wordsOf } from './plan-ground.js';

/** Its commands are as `wordsOf` and `prepare` of the ground take them. */
interface PlanScenario extends Scenario {
  readonly what: string;
  readonly needs: readonly KernelCapabilityName[];
  /** The status with which it ends when nobody kills it. */
  readonly status?: number;
  /** `recover` would do the same again: the next command that changes something clears up. */
  readonly recovery?: readonly string[];
  readonly recoveryToo?: true;
}

const tc = `load ${fixture('tc')} --name f`;
const both = `load ${fixture('tcx')} --name f`;
const everything = [
  'LOAD --only connecting --only passing --only filter --only entered --only judged',
  'attach f/connecting CGROUP',
  'attach f/passing CGROUP --hook cgroup_skb/egress',
  'attach f/filter --netns NETNS --stage input',
  'attach f/entered',
  'attach f/judged @ --direct',
];
/** Filters of two functions; the qdisc was made for the first one. */
const onSharedQdisc = [
  tc,
  'attach f @ --hook tc/ingress',
  tc.replace('name f', 'name g'),
  'attach g @ --hook tc/egress',
];
const nextCommand = ['unload', 'nothing', '--if-exists'];

const scenarios: readonly PlanScenario[] = [
  {
    what: 'load --replace of a function on five hooks of four families',
    needs: ['netfilter-links', 'perf-links'],
    prepare: everything,
    command:
      'LOAD --only connecting --only passing --only filter --only entered --only judged --replace --allow-gap --set weight=7',
    recoveryToo: true,
  },
  {
    what: 'unload of a function on five hooks of four families',
    needs: ['netfilter-links', 'perf-links'],
    prepare: everything,
    command: 'unload f',
  },
  {
    what: 'attach between others',
    needs: ['tcx'],
    prepare: [both, both.replace('name f', 'name g'), 'attach g @', 'attach f/on_egress @ --first'],
    command: 'attach f/on_ingress @ --before g',
  },
  {
    what: 'attach in the place of a link that somebody else removed',
    needs: ['tcx'],
    prepare: [both, 'attach f @', 'KILL links/on_ingress-tcx-ingress-'],
    command: 'attach f @',
  },
  {
    what: 'detach of a filter whose qdisc passes to another function',
    needs: [],
    prepare: onSharedQdisc,
    command: 'detach f',
    recoveryToo: true,
  },
  {
    what: 'unload of a function whose qdisc passes to another function',
    needs: [],
    prepare: onSharedQdisc,
    command: 'unload f',
  },
  {
    what: 'load --replace that fails when one of its links is somebody else’s by now',
    needs: ['tcx'],
    prepare: [both, 'attach f/on_ingress @', 'attach f/on_egress @', 'TAKE links/on_egress-tcx-egress-'],
    command: `${both} --replace`,
    status: 5,
    recoveryToo: true,
  },
  {
    what: 'bringing back after a reboot',
    needs: [],
    prepare: [`${tc} --persist`, 'attach f @ --hook tc/ingress', 'attach f @ --hook tc/egress', 'REBOOT'],
    command: 'recover',
    recovery: nextCommand,
  },
];

describeAsRoot(
  'a netkit command with a plan of several parts that is killed',
  () => {
    let object: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      object = await compileOperate(objects);
    });

    async function reset(stage: Stage, scenario: PlanScenario): Promise<void> {
      await stage.ground.manages('unload', '--all', '--yes');
      await prepare(stage, scenario.prepare);
    }

    it.concurrent.for(scenarios)(
      '$what, at each of its steps, is taken back or finished',
      { timeout: 180_000 },
      async (scenario, context) => {
        const lack = scenario.needs.map(kernelLacks).find((each) => each !== undefined);
        context.skip(lack !== undefined, lack);
        using ground = makeGround();
        using cgroup = new TestCgroup();
        const stage = { ground, cgroup, object };
        const bare = ground.hooks();
        const command: KilledCommand = {
          ground,
          command: () => wordsOf(stage, scenario.command),
          reset: () => reset(stage, scenario),
          picture: () => picture(stage),
          most: 5,
          ...(scenario.status === undefined ? {} : { status: scenario.status }),
          ...(scenario.recovery === undefined ? {} : { recovery: scenario.recovery }),
        };
        const killed = await killedAtEachStep(command);
        if (scenario.status !== undefined) expect(killed.survived).toEqual(killed.beforehand);
        else if (!scenario.command.includes('--replace'))
          expect(killed.survived.comparable).not.toEqual(killed.beforehand.comparable);
        if (scenario.recoveryToo)
          expect(await recoveryKilledAtEachStep(command, killed)).toBeGreaterThan(inAll(4));
        await expectNothingLeft(ground);
        clearFilters(ground);
        expect(ground.hooks()).toEqual(bare);
      },
    );
  },
  { tools: ['clang', 'ping'] },
);
