/** Another program of a function in the place of one, by a command that is killed at each of its steps. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { TestCgroup } from '../support/cgroup.js';
import { tcActionLack } from '../support/kernel-config.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { inAll } from '../support/sampling.js';
import { type Ground, makeGround } from './ground.js';
import {
  expectNothingLeft,
  type KilledCommand,
  killedAtEachStep,
  listedBothWays,
  type Picture,
  prepareAnew,
  recoveryKilledAtEachStep,
  remains,
  withoutIds,
} from './kill-ground.js';
import { routeOf } from './kinds-ground.js';
import { compileBeforeAll } from './objects.js';

/** A kind of hook, by how one of its two programs comes into the place of the other. */
interface Kind {
  readonly kind: string;
  readonly replacing: 'swap' | 'overlap' | 'gap';
  readonly where: string;
  readonly lacks?: string | undefined;
}

const onRoute = 'ROUTE';
const kinds: readonly Kind[] = [
  { kind: 'xdp', replacing: 'swap', where: '@ --direct' },
  { kind: 'tcx', replacing: 'swap', where: '@', lacks: kernelLacks('tcx') },
  { kind: 'tc', replacing: 'swap', where: '@' },
  { kind: 'action', replacing: 'swap', where: '@ --hook action/ingress', lacks: tcActionLack() },
  { kind: 'lwt', replacing: 'swap', where: onRoute },
  { kind: 'group', replacing: 'swap', where: 'CGROUP' },
  { kind: 'raw', replacing: 'overlap', where: '' },
  { kind: 'trace', replacing: 'overlap', where: '', lacks: kernelLacks('perf-links') },
  {
    kind: 'filter',
    replacing: 'gap',
    where: '--netns NETNS --stage input',
    lacks: kernelLacks('netfilter-links'),
  },
];

/** Filters and routes name their programs by ids. */
const withoutLabelIds = (text: string): string => text.replaceAll(/:\[\d+\]/g, '');

describeAsRoot(
  'netkit link update --program that is killed',
  () => {
    let object: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/swaps.bpf.c');
    });

    /** A program that is put back over a gap, or beside the other, has a new link. */
    function picture(ground: Ground, { replacing }: Kind): Picture {
      const listed = listedBothWays(ground);
      const routes = ground.veth.a.netns.run('ip', ['route']);
      const comparable = {
        functions: listed.comparable,
        ...remains(ground),
        hooks: ground.hooks().map((text) => withoutIds(withoutLabelIds(text))),
        routes: withoutLabelIds(routes),
      };
      const exact = [listed.exact, routes, ground.hooks()];
      return { exact: replacing === 'swap' ? exact : comparable, comparable };
    }

    const listing = z.looseObject({ functions: z.string() });
    const functions = z.array(
      z.looseObject({ links: z.array(z.looseObject({ program: z.looseObject({ name: z.string() }) })) }),
    );
    function attached({ comparable }: Picture): readonly string[] {
      const listed = functions.parse(JSON.parse(listing.parse(comparable).functions));
      return listed.flatMap(({ links }) => links.map(({ program }) => program.name));
    }

    it.concurrent.for(kinds)(
      '$kind: at each of its steps, one of the two programs is there, and which one is known',
      { timeout: 180_000 },
      async (kind, context) => {
        context.skip(kind.lacks !== undefined, kind.lacks);
        using ground = makeGround();
        using cgroup = new TestCgroup();
        const bare = ground.hooks();
        const [from, to] = [`${kind.kind}_a`, `${kind.kind}_b`];
        const meanings = {
          LOAD: ['load', object, '--name', 'f', '--only', from, '--only', to],
          CGROUP: [cgroup.path],
          NETNS: [ground.netns.name],
          [onRoute]: [routeOf(ground), '--netns', ground.veth.a.netns.name],
        };
        const gap = kind.replacing === 'gap' ? ' --allow-gap' : '';
        const command: KilledCommand = {
          ground,
          command: () => ['link', 'update', `f/${from}`, '--program', to, ...gap.split(' ').slice(1)],
          reset: () => prepareAnew(ground, ['LOAD', `attach f/${from} ${kind.where}`.trimEnd()], meanings),
          picture: () => picture(ground, kind),
        };
        const killed = await killedAtEachStep(command);
        expect(attached(killed.beforehand)).toEqual([from]);
        expect(attached(killed.survived)).toEqual([to]);
        expect(await recoveryKilledAtEachStep(command, killed)).toBeGreaterThan(inAll(3));
        await expectNothingLeft(ground);
        expect(ground.hooks()).toEqual(bare);
      },
    );
  },
  { tools: ['clang', 'ping'] },
);
