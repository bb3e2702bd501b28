import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { inAll } from '../support/sampling.js';
import { documentOf, errorOf, fixture, type Ground, makeGround } from './ground.js';
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
  withoutIds,
} from './kill-ground.js';
import { compileBeforeAll } from './objects.js';

/* `FIREWALL` is the object of bpf/firewall.bpf.c. */
const xdp = 'load FIREWALL --name f --set default_action=drop';
const tc = `load ${fixture('tc')} --name f --set drop_all=true`;

const scenarios: readonly (readonly [string, Scenario])[] = [
  ['load', { prepare: [], command: xdp }],
  ['load of a function with several programs', { prepare: [], command: `load ${fixture('tcx')} --name f` }],
  [
    'load --replace under an XDP link',
    {
      prepare: [xdp, 'attach f @'],
      command: 'load FIREWALL --name f --replace --set default_action=pass',
    },
  ],
  [
    'load --replace with another object',
    { prepare: [`load ${fixture('pass')} --name f`], command: 'load FIREWALL --name f --replace' },
  ],
  [
    'load --replace under a tc filter and a tcx link',
    {
      prepare: [tc, 'attach f @ --hook tc/egress', 'attach f @ --hook tcx/ingress'],
      command: `load ${fixture('tc')} --name f --replace --set drop_all=false`,
    },
  ],
  ['attach to XDP', { prepare: [xdp], command: 'attach f @' }],
  ['attach to tcx', { prepare: [tc], command: 'attach f @ --hook tcx/ingress' }],
  ['attach to tc/ingress', { prepare: [tc], command: 'attach f @ --hook tc/ingress' }],
  ['attach of two programs at once', { prepare: [`load ${fixture('tcx')} --name f`], command: 'attach f @' }],
  ['detach from XDP', { prepare: [xdp, 'attach f @'], command: 'detach f @' }],
  ['detach from tcx', { prepare: [tc, 'attach f @ --hook tcx/egress'], command: 'detach f @' }],
  ['detach from tc/ingress', { prepare: [tc, 'attach f @ --hook tc/ingress'], command: 'detach f @' }],
  [
    'detach of one filter of two on a qdisc',
    {
      prepare: [tc, 'attach f @ --hook tc/ingress', 'attach f @ --hook tc/egress'],
      command: 'detach f @ --hook tc/ingress',
    },
  ],
  ['unload of what is not attached', { prepare: [xdp], command: 'unload f' }],
  ['unload with an XDP link', { prepare: [xdp, 'attach f @'], command: 'unload f' }],
  [
    'unload with a tcx link and tc filters',
    {
      prepare: [
        tc,
        'attach f @ --hook tcx/ingress',
        'attach f @ --hook tc/ingress',
        'attach f @ --hook tc/egress',
      ],
      command: 'unload f',
    },
  ],
];

describeAsRoot(
  'a netkit command that is killed',
  () => {
    let firewall: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      firewall = await objects.compile('bpf/firewall.bpf.c');
    });

    const wordsOf = (ground: Ground, command: string): string[] =>
      ground.wordsOf(command, { FIREWALL: [firewall] });
    const reset = (ground: Ground, { prepare }: Scenario): Promise<void> =>
      prepareAnew(ground, prepare, { FIREWALL: [firewall] });

    async function picture(ground: Ground): Promise<Picture & { readonly answered: number }> {
      const answered = await ground.pings();
      const listed = listedBothWays(ground);
      const hooks = ground.hooks().map(withoutIds);
      const comparable = { functions: listed.comparable, ...remains(ground), hooks, answered };
      return { exact: listed.exact, comparable, answered };
    }

    const recover = ['recover', '--json'] as const;
    const next = ['unload', 'nothing', '--if-exists'] as const;
    const anyNext = new Set([
      'load --replace under a tc filter and a tcx link',
      'attach to tc/ingress',
      'detach from XDP',
    ]);
    const recoveryToo = new Set([
      'load of a function with several programs',
      'load --replace under a tc filter and a tcx link',
      'detach of one filter of two on a qdisc',
      'unload with a tcx link and tc filters',
    ]);
    const runs = scenarios.flatMap(([name, scenario]) => [
      [name, 'recover', scenario, recover] as const,
      ...(anyNext.has(name)
        ? [[name, 'the next command that changes something', scenario, next] as const]
        : []),
    ]);

    it.concurrent.each(runs)(
      '%s, at each of its steps, is taken back or finished by %s',
      async (name, _how, scenario, recovery) => {
        using ground = makeGround();
        const bare = ground.hooks();
        const command: KilledCommand = {
          ground,
          command: () => wordsOf(ground, scenario.command),
          reset: () => reset(ground, scenario),
          picture: () => picture(ground),
          recovery,
          most: 4,
        };
        const killed = await killedAtEachStep(command);
        expect(killed.survived.comparable).not.toEqual(killed.beforehand.comparable);
        if (recovery === recover && recoveryToo.has(name))
          expect(await recoveryKilledAtEachStep(command, killed)).toBeGreaterThan(inAll(5));
        await expectNothingLeft(ground);
        expect(ground.hooks()).toEqual(bare);
      },
      180_000,
    );

    it.concurrent('at whatever moment, leaves what recover brings to before or after', async () => {
      using ground = makeGround();
      const scenario: Scenario = {
        prepare: [tc, 'attach f @ --hook tc/egress', 'attach f @ --hook tcx/ingress'],
        command: `load ${fixture('tc')} --name f --replace --set drop_all=false`,
      };
      await reset(ground, scenario);
      const { comparable: beforehand } = await picture(ground);
      const started = performance.now();
      await ground.manages(...wordsOf(ground, scenario.command));
      const usualMs = performance.now() - started;
      const { comparable: after } = await picture(ground);
      for (let attempt = 0; attempt < 8; attempt++) {
        await reset(ground, scenario);
        using running = ground.start(...wordsOf(ground, scenario.command));
        const moment = usualMs * (0.4 + 0.08 * attempt);
        const timer = setTimeout(() => running.process.kill('SIGKILL'), moment);
        await running.ended.catch(() => undefined);
        clearTimeout(timer);
        await ground.manages('recover');
        const { comparable: now, answered } = await picture(ground);
        expect({ moment, now }).toEqual({ moment, now: answered === 0 ? beforehand : after });
      }
      await ground.manages('unload', 'f');
      expect(ground.bpffs.pins()).toEqual([]);
    });

    it('while it wrote its journal, leaves a file that recover removes', () => {
      using ground = makeGround();
      ground.does('load', fixture('pass'), '--name', 'f');
      ground.does('unload', 'f');
      // No process has that id.
      writeFileSync(join(ground.bpffs.stateDir, '.change.journal.4194304-0123abcd.tmp'), '{');
      ground.does('recover');
      expect(readdirSync(ground.bpffs.stateDir)).toEqual(['lock']);
    });

    it('says with recover --dry-run what would become of it, and changes nothing', () => {
      using ground = makeGround();
      const load = ['load', fixture('pass'), '--name', 'f'];
      expect(() => ground.doesWith({ NETKIT_TEST_KILL_STEP: '2' }, ...load)).toThrow(/SIGKILL/);
      const pins = ground.bpffs.pins();
      expect(pins).toEqual(['netkit/f/progs/pass']);
      // Reading works meanwhile.
      expect(ground.listed('f').programs).toHaveLength(1);
      for (const options of [['--json'], []]) {
        const said = ground.does('recover', '--dry-run', ...options);
        expect(said.stdout).toContain(load.join(' '));
        expect(said.stdout).toContain('undone');
      }
      expect(ground.bpffs.pins()).toEqual(pins);
      const { commands } = documentOf(documents.recover, ground.does('recover', '--json'));
      expect(commands).toMatchObject([{ outcome: 'undone', command: `netkit ${load.join(' ')}` }]);
      expect(ground.bpffs.pins()).toEqual([]);
      expect(ground.does('recover').stdout).toMatch(/nothing/);
    });

    it.each([
      ['cut off', (path: string) => truncateSync(path, 40)],
      ['empty', (path: string) => truncateSync(path, 0)],
      ['no JSON', (path: string) => writeFileSync(path, 'garbage\n')],
      ['another document', (path: string) => writeFileSync(path, '{"formatVersion":1,"name":7}')],
      ['JSON of another kind', (path: string) => writeFileSync(path, '[]')],
    ])('names a state file that is %s, with status 1, and still unloads from the pins', (_what, damage) => {
      using ground = makeGround();
      ground.does('load', fixture('pass'), '--name', 'f');
      ground.does('load', fixture('pass'), '--name', 'other');
      ground.attach('f');
      const path = join(ground.bpffs.stateDir, 'f.json');
      damage(path);
      const attach = ['attach', 'f', 'lo', '--netns', ground.netns.name];
      expect(ground.refuses(1, ...attach).stderr).toContain(path);
      expect(errorOf(ground.refuses(1, ...attach, '--json'))).toMatchObject({ code: 'bad-state' });
      ground.refuses(1, 'load', fixture('pass'), '--name', 'f', '--replace');
      // Others are not touched by it.
      ground.does('attach', 'other', 'lo', '--netns', ground.netns.name);
      ground.does('unload', 'other');
      const unloaded = ground.does('unload', 'f');
      expect(unloaded.stderr).toContain(path);
      expect(ground.bpffs.pins()).toEqual([]);
      expect(readdirSync(ground.bpffs.stateDir).filter((file) => file.endsWith('.json'))).toEqual([]);
      expect(ground.hooks().join()).not.toContain('"xdp"');
      expect(ground.list()).toEqual([]);
    });

    it('names a state file of a newer netkit, and leaves it and its function alone', () => {
      using ground = makeGround();
      ground.does('load', fixture('pass'), '--name', 'f');
      const path = join(ground.bpffs.stateDir, 'f.json');
      const text = readFileSync(path, 'utf8');
      const newer = text.replace(/"formatVersion": 3\b/, '"formatVersion": 99');
      expect(newer).not.toBe(text);
      writeFileSync(path, newer);
      const refused = ground.refuses(1, 'attach', 'f', ...ground.place);
      expect(refused.stderr).toMatch(/newer netkit/);
      expect(readFileSync(path, 'utf8')).toBe(newer);
      writeFileSync(path, text);
      ground.does('unload', 'f');
    });

    it.each([
      ['cut off', (path: string) => truncateSync(path, 60)],
      ['empty', (path: string) => truncateSync(path, 0)],
      ['no JSON', (path: string) => writeFileSync(path, 'garbage\n')],
      ['another document', (path: string) => writeFileSync(path, '{"change":"x"}')],
      ['JSON of another kind', (path: string) => writeFileSync(path, '[]')],
    ])('names a journal that is %s, with status 1, and still unloads from the pins', (_what, damage) => {
      using ground = makeGround();
      ground.does('load', fixture('pass'), '--name', 'f');
      ground.attach('f');
      const load = ['load', fixture('pass'), '--name', 'g'];
      expect(() => ground.doesWith({ NETKIT_TEST_KILL_STEP: '2' }, ...load)).toThrow(/SIGKILL/);
      const path = join(ground.bpffs.stateDir, 'change.journal');
      damage(path);
      for (const command of [load, ['recover'], ['recover', '--dry-run']]) {
        const refused = ground.refuses(1, ...command);
        expect(refused.stderr).toContain(path);
        expect(refused.stderr).toMatch(/^hint: /m);
      }
      ground.does('unload', 'f');
      ground.does('unload', 'g');
      expect(ground.bpffs.pins()).toEqual([]);
      expect(ground.hooks().join()).not.toContain('"xdp"');
    });

    it('leaves no temporary file behind when it is killed while it writes one', () => {
      using ground = makeGround();
      mkdirSync(ground.bpffs.stateDir, { mode: 0o700 });
      // A writer that is not there any more: no process has the greatest id.
      const left = join(ground.bpffs.stateDir, '.f.json.4194304.tmp');
      writeFileSync(left, '{');
      ground.does('load', fixture('pass'), '--name', 'f');
      expect(ground.list().map(({ name }) => name)).toEqual(['f']);
      ground.does('unload', 'f');
    });
  },
  { tools: ['clang', 'ping'] },
);
