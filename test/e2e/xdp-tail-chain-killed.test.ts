import { expect, it } from 'vitest';
import { readTailChain } from '../../src/ebpf/tail-chain/chain.js';
import { tailChainFolder } from '../../src/ebpf/tail-chain/place.js';
import { leavingNothing } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { withoutFreplace } from '../support/tail-chain.js';
import { ranAndAnswered, recordedLinks } from './chain-ground.js';
import { type Ground, makeGround } from './ground.js';
import {
  type KilledCommand,
  killedAtEachStep,
  recoveryKilledAtEachStep,
  remains,
  type Scenario,
} from './kill-ground.js';
import { compileBeforeAll } from './objects.js';

const load = 'load OBJECT --name c';
const reuse = '--reuse marks=c/marks --reuse verdicts=c/verdicts';
const second = `load OBJECT --name d --only member_6 ${reuse}`;

/** In them `OBJECT` is the object, `OTHER` its next release. */
const scenarios: readonly (readonly [string, Scenario])[] = [
  ['attach to an empty interface', { prepare: [load], command: 'attach c/member_1 @' }],
  [
    'attach among others',
    {
      prepare: [load, 'attach c/member_1 @ --priority 70', second, 'attach d @ --priority 60'],
      command: 'attach c/member_2 @ --priority 65',
    },
  ],
  ['attach of two at once', { prepare: [`${load} --only member_1 --only member_2`], command: 'attach c @' }],
  [
    'detach among others',
    {
      prepare: [load, 'attach c/member_1 @ --priority 70', second, 'attach d @', 'attach c/member_2 @'],
      command: 'detach c/member_1 @',
    },
  ],
  ['detach of the last member', { prepare: [load, 'attach c/member_1 @'], command: 'detach c @' }],
  [
    'link update',
    {
      prepare: [load, 'attach c/member_1 @ --priority 20', 'attach c/member_2 @ --priority 60'],
      command: 'link update c/member_1 @ --priority 70 --proceed-on pass,drop',
    },
  ],
  [
    'replace of two members among others',
    {
      prepare: [
        load,
        'attach c/member_1 @ --priority 20',
        second,
        'attach d @',
        'attach c/member_2 @ --priority 70',
      ],
      command: 'replace c OTHER',
    },
  ],
  [
    'unload of a function with two members',
    {
      prepare: [load, 'attach c/member_1 @ --priority 20', 'attach c/member_2 @ --priority 70'],
      command: 'unload c',
    },
  ],
];

describeAsRoot(
  'a change of a chain by tail calls that is killed',
  () => {
    let object: string;
    let other: string;

    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/tail-chain.bpf.c');
      other = await objects.compile('test/fixtures/tail-chain.bpf.c', ['OTHER']);
    });

    /** What is compared before and after: without ids, which differ from one load to the next. */
    function picture(ground: Ground): unknown {
      const { bpffs, netns, veth } = ground;
      const folder = tailChainFolder({
        bpffs: bpffs.root.path,
        ifindex: veth.b.ifindex,
        netnsInode: netns.handle.inode,
      });
      const chain = readTailChain(folder)?.members.map(({ priority, proceedOn, program }) => [
        program?.name,
        priority,
        proceedOn,
      ]);
      return {
        chain,
        ...remains(ground),
        links: recordedLinks(ground, 'c'),
        ran: ranAndAnswered(ground),
        isOn: ground.hooks().join().includes('"netkit_xdp_root"'),
      };
    }

    function clear(ground: Ground): void {
      ground.does('unload', 'c', '--if-exists');
      ground.does('unload', 'd', '--if-exists');
      expect(ground.bpffs.pins()).toEqual([]);
      expect(ground.hooks().join()).not.toContain('"xdp"');
    }

    it.each(scenarios)(
      'in %s, at each of its steps, is taken back or finished by recover',
      async (_, scenario) => {
        using ground = makeGround(withoutFreplace);
        const meanings = { OBJECT: [object], OTHER: [other] };
        await leavingNothing(async () => {
          const command: KilledCommand = {
            ground,
            command: () => ground.wordsOf(scenario.command, meanings),
            async reset() {
              clear(ground);
              for (const each of scenario.prepare) ground.does(...ground.wordsOf(each, meanings));
            },
            picture: () => ({ exact: undefined, comparable: picture(ground) }),
            most: 4,
          };
          const killed = await killedAtEachStep(command);
          expect(killed.survived.comparable).not.toEqual(killed.beforehand.comparable);
          process.stderr.write(`${scenario.command}: killed at steps ${killed.steps.join(' ')}\n`);
          if (/replace|unload/.test(scenario.command)) {
            const kills = await recoveryKilledAtEachStep(command, killed);
            process.stderr.write(`and ${kills} recoveries of it\n`);
          }
          clear(ground);
        });
      },
    );
  },
  { tools: ['clang', 'ping'] },
);
