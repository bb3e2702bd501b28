/** A change of a chain by tail calls that is killed: the chain is as before or as after, and nothing is left of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { Scope } from '../../src/base/scope.js';
import { readTailChain } from '../../src/ebpf/tail-chain/chain.js';
import { tailChainFolder } from '../../src/ebpf/tail-chain/place.js';
import { leavingNothing } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { ran, withoutFreplace } from '../support/tail-chain.js';
import { type Ground, makeGround, Objects } from './ground.js';

/** `@` is the interface and its namespace, `OBJECT` the object, `OTHER` its next release. */
interface Scenario {
  readonly prepare: readonly string[];
  readonly command: string;
}

const load = 'load OBJECT --name c';
const reuse = '--reuse marks=c/marks --reuse verdicts=c/verdicts';
const second = `load OBJECT --name d --only member_6 ${reuse}`;

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

const stateFile = z.looseObject({ links: z.array(z.unknown()) });

describeAsRoot(
  'a change of a chain by tail calls that is killed',
  () => {
    const owned = new Scope();
    let object: string;
    let other: string;

    beforeAll(async () => {
      const objects = owned.use(new Objects());
      object = await objects.compile('test/fixtures/tail-chain.bpf.c');
      other = await objects.compile('test/fixtures/tail-chain.bpf.c', ['OTHER']);
    });
    afterAll(() => owned[Symbol.dispose]());

    function wordsOf(ground: Ground, command: string): string[] {
      return command.split(' ').flatMap((word) => {
        if (word === '@') return [ground.ifname, '--netns', ground.netns.name];
        if (word === 'OTHER') return [other];
        return [word === 'OBJECT' ? object : word];
      });
    }

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
      const files = readdirSync(bpffs.stateDir).sort();
      const state = files.includes('c.json')
        ? stateFile.parse(JSON.parse(readFileSync(join(bpffs.stateDir, 'c.json'), 'utf8')))
        : undefined;
      const isLoaded = bpffs.pins().includes('netkit/c/maps/marks');
      if (!isLoaded) expect(ground.ping(1)).toBe(1);
      return {
        chain,
        files,
        links: state?.links,
        pins: bpffs.pins(),
        ran: isLoaded ? ran(ground) : undefined,
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
      async (_, { prepare, command }) => {
        using ground = makeGround(withoutFreplace);
        const make = (): void => {
          for (const each of prepare) ground.does(...wordsOf(ground, each));
        };
        await leavingNothing(async () => {
          make();
          const before = picture(ground);
          const finished: unknown[] = [];
          const outcomes: string[] = [];
          for (let step = 0; ; step++) {
            expect(step, 'steps of one command').toBeLessThan(80);
            const killed = await ground.runs(wordsOf(ground, command), { NETKIT_TEST_KILL_STEP: `${step}` });
            if (killed !== undefined) {
              expect(killed.status, killed.stderr).toBe(0);
              break;
            }
            const said = ground.does('recover').stdout;
            const outcome = /undone/.test(said) ? 'undone' : /finished/.test(said) ? 'finished' : 'nothing';
            outcomes.push(outcome);
            const now = picture(ground);
            if (outcome === 'undone') expect({ step, now }).toEqual({ step, now: before });
            else {
              finished.push({ step, now });
              clear(ground);
              make();
            }
          }
          expect(outcomes.join(' ')).toMatch(/^(undone )+(finished )+nothing$/);
          process.stderr.write(`${command}: killed at ${outcomes.length} steps\n`);
          const after = picture(ground);
          expect(after).not.toEqual(before);
          for (const each of finished) expect(each).toEqual({ ...z.looseObject({}).parse(each), now: after });
          clear(ground);
        });
      },
    );
  },
  { tools: ['clang', 'ping'] },
);
