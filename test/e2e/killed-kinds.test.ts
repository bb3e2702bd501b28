/** Commands on what is no link, killed at each of their steps: what is left is taken back or finished. */
import { expect, it } from 'vitest';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { inAll } from '../support/sampling.js';
import { type Ground, makeGround } from './ground.js';
import { hookLack } from './hook-ground.js';
import {
  expectNothingLeft,
  type KilledCommand,
  killedAtEachStep,
  listedBothWays,
  type Picture,
  recoveryKilledAtEachStep,
  remains,
} from './kill-ground.js';
import { routeOf } from './kinds-ground.js';
import { compileBeforeAll } from './objects.js';

const commands = ['attach', 'detach', 'load --replace', 'unload'] as const;
type Command = (typeof commands)[number];

interface Kind {
  readonly what: string;
  readonly lacks?: string | undefined;
  readonly load: (made: Made, command: Command) => readonly string[];
  readonly attach: (ground: Ground) => readonly string[];
  /** Beside the words of `load`, for one that replaces; undefined where the kernel does not take one. */
  readonly replace?: readonly string[];
}

interface Made {
  readonly kinds: string;
  /** One for each command: the kernel knows one congestion control of each name. */
  readonly tables: Readonly<Record<Command, string>>;
}

const kinds: readonly Kind[] = [
  {
    what: 'two programs on a route',
    load: ({ kinds }) => [kinds, '--only', 'route_out', '--only', 'route_xmit'],
    attach: (ground) => ['attach', 'f', routeOf(ground), '--netns', ground.veth.a.netns.name],
    replace: ['--set', 'weight=1000'],
  },
  {
    what: 'an entry of a cpumap',
    load: ({ kinds }) => [kinds, '--only', 'arriving'],
    attach: () => ['attach', 'f', 'f/processors[0]=64'],
    replace: ['--set', 'weight=1000', '--reuse', 'processors=f/processors'],
  },
  {
    what: 'a table of callbacks',
    lacks: hookLack('struct_ops') ?? kernelLacks('struct-ops-links'),
    load: ({ tables }, command) => [tables[command]],
    attach: () => ['attach', 'f'],
    replace: [],
  },
];

const scenarios = kinds.flatMap((kind) => commands.map((command) => ({ kind, command })));

describeAsRoot(
  'a netkit command on what is no link, or no program, that is killed',
  () => {
    let made: Made;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      const table = (name: string): Promise<string> =>
        objects.compile('test/fixtures/hooks/congestion.bpf.c', [
          'TABLE=".struct_ops.link"',
          `NAME="netkit_${name}"`,
        ]);
      made = {
        kinds: await objects.compile('test/fixtures/further-kinds.bpf.c'),
        tables: {
          attach: await table('attach'),
          detach: await table('detach'),
          'load --replace': await table('replace'),
          unload: await table('unload'),
        },
      };
    });

    it.concurrent.for(scenarios)(
      '$command of $kind.what, at each of its steps, is taken back or finished',
      { timeout: 180_000 },
      async ({ kind, command }, context) => {
        context.skip(kind.lacks !== undefined, kind.lacks);
        using ground = makeGround();
        const load = ['load', ...kind.load(made, command), '--name', 'f'];
        const words = {
          attach: kind.attach(ground),
          detach: ['detach', 'f'],
          'load --replace': [...load, '--replace', ...(kind.replace ?? [])],
          unload: ['unload', 'f'],
        }[command];
        const killed: KilledCommand = {
          ground,
          command: () => words,
          async reset() {
            await ground.manages('unload', 'f', '--if-exists');
            await ground.manages(...load);
            if (command !== 'attach') await ground.manages(...kind.attach(ground));
          },
          picture: () => picture(ground),
          most: 4,
        };
        const result = await killedAtEachStep(killed);
        if (command !== 'load --replace')
          expect(result.survived.comparable).not.toEqual(result.beforehand.comparable);
        else expect(await recoveryKilledAtEachStep(killed, result)).toBeGreaterThan(inAll(5));
        await expectNothingLeft(ground);
        expect(picture(ground).comparable).toMatchObject({
          routes: expect.not.stringContaining('encap'),
        });
      },
    );

    function picture(ground: Ground): Picture {
      const listed = listedBothWays(ground);
      const routes = ground.veth.a.netns.run('ip', ['route']);
      // A route names its programs by their ids.
      const comparable = {
        functions: listed.comparable,
        ...remains(ground),
        routes: routes.replaceAll(/:\[\d+\]/g, ''),
      };
      return { exact: { functions: listed.exact, ...remains(ground), routes }, comparable };
    }
  },
  { tools: ['clang', 'ping'] },
);
