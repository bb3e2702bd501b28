/** `bench drop`: a program in a tc filter; the slowed one works for a fifth of the time that a packet takes, which is measured before. */
import { analyse } from '../../src/bench/analysis.js';
import { runScenario } from '../../src/bench/run.js';
import type { Scenario } from '../../src/bench/scenario.js';
import { DropLab, floodSlices } from '../../src/bench/scenarios/drop/drop-lab.js';
import { tcRung } from '../../src/bench/scenarios/drop/ebpf-rungs.js';
import type { Rung } from '../../src/bench/scenarios/drop/rung.js';
import { load } from '../../src/ebpf/load.js';
import { syntheticPacket } from '../../src/ebpf/profile/empty-program.js';
import { ObjectSpec } from '../../src/obj/spec.js';
import { Compiled } from './compiled.js';
import { control, same, slowed, slowedBy, type Trial } from './trial.js';

const traffic = { family: 'ipv4', size: 64, flows: 1 } as const;
const usual = tcRung({ name: 'tc', title: 'tc' }, 'drop_tc');
const calibrationSeconds = 3;
const calibrationRounds = 10_000;

export async function dropTrial(): Promise<Trial> {
  const compiled = new Compiled();
  const path = await compiled.object('slow-drop.bpf.c', 'slow-drop', []);
  const withRounds = async (rounds: number): Promise<ObjectSpec> => {
    const spec = await ObjectSpec.read(path);
    spec.globals.set('rounds', rounds);
    spec.only(['slow_tc']);
    return spec;
  };
  const nsOfRound = nsOfRun(await withRounds(calibrationRounds)) / calibrationRounds;
  const rounds = Math.round(((slowedBy - 1) * (await nsOfPacket())) / nsOfRound);
  const spec = await withRounds(rounds);
  const rungs = [
    usual,
    tcRung({ name: 'same', title: 'tc, the same' }, 'drop_tc'),
    tcRung({ name: 'slowed', title: 'tc, slowed' }, 'slow_tc', () => spec),
  ];
  const answers = [control('tc again'), same('same'), slowed('slowed')];
  return { name: 'drop', questions: [{ scenario: ladder(rungs), answers }], end: () => compiled.end() };
}

function ladder(rungs: readonly Rung[]): Scenario {
  const prepare: Scenario['prepare'] = async (context) => new DropLab(context, traffic).prepare(rungs);
  return { name: 'drop', title: 'How fast is each?', ...floodSlices, prepare };
}

function nsOfRun(spec: ObjectSpec): number {
  using object = load(spec);
  return object.program('slow_tc').testRun({ data: syntheticPacket(), repeat: 100 }).nsPerRun;
}

/** What a packet takes of the receiver's CPU when nothing slows it. */
async function nsOfPacket(): Promise<number> {
  const document = analyse(
    await runScenario(ladder([usual]), {
      seconds: calibrationSeconds,
      seed: 1,
      signal: new AbortController().signal,
      command: '',
      version: '',
      progress: () => undefined,
    }),
  );
  const found = document.results.find(({ metric, variant }) => metric === 'cost' && variant === 'tc');
  if (found === undefined || found.median === null) throw new Error('what a packet costs is not known');
  return found.median;
}
