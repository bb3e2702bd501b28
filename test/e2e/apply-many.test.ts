// A pattern that stands for many interfaces: all of them in one step, and what went meanwhile keeps nobody else from it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { interfaceHooks } from '../../src/ebpf/interface-hooks.js';
import { Program } from '../../src/ebpf/program.js';
import { findInterface } from '../../src/host/interfaces.js';
import { openNetns } from '../../src/host/netns.js';
import { emulated } from '../support/known-kernels.js';
import { run } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { functionOf, ingress, type ManifestGround } from './manifest-ground.js';
import { manifestGround, testsInNetns } from './manifest-setup.js';

/** Emulated machines take their time. */
const count = emulated ? 20 : 120;
const names = Array.from({ length: count }, (_, index) => `veth${index}`);

describeAsRoot('`apply` on many interfaces', () => {
  const test = testsInNetns(manifestGround());

  test('attaches, and detaches, in one step of its journal, and is taken back when it is killed in the middle', async (g, netns) => {
    makePairs(netns);
    declares(g, netns, []);
    g.applies();
    for (const [interfaces, kind] of [
      [['veth*'], 'attach'],
      [[], 'detach'],
    ] as const) {
      const before = g.ground.listed('f').links.length;
      declares(g, netns, interfaces);
      // Attaching and detaching are a step each, beside some of the journal's.
      const killed = await g.ground.runs(['apply', '-f', g.file('m.yaml')], {
        NETKIT_TEST_KILL_STEP: String(count / 2 + 2),
      });
      expect(killed).toBeUndefined();
      const halfway = attachedIn(netns);
      expect(halfway).toBeGreaterThan(0);
      expect(halfway).toBeLessThan(count);
      expect(stepsWith(g, kind)).toEqual([count]);
      g.ground.does('recover');
      expect(attachedIn(netns)).toBe(before);
      expect(g.ground.listed('f').links.length).toBe(before);
      g.applies();
      expect(attachedIn(netns)).toBe(count - before);
      expect(g.applies().functions.map(({ verb }) => verb)).toEqual(['none']);
    }
  });

  test('goes step by step where two programs are on one interface, and each comes to its place', async (g, netns) => {
    makePairs(netns);
    const on = { hook: ingress, interfaces: ['veth0', 'veth1'], netns };
    const attach = [
      { ...on, program: 'one', priority: 60 },
      { ...on, program: 'two', priority: 20 },
    ];
    g.declares([functionOf({ program: { object: g.object, only: ['one', 'two'] }, attach })]);
    g.applies();
    for (const ifname of ['veth0', 'veth1']) expect(orderOn(netns, ifname)).toEqual(['two', 'one']);
  });
});

/** XDP: the kernel attaches it in a moment, whereas tcx waits for all processors each time. */
function declares(g: ManifestGround, netns: string, interfaces: readonly string[]): void {
  const attach = interfaces.length === 0 ? [] : [{ program: 'xdp_one', hook: 'xdp', interfaces, netns }];
  g.declares([functionOf({ program: { object: g.object, only: ['xdp_one'] }, attach })]);
}

function makePairs(netns: string): void {
  const lines = names.map((name, index) => `link add ${name} type veth peer name p-${index}\n`);
  run('ip', ['-n', netns, '-batch', '-'], lines.join(''));
}

function attachedIn(netns: string): number {
  return (run('ip', ['-n', netns, 'link', 'show']).match(/ xdp(generic)? /g) ?? []).length;
}

/** The names of the programs that arriving packets meet, in their order. */
function orderOn(name: string, ifname: string): string[] {
  using netns = openNetns(name);
  const { receive } = interfaceHooks(findInterface(ifname, netns), netns, { bpffs: '/sys/fs/bpf' });
  return receive.flatMap(({ hook, programId }) => {
    if (hook !== ingress || programId === undefined) return [];
    using program = Program.fromId(programId);
    return [program.info().name];
  });
}

/** How many such actions each record of the journal has that has some. */
function stepsWith({ ground }: ManifestGround, kind: string): number[] {
  const path = join(ground.bpffs.stateDir, 'batch.journal');
  expect(existsSync(path)).toBe(true);
  const records = readFileSync(path, 'utf8').trimEnd().split('\n');
  return records
    .map((text) => record.parse(JSON.parse(text)).plan?.actions ?? [])
    .map((actions) => actions.filter((each) => each.kind === kind).length)
    .filter((length) => length > 0);
}

const record = z.looseObject({
  plan: z.optional(z.looseObject({ actions: z.array(z.looseObject({ kind: z.string() })) })),
});
