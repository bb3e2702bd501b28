/** Commands on hooks beside interfaces, killed at each of their steps: what is left is taken back or finished. */
import { expect, it } from 'vitest';
import { TestCgroup } from '../support/cgroup.js';
import { tcActionLack } from '../support/kernel-config.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot, ownProcessId } from '../support/requirements.js';
import { inAll } from '../support/sampling.js';
import { type Ground, makeGround } from './ground.js';
import { callGetpgid, hitsOf, hookLack } from './hook-ground.js';
import {
  expectNothingLeft,
  type KilledCommand,
  killedAtEachStep,
  listedBothWays,
  type Picture,
  prepareAnew,
  recoveryKilledAtEachStep,
  remains,
  type Scenario,
} from './kill-ground.js';
import { compileBeforeAll } from './objects.js';

/**
 * In commands `CGROUP` and `NETNS` stand for those of the test, `LOAD` for loading the one program, or the whole object where
 * none is named.
 */
interface HookScenario extends Family, Scenario {
  readonly what: string;
  /** Whether `command` puts another load into the place. */
  readonly replaces: boolean;
}

/** What is killed of one family of hooks. */
interface Family {
  readonly object: keyof typeof sources;
  readonly program?: string;
  readonly attach: string;
  /** Maps that a replacement has to keep. */
  readonly reuse?: string;
  /** Why this kernel does not have it. */
  readonly lack?: string | undefined;
}

const sources = {
  operate: ['test/fixtures/operate.bpf.c'],
  further: ['test/fixtures/further-kinds.bpf.c'],
  bareTable: ['test/fixtures/hooks/congestion.bpf.c'],
} as const;

const families: readonly Family[] = [
  { object: 'operate', program: 'connecting', attach: 'attach f CGROUP' },
  { object: 'operate', program: 'steer', attach: 'attach f --netns NETNS' },
  { object: 'operate', program: 'entered', attach: 'attach f', lack: kernelLacks('perf-links') },
  { object: 'operate', program: 'raw', attach: 'attach f' },
  { object: 'operate', program: 'tick', attach: 'attach f cpu-clock@50', lack: kernelLacks('perf-links') },
  {
    object: 'operate',
    program: 'filter',
    attach: 'attach f --netns NETNS --stage input',
    lack: kernelLacks('netfilter-links'),
  },
  {
    object: 'operate',
    program: 'message',
    attach: 'attach f f/sockets',
    reuse: 'sockets',
    lack: kernelLacks('sockmap-links'),
  },
  {
    object: 'further',
    program: 'act',
    attach: 'attach f @ --hook action/ingress --priority 7',
    lack: tcActionLack(),
  },
];

/** The kernel knows one table of this name: its scenarios come one after the other. */
const table: Family = { object: 'bareTable', attach: 'attach f', lack: hookLack('struct_ops') };

function scenariosOf(family: Family): HookScenario[] {
  const { attach, object, reuse } = family;
  const kept = reuse === undefined ? '' : ` --reuse ${reuse}=f/${reuse}`;
  const weight = family.program === undefined ? '' : ' --set weight=1000';
  const attached = { ...family, prepare: ['LOAD', attach], replaces: false };
  const replacing = `LOAD --replace --allow-gap${kept}${weight}`;
  return [
    // A table without a link that was attached and taken back cannot be attached again: no two steps of it are alike.
    ...(object === 'bareTable' ? [] : [{ ...attached, what: 'attach', prepare: ['LOAD'], command: attach }]),
    // That of the others is part of their unloading.
    ...(object === 'further' ? [{ ...attached, what: 'detach', command: 'detach f' }] : []),
    // A table without a link cannot be replaced.
    ...(object === 'bareTable'
      ? []
      : [{ ...attached, what: 'load --replace', command: replacing, replaces: true }]),
    { ...attached, what: 'unload', command: 'unload f' },
  ].map((scenario) => ({ ...scenario, what: `${scenario.what} of ${family.program ?? object}` }));
}

describeAsRoot(
  'a netkit command on a cgroup, a namespace, an event or a map that is killed',
  () => {
    const objects = new Map<string, string>();

    expectUnchangedAfterAll();
    compileBeforeAll(async (made) => {
      for (const [name, [source, ...defines]] of Object.entries(sources))
        objects.set(name, await made.compile(source, defines));
    });

    /** What a scenario is played on. */
    interface Stage {
      readonly ground: Ground;
      readonly cgroup: TestCgroup;
      readonly scenario: HookScenario;
    }

    function meaningsOn({ ground, cgroup, scenario }: Stage): Record<string, readonly string[]> {
      const { program, object } = scenario;
      const only = ['--only', program ?? '', '--set', `only_process=${process.pid}`];
      return {
        LOAD: [
          ...['load', objects.get(object) ?? '', '--name', 'f'],
          ...(program === undefined ? [] : object === 'operate' ? only : only.slice(0, 2)),
        ],
        CGROUP: [cgroup.path],
        NETNS: [ground.netns.name],
      };
    }

    /** Ids too where all is to be as before; links that only overlap or leave a gap are others when they were put back. */
    function picture({ ground, scenario }: Stage): Picture {
      const listed = listedBothWays(ground);
      const counted =
        scenario.program === 'entered' && ground.bpffs.pins().length > 0 ? hitsOfTen(ground) : 0;
      const comparable = { functions: listed.comparable, ...remains(ground), counted };
      return { exact: scenario.replaces ? comparable : listed.exact, comparable };
    }

    /** By how much ten calls count. Nothing else of this process comes between. */
    function hitsOfTen(ground: Ground): number {
      const start = hitsOf(ground, 'f');
      callGetpgid(10);
      return hitsOf(ground, 'f') - start;
    }

    async function killedAndTakenBack(scenario: HookScenario): Promise<void> {
      using ground = makeGround();
      using cgroup = new TestCgroup();
      const stage = { ground, cgroup, scenario };
      const meanings = meaningsOn(stage);
      const command: KilledCommand = {
        ground,
        command: () => ground.wordsOf(scenario.command, meanings),
        reset: () => prepareAnew(ground, scenario.prepare, meanings),
        picture: () => picture(stage),
        most: 3,
      };
      const killed = await killedAtEachStep(command);
      if (!scenario.replaces) expect(killed.survived.comparable).not.toEqual(killed.beforehand.comparable);
      else if (scenario.program === 'entered')
        expect(killed.survived.comparable).toMatchObject({ counted: 10_000 });
      if (scenario.replaces)
        expect(await recoveryKilledAtEachStep(command, killed)).toBeGreaterThan(inAll(10));
      await expectNothingLeft(ground);
    }

    const timeout = 180_000;
    it.concurrent.for(families.flatMap(scenariosOf))(
      '$what, at each of its steps, is taken back or finished',
      { timeout },
      async (scenario, context) => {
        context.skip(scenario.lack !== undefined, scenario.lack);
        await killedAndTakenBack(scenario);
      },
    );
    it.for(scenariosOf(table))(
      '$what, at each of its steps, is taken back or finished',
      { timeout },
      async (scenario, context) => {
        context.skip(scenario.lack !== undefined, scenario.lack);
        await killedAndTakenBack(scenario);
      },
    );
  },
  { tools: ['clang', 'ping'], ...ownProcessId },
);
