/** `bench program`: a program against itself, and against one that does a fifth less. */
import { programScenario } from '../../src/bench/scenarios/program.js';
import { syntheticPacket } from '../../src/ebpf/profile/empty-program.js';
import { Compiled } from './compiled.js';
import { control, same, slowed, slowedBy, type Trial } from './trial.js';

const rounds = 100;

export async function programTrial(): Promise<Trial> {
  const compiled = new Compiled();
  const usual = await compiled.object('rounds.bpf.c', 'usual', [`ROUNDS=${rounds}`]);
  const slow = await compiled.object('rounds.bpf.c', 'slow', [`ROUNDS=${rounds * slowedBy}`]);
  const scenario = (path: string) =>
    programScenario({
      object: { path, program: 'work' },
      against: { path: usual, program: 'work' },
      packets: [syntheticPacket()],
      packetsText: 'one synthetic packet',
      runsOnPackets: () => true,
      verdictText: (_, returned) => String(returned),
    });
  return {
    name: 'program',
    questions: [
      { scenario: scenario(usual), answers: [control('control'), same('program')] },
      { scenario: scenario(slow), answers: [control('control'), slowed('program')] },
    ],
    end: () => compiled.end(),
  };
}
