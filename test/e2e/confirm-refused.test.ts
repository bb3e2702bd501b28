// What stands in the way of a change with --confirm, of its return, and of its confirmation.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import {
  attaching,
  finish,
  ingress,
  killWatchers,
  passing,
  passTime,
  pendingOf,
  watchers,
} from './confirm-ground.js';
import { documentOf, fixture, makeGround } from './ground.js';
import { conflict, expectRefused, usage } from './refusal.js';

describeAsRoot('a change with --confirm', () => {
  expectUnchangedAfterAll();

  it('that cannot be taken back says so, and keeps neither other functions nor unload from anything', async () => {
    using ground = makeGround();
    ground.does(...passing);
    ground.attach('f', '--hook', ingress);
    ground.does('detach', 'f', '--confirm', '1h');
    killWatchers(ground);
    passTime(ground);
    // Without its program nothing can be attached again.
    const programs = join(ground.bpffs.root.path, 'netkit/f/progs');
    for (const name of readdirSync(programs)) rmSync(join(programs, name));
    const other = ground.does('load', fixture('pass'), '--name', 'other');
    expect(other.stderr).toMatch(/'netkit detach f .*' was not confirmed; and it could not be undone: /);
    ground.does('unload', 'other');
    expect(ground.does('list').stdout).toMatch(/could not be undone: .*'netkit recover' tries again/);
    await expectRefused(ground, [...passing, '--replace'], { ...conflict, says: /could not be undone/ });
    await expectRefused(ground, ['confirm'], { ...conflict, says: /could not be undone/ });
    await finish(ground);
  });

  it('whose file is damaged is named, and unload clears it', async () => {
    using ground = makeGround();
    ground.does(...passing);
    ground.does(...attaching(ground, '1h'));
    killWatchers(ground);
    const path = join(ground.bpffs.stateDir, 'f.pending');
    writeFileSync(path, '{"stage":7}');
    expect(ground.refuses(1, 'detach', 'f').stderr).toContain(path);
    expect(ground.refuses(1, 'confirm', 'f').stderr).toContain(path);
    const other = ground.does('load', fixture('pass'), '--name', 'other');
    expect(other.stderr).toContain(`${path} is damaged`);
    ground.does('unload', 'other');
    await finish(ground);
  });

  it('says in a dry run what would be done, and does nothing', async () => {
    using ground = makeGround();
    ground.does(...passing);
    const said = ground.does(...attaching(ground, '90s'), '--dry-run');
    expect(said.stdout).toMatch(/^would have the change taken back unless it is confirmed within 90 s$/m);
    expect(pendingOf(ground)).toEqual([]);
    expect(watchers(ground)).toEqual([]);
    // Attached in just that way already: there is nothing to take back.
    ground.attach('f', '--hook', ingress);
    const already = documentOf(documents.attach, ground.does(...attaching(ground, '90s'), '--json'));
    expect(already.returnsAt).toBeNull();
    expect(watchers(ground)).toEqual([]);
    await finish(ground);
  });

  it('refuses times that are none, and what cannot wait', async () => {
    using ground = makeGround();
    ground.does(...passing);
    for (const [time, says] of [
      ['60', /--confirm: '60' is no duration/],
      ['soon', /--confirm: 'soon' is no duration/],
      ['-5s', /--confirm: '-5s' is no duration/],
      ['500ms', /is not from 1s to 24h/],
      ['25h', /is not from 1s to 24h/],
    ] as const)
      await expectRefused(ground, ['attach', 'f', ...ground.place, `--confirm=${time}`], { ...usage, says });
    for (const command of ['confirm', 'unload']) {
      const says = /cannot be a function's name/;
      await expectRefused(ground, [command, 'f/tc_main'], { ...usage, says, hints: /whole functions: 'f'$/ });
      await expectRefused(ground, [command, 'F g'], { ...usage, says, hints: /'netkit list' shows/ });
    }
    await expectRefused(ground, ['attach', 'f', ...ground.place, '--hold', '--confirm', '5s'], {
      ...usage,
      says: /exclude each other/,
    });
    await expectRefused(ground, ['load', fixture('pass'), '--confirm', '5s'], {
      ...usage,
      says: /changes no traffic unless it replaces/,
    });
    const batch = join(ground.bpffs.stateDir, '../lines');
    writeFileSync(batch, `attach f ${ground.place.join(' ')} --hook ${ingress} --confirm 1h\n`);
    expect(ground.netkit('batch', batch, '--atomic')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--confirm/),
    });
    expect(ground.listed('f').links).toEqual([]);
    ground.does('batch', batch);
    expect(pendingOf(ground)).toHaveLength(1);
    // Under the lock that the batch holds already.
    writeFileSync(batch, `load ${fixture('pass')} --name other\nconfirm\nunload other\n`);
    ground.does('batch', batch);
    expect(pendingOf(ground)).toEqual([]);
    await finish(ground);
  });
});
