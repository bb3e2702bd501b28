// The emergency: netkit's programs come off by what the kernel and the pins say alone.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import type { DocumentOf } from '../../src/cli/schema/index.js';
import { TestCgroup } from '../support/cgroup.js';
import { netkitPath } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { documentOf, fixture, type Ground, makeGround } from './ground.js';
import { callGetpgid, compileOperate, hitsOf, loadOperate } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { addClsact, addFilter, pinTheirs, removeClsact } from './other-tools.js';
import { expectRefused, notFound, usage } from './refusal.js';

const tcxOrTc = kernelLacks('tcx') === undefined ? 'tcx' : 'tc';

function off(ground: Ground, ...words: string[]): DocumentOf<'off'> {
  return documentOf(documents.off, ground.does('off', ...words, '--json'));
}

describeAsRoot(
  'netkit off',
  () => {
    let operate: string;
    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      operate = await compileOperate(objects);
    });

    /** netkit on XDP, both ways of tcx and a tc filter, beside a tc filter of another tool. */
    function busy(ground: Ground): void {
      addClsact(ground);
      addFilter(ground, 'ingress', pinTheirs(ground, fixture('tc')), 'pref', '7');
      ground.does('load', fixture('pass'), '--name', 'x');
      ground.attach('x');
      ground.does('load', fixture('tcx'), '--name', 'c');
      ground.attach('c');
      ground.does('load', fixture('tc'), '--name', 't');
      ground.attach('t', '--hook', 'tc/ingress');
    }

    const foreignCounts = (ground: Ground): RegExpMatchArray | null =>
      ground.netns
        .run('tc', ['filter', 'show', 'dev', ground.ifname, 'ingress'])
        .match(/pref 7 bpf .*handle/);

    it('takes all of netkit off an interface, with a damaged state and a lock that is held, and nothing of others', () => {
      using ground = makeGround();
      busy(ground);
      ground.does('map', 'update', 'c/drop', '0', 'true');
      expect(ground.ping(2)).toBe(0);
      for (const name of ['x', 'c', 't']) writeFileSync(join(ground.bpffs.stateDir, `${name}.json`), '{');
      // flock(1) on the lock, for as long as the command runs.
      const held = spawnSync(
        'flock',
        [join(ground.bpffs.stateDir, 'lock'), process.execPath, netkitPath, 'off', ...ground.place],
        { encoding: 'utf8', env: { ...process.env, ...ground.bpffs.env } },
      );
      expect(`${held.status} ${held.stderr}`).toBe('0 ');
      const hooks = held.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[2]?.replace('/chain', ''));
      expect(hooks.sort()).toEqual(['tc/ingress', `${tcxOrTc}/egress`, `${tcxOrTc}/ingress`, 'xdp'].sort());
      expect(ground.ping(2)).toBe(2);
      expect(foreignCounts(ground)).not.toBeNull();
      expect(off(ground, ...ground.place).attachments).toEqual([]);
      for (const name of ['x', 'c', 't']) ground.does('unload', name);
      expect(foreignCounts(ground)).not.toBeNull();
      removeClsact(ground);
      rmSync(join(ground.bpffs.root.path, 'theirs'));
    });

    it('leaves functions loaded, that attach puts back and unload removes', () => {
      using ground = makeGround();
      ground.does('load', fixture('tcx'), '--name', 'c');
      ground.attach('c');
      const planned = off(ground, ...ground.place, '--dry-run');
      expect(planned).toMatchObject({ dryRun: true, attachments: [{ problem: null }, { problem: null }] });
      expect(ground.listed('c').links.map(({ dead }) => dead)).toEqual([false, false]);
      expect(off(ground, ...ground.place).attachments).toEqual(planned.attachments);
      expect(ground.listed('c').links.map(({ dead }) => dead)).toEqual([true, true]);
      ground.attach('c');
      expect(ground.ping(2)).toBe(2);
      expect(ground.entry('c/packets', '0')).toBeGreaterThanOrEqual(2);
      ground.does('unload', 'c');
    });

    it('with --all finds every namespace, cgroup and tracepoint, and asks before', async () => {
      using ground = makeGround();
      using cgroup = new TestCgroup();
      ground.does('load', fixture('pass'), '--name', 'x');
      ground.attach('x', '--mode', 'generic');
      ground.does('attach', 'x', ground.veth.a.ifname, '--netns', ground.veth.a.netns.name);
      loadOperate(ground, operate, ['passing', 'raw']);
      ground.does('attach', 'o/passing', cgroup.path, '--hook', 'cgroup_skb/ingress');
      ground.does('attach', 'o/raw');
      await expectRefused(ground, ['off', '--all'], {
        ...usage,
        says: /take 4 programs off: there is no terminal/,
      });
      const { attachments } = off(ground, '--all', '--yes');
      expect(attachments.map(({ ifname, problem }) => [ifname, problem])).toHaveLength(4);
      expect(attachments.filter(({ problem }) => problem !== null)).toEqual([]);
      callGetpgid();
      const seen = hitsOf(ground);
      callGetpgid(3);
      expect(hitsOf(ground)).toBe(seen);
      expect(off(ground, '--all', '--yes').attachments).toEqual([]);
      ground.does('unload', '--all', '--yes');
    });

    it('takes nothing off another namespace where one program is on two interfaces of the same index', () => {
      using ground = makeGround();
      const { a, b } = ground.veth;
      expect(a.ifindex).toBe(b.ifindex);
      ground.does('load', fixture('pass'), '--name', 'x');
      for (const { ifname, netns } of [a, b])
        ground.does('attach', 'x', ifname, '--netns', netns.name, '--mode', 'generic', '--direct');
      const alive = () => ground.listed('x').links.map(({ ifname, dead }) => [ifname, dead]);
      expect(off(ground, b.ifname, '--netns', b.netns.name).attachments).toHaveLength(1);
      expect(alive()).toEqual([
        [a.ifname, false],
        [b.ifname, true],
      ]);
      ground.does('attach', 'x', b.ifname, '--netns', b.netns.name, '--mode', 'generic', '--direct');
      const state = join(ground.bpffs.stateDir, 'x.json');
      const kept = readFileSync(state);
      writeFileSync(state, '{');
      const refused = ground.netkit('off', b.ifname, '--netns', b.netns.name);
      expect(refused).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/which one is on .* cannot be told/),
      });
      writeFileSync(state, kept);
      expect(alive().map(([, dead]) => dead)).toEqual([false, false]);
      ground.does('unload', 'x');
    });

    it('refuses what it does not understand', async () => {
      using ground = makeGround();
      await expectRefused(ground, ['off'], { ...usage, says: /needs an interface, or --all/ });
      await expectRefused(ground, ['off', ground.ifname, '--all'], {
        ...usage,
        says: /leave the interface out/,
      });
      await expectRefused(ground, ['off', 'nowhere'], { ...notFound, says: /no interface 'nowhere'/ });
    });
  },
  { tools: ['flock'] },
);
