// What else runs while a change waits for its confirmation: a batch that waits for its next line, the emergency, a mistyped name.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packageRoot } from '../../src/host/package-root.js';
import { mount, unmount } from '../../src/sys/libc.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { killWatchers, noWatchers, passTime, pendingOf, soon, until } from './confirm-ground.js';
import { fixture, type Ground, makeGround } from './ground.js';

const netkitPath = join(packageRoot(), 'bin/netkit.js');
const ingress = kernelLacks('tcx') === undefined ? 'tcx/ingress' : 'tc/ingress';
const passing = ['load', fixture('tc'), '--name', 'f', '--set', 'drop_all=false'];

describeAsRoot('while a change waits for its confirmation', () => {
  let before: KernelState;
  beforeAll(() => {
    before = snapshotKernelState();
  });
  afterAll(() => expectUnchanged(before));

  const attaching = (ground: Ground, time: string): string[] => {
    return ['attach', 'f', ground.ifname, '--netns', ground.netns.name, '--hook', ingress, '--confirm', time];
  };

  it('a batch that waits for its next line keeps it neither from being taken back nor from being confirmed', async () => {
    using ground = makeGround();
    ground.does(...passing);
    const env = { ...process.env, ...ground.env };
    const batch = spawn(process.execPath, [netkitPath, 'batch', '-'], {
      env,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const ended = once(batch, 'exit');
    const { stdin } = batch;
    stdin.write(`${attaching(ground, soon).join(' ')}\n`);
    await until('it waits', () => pendingOf(ground).length === 1);
    await until('it is taken back', () => pendingOf(ground).length === 0);
    stdin.write(`${attaching(ground, '1h').join(' ')}\n`);
    await until('the next one waits', () => pendingOf(ground).length === 1);
    ground.does('confirm', 'f', '--lock-timeout', '5');
    stdin.end('detach f\n');
    expect(await ended).toEqual([0, null]);
    expect(ground.listed('f').links).toEqual([]);
    ground.does('unload', 'f');
    await noWatchers(ground);
  });

  it('off warns of what its return attaches again', async () => {
    using ground = makeGround();
    ground.does(...passing);
    ground.does(...attaching(ground, '1h'));
    const off = () => ground.does('off', ground.ifname, '--netns', ground.netns.name).stderr;
    expect(off()).toBe('');
    ground.does('confirm');
    ground.does('detach', 'f');
    ground.attach('f', '--hook', ingress);
    ground.does('detach', 'f', '--confirm', '1h');
    expect(off()).toMatch(
      /^netkit: warning: 'netkit detach f --confirm 1h' waits .* attaches again .*'netkit confirm f' prevents that\n$/,
    );
    ground.does('confirm', 'f');
    ground.does('unload', 'f');
    await noWatchers(ground);
  });

  it('confirm of another name says which function has something to confirm', async () => {
    using ground = makeGround();
    ground.does(...passing);
    ground.does(...attaching(ground, '1h'));
    const { stdout, stderr } = ground.does('confirm', 'g');
    expect(stdout).toBe("nothing of 'g' waits to be confirmed\n");
    expect(stderr).toMatch(/^netkit: warning: 'netkit attach f .* unless 'netkit confirm f' keeps it\n$/);
    ground.does('confirm', 'f');
    expect(ground.does('confirm', 'f').stderr).toBe('');
    ground.does('unload', 'f');
    await noWatchers(ground);
  });

  it('a full disk under the state is named by recover, which takes the change back once there is room', async () => {
    using ground = makeGround();
    mkdirSync(ground.bpffs.stateDir);
    mount('tmpfs', ground.bpffs.stateDir, 'tmpfs', 0, 'size=256k,mode=0700');
    try {
      ground.does(...passing);
      ground.does(...attaching(ground, '1h'));
      killWatchers(ground);
      passTime(ground);
      const filler = join(ground.bpffs.stateDir, 'filler');
      expect(() => writeFileSync(filler, Buffer.alloc(1 << 20))).toThrow(/ENOSPC/);
      const full = ground.netkit('recover');
      expect(full.stderr).toMatch(
        /^netkit: warning: the change to f was not taken back: .*no space is left on the device\n$/,
      );
      expect(full.status).toBe(5);
      rmSync(filler);
      expect(ground.does('recover').stdout).toMatch(/was taken back/);
      ground.does('unload', 'f');
      await noWatchers(ground);
    } finally {
      unmount(ground.bpffs.stateDir);
    }
  });
});
