// What else runs while a change waits for its confirmation: a batch that waits for its next line, the emergency, a mistyped name.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { netkitPath } from '../support/cli.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { attaching, finish, ingress, passing, pendingOf, soon, until } from './confirm-ground.js';
import { makeGround } from './ground.js';

describeAsRoot('while a change waits for its confirmation', () => {
  expectUnchangedAfterAll();

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
    await finish(ground);
  });

  it('off warns of what its return attaches again', async () => {
    using ground = makeGround();
    ground.does(...passing);
    ground.does(...attaching(ground, '1h'));
    const off = () => ground.does('off', ...ground.place).stderr;
    expect(off()).toBe('');
    ground.does('confirm');
    ground.does('detach', 'f');
    ground.attach('f', '--hook', ingress);
    ground.does('detach', 'f', '--confirm', '1h');
    expect(off()).toMatch(
      /^netkit: warning: 'netkit detach f --confirm 1h' waits .* attaches again .*'netkit confirm f' prevents that\n$/,
    );
    ground.does('confirm', 'f');
    await finish(ground);
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
    await finish(ground);
  });
});
