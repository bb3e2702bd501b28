import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { run } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { fixture, type Ground, makeGround } from './ground.js';

/** Changes a text in a file of the state directory, which must be in there. */
function edit(ground: Ground, file: string, change: (text: string) => string): void {
  const path = join(ground.bpffs.stateDir, file);
  const old = readFileSync(path, 'utf8');
  const changed = change(old);
  expect(changed).not.toBe(old);
  writeFileSync(path, changed);
}

describeAsRoot('somebody who meddles', () => {
  expectUnchangedAfterAll();

  it('with an interface of the same index in another namespace does not lose the link there', () => {
    using ground = makeGround();
    ground.does('load', fixture('pass'));
    ground.attach('pass');
    const index = ground.listed('pass').links[0]?.ifindex;
    const other = ground.veth.a.netns;
    if (index !== ground.veth.a.ifindex) {
      other.run('ip', ['link', 'add', 'twin', 'index', String(index), 'type', 'bridge']);
    }
    const twin = index === ground.veth.a.ifindex ? ground.veth.a.ifname : 'twin';
    other.inside(() => ground.refuses(3, 'detach', 'pass', twin));
    expect(ground.listed('pass').links).toMatchObject([{ dead: false }]);
    ground.does('unload', 'pass');
  });

  it('with the XDP hook of a link that was taken off finds it as it was, and netkit goes on', () => {
    using ground = makeGround();
    ground.does('load', fixture('pass'));
    ground.attach('pass');
    run('bpftool', ['link', 'detach', 'id', String(ground.listed('pass').links[0]?.id)]);
    ground.does('load', fixture('pass'), '--name', 'theirs');
    ground.attach('theirs');
    ground.refuses(5, 'attach', 'pass', ...ground.place);
    expect(readdirSync(ground.bpffs.stateDir)).not.toContain('change.journal');
    expect(ground.listed('theirs').links).toMatchObject([{ dead: false }]);
    ground.does('unload', 'pass');
    ground.does('unload', 'theirs');
  });

  it.each(['../victim', 'victim', '', 'lock'])(
    'with the name of the stored object does not have netkit remove %j',
    (file) => {
      using ground = makeGround();
      ground.does('load', fixture('pass'));
      const victims = [join(ground.bpffs.stateDir, '..', 'victim'), join(ground.bpffs.stateDir, 'victim')];
      for (const victim of victims) writeFileSync(victim, '');
      edit(ground, 'pass.json', (text) => text.replace(/"file": "[^"]*"/, `"file": "${file}"`));
      ground.refuses(1, 'attach', 'pass', ...ground.place);
      ground.does('unload', 'pass');
      for (const victim of victims) expect(readFileSync(victim, 'utf8')).toBe('');
      expect(ground.bpffs.pins()).toEqual([]);
      // The copy of the object goes by the function's name.
      expect(readdirSync(ground.bpffs.stateDir).sort()).toEqual(['lock', 'victim']);
    },
  );

  it.each([
    ['"name": "pass"', '"name": "other"'],
    ['"ifindex": ', '"ifindex": -'],
    ['"name": "pass-xdp-', '"name": "../progs/'],
  ])('with a state file (%s) is told that it is damaged, and the function can be unloaded', (from, to) => {
    using ground = makeGround();
    ground.does('load', fixture('pass'));
    const bare = ground.hooks();
    ground.attach('pass');
    edit(ground, 'pass.json', (text) => text.replace(from, to));
    expect(ground.refuses(1, 'detach', 'pass').stderr).toContain('damaged');
    ground.does('unload', 'pass');
    expect(ground.hooks()).toEqual(bare);
    expect(readdirSync(ground.bpffs.stateDir)).toEqual(['lock']);
  });

  it.each([
    { kind: 'unpin', folder: '/tmp/elsewhere' },
    { kind: 'unpin', folder: '/sys/fs/bpf/netkit/../other' },
    { kind: 'drop-object', file: '../victim' },
    { kind: 'move', from: '/etc/passwd', to: '/etc/shadow' },
    { kind: 'surprise' },
  ])('with the journal has it refused (%j)', (action) => {
    using ground = makeGround();
    ground.does('load', fixture('pass'));
    const plan = {
      change: 'x',
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      command: 'netkit x',
      startedAt: '2026-01-01T00:00:00.000Z',
      function: 'pass',
      actions: [{ function: 'pass', ...action }],
    };
    writeFileSync(join(ground.bpffs.stateDir, 'change.journal'), JSON.stringify(plan));
    expect(ground.refuses(1, 'recover').stderr).toContain('damaged');
    ground.does('unload', 'pass');
    expect(readdirSync(ground.bpffs.stateDir)).toEqual(['lock']);
  });

  it('with --state-dir does not shut everybody out of a directory with other things in it', () => {
    using ground = makeGround();
    const shared = join(ground.bpffs.folder, 'shared');
    mkdirSync(join(shared, 'theirs'), { recursive: true });
    chmodSync(shared, 0o755);
    ground.refuses(2, 'load', fixture('pass'), '--state-dir', shared);
    expect(statSync(shared).mode & 0o777).toBe(0o755);
    expect(readdirSync(shared)).toEqual(['theirs']);
  });

  it('with the pins leaves the other functions to be listed, and this one to be unloaded', () => {
    using ground = makeGround();
    ground.does('load', fixture('pass'), '--name', 'sound');
    ground.does('load', fixture('globals'), '--name', 'odd');
    const folder = join(ground.bpffs.root.path, 'netkit/odd');
    const [program = ''] = readdirSync(join(folder, 'progs'));
    run('bpftool', ['prog', 'pin', 'pinned', join(folder, 'progs', program), join(folder, 'maps/odd')]);
    mkdirSync(join(folder, 'maps/folder'));
    symlinkSync('/etc', join(folder, 'links'));
    expect(ground.list().map(({ name }) => name)).toEqual(['odd', 'sound']);
    ground.does('unload', 'odd');
    ground.does('unload', 'sound');
    expect(ground.bpffs.pins()).toEqual([]);
  });

  it('with an ingress qdisc does not get an egress filter that would see what comes in', () => {
    using ground = makeGround();
    ground.netns.run('tc', ['qdisc', 'add', 'dev', ground.ifname, 'ingress']);
    ground.does('load', fixture('tc'), '--name', 'f');
    ground.refuses(5, 'attach', 'f', ...ground.place, '--hook', 'tc/egress');
    ground.does('attach', 'f', ...ground.place, '--hook', 'tc/ingress');
    ground.does('unload', 'f');
    expect(ground.netns.run('tc', ['qdisc', 'show', 'dev', ground.ifname])).toContain('qdisc ingress');
    ground.netns.run('tc', ['qdisc', 'del', 'dev', ground.ifname, 'ingress']);
  });
});
