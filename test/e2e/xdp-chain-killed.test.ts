import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readChain } from '../../src/ebpf/dispatcher/chain.js';
import { leavingNothing } from '../support/kernel-state.js';
import { newerToolsMissing } from '../support/newer-tools.js';
import { describeAsRoot } from '../support/requirements.js';
import { chainObject, XdpLoader } from '../support/xdp-chain.js';
import { ranAndAnswered, recordedLinks } from './chain-ground.js';
import { type Ground, makeGround } from './ground.js';
import {
  type KilledCommand,
  killedAtEachStep,
  killedKinds,
  recoveryKilledAtEachStep,
  remains,
  type Scenario,
} from './kill-ground.js';

const load = `load ${chainObject} --name c`;
/** Less to load anew at each of their steps. */
const two = `${load} --only member_1 --only member_2`;
const reuse = '--reuse marks=c/marks --reuse verdicts=c/verdicts';

/** For one scenario: a virtual machine takes some seconds for each command. */
const minutes = 20;

/** In them `OTHER` has xdp-loader add a member. */
const scenarios: readonly (readonly [string, Scenario])[] = [
  ['attach to an empty interface', { prepare: [load], command: 'attach c/member_1 @' }],
  [
    'attach among members of others',
    {
      prepare: [load, 'attach c/member_1 @ --priority 70', 'OTHER'],
      command: 'attach c/member_2 @ --priority 20',
    },
  ],
  [
    'attach of two at once',
    {
      prepare: [two, 'OTHER'],
      command: 'attach c @',
    },
  ],
  [
    'detach among members of others',
    {
      prepare: [load, 'attach c/member_1 @ --priority 70', 'OTHER', 'attach c/member_2 @'],
      command: 'detach c/member_1 @',
    },
  ],
  ['detach of the last member', { prepare: [load, 'attach c/member_1 @'], command: 'detach c @' }],
  [
    'link update',
    {
      prepare: [load, 'attach c/member_1 @ --priority 20', 'OTHER'],
      command: 'link update c/member_1 @ --priority 70 --proceed-on pass,drop',
    },
  ],
  [
    'load --replace under members of a chain',
    {
      prepare: [two, 'attach c/member_1 @ --priority 20', 'OTHER', 'attach c/member_2 @ --priority 70'],
      // With all programs of the object, so that before and after can be told apart.
      command: `${load} --replace ${reuse}`,
    },
  ],
  [
    'unload of a function with two members',
    {
      prepare: [two, 'attach c/member_1 @ --priority 20', 'OTHER', 'attach c/member_2 @ --priority 70'],
      command: 'unload c',
    },
  ],
];

/** What is compared before and after: without ids, which differ from one load to the next. */
function picture(ground: Ground): unknown {
  const { bpffs, netns, ifname } = ground;
  const root = bpffs.root.path;
  const place = { ifname, ifindex: ground.veth.b.ifindex, netns: netns.handle, bpffs: root };
  const found = readChain(place);
  const chain =
    found?.kind === 'chain'
      ? found.members?.map(({ priority, proceedOn, program }) => [program?.name, priority, proceedOn])
      : found;
  return {
    chain,
    ...remains(ground),
    pins: bpffs.pins().map((pin) => pin.replace(/^xdp\/dispatch-\d+-\d+/, 'xdp/dispatcher')),
    links: recordedLinks(ground, 'c'),
    ran: ranAndAnswered(ground),
  };
}

describeAsRoot(
  'a change of a chain that is killed',
  () => {
    function prepare(ground: Ground, { prepare: commands }: Scenario): void {
      const bpffs = ground.bpffs.root.path;
      const loader = new XdpLoader('1.3', ground.veth.b, bpffs, join(bpffs, 'netkit/c/maps'));
      for (const command of commands) {
        if (command === 'OTHER') loader.add('member_6', '--prio', '60');
        else ground.does(...ground.wordsOf(command));
      }
    }

    function clear(ground: Ground): void {
      ground.does('unload', 'c', '--if-exists');
      const bpffs = ground.bpffs.root.path;
      if (ground.hooks().join().includes('"xdp"'))
        new XdpLoader('1.5', ground.veth.b, bpffs, join(bpffs, 'netkit/c/maps')).removeAll();
      expect(ground.bpffs.pins()).toEqual([]);
      expect(ground.hooks().join()).not.toContain('"xdp"');
    }

    it.each(scenarios)(
      'in %s, at each of its steps, is taken back or finished by recover',
      async (name, scenario) => {
        using ground = makeGround();
        await leavingNothing(async () => {
          const command: KilledCommand = {
            ground,
            command: () => ground.wordsOf(scenario.command),
            async reset() {
              clear(ground);
              prepare(ground, scenario);
            },
            picture: () => ({ exact: undefined, comparable: picture(ground) }),
            most: 4,
          };
          const killed = await killedAtEachStep(command);
          expect(killed.survived.comparable).not.toEqual(killed.beforehand.comparable);
          process.stderr.write(`${scenario.command}: killed at steps ${killed.steps.join(' ')}\n`);
          if (name === 'link update')
            expect([...killed.kinds]).toEqual(expect.arrayContaining([...killedKinds(import.meta.url)]));
          if (/replace|unload/.test(scenario.command)) {
            const kills = await recoveryKilledAtEachStep(command, killed);
            process.stderr.write(`and ${kills} recoveries of it\n`);
          }
          clear(ground);
        });
      },
      minutes * 60_000,
    );
  },
  { kernelHas: ['freplace'], tools: ['xdp-loader', 'ping'], check: newerToolsMissing },
);
