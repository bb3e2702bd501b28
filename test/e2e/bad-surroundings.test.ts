import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { packageRoot } from '../../src/host/package-root.js';
import { listPins } from '../support/bpffs.js';
import { describeAsRoot } from '../support/requirements.js';
import { fixture, type Ground, makeGround } from './ground.js';
import { expectRefused, notPermitted, type Refusal, type Runner, through, usage } from './refusal.js';

const failed = { status: 1, code: 'failed' } as const;

const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
/** A mount namespace of its own, where the shell commands come first. */
const mounted = (commands: string) => [
  ...['unshare', '--mount', '--propagation', 'private'],
  ...['sh', '-ec', `${commands}; exec "$@"`, 'sh'],
];

describeAsRoot(
  'surroundings that are wrong are named in one line, and everything stays as it was:',
  () => {
    const owned = new Scope();
    let ground: Ground;
    let folder: string;

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), `netkit-test-${process.pid}-`));
      owned.defer(() => rmSync(folder, { recursive: true }));
      chmodSync(folder, 0o755);
      ground = owned.use(makeGround());
      ground.does('load', fixture('tc'), '--name', 'standing');
      // As /sys/fs/bpf: what is in it is for root alone, where it is may be seen.
      chmodSync(ground.bpffs.folder, 0o755);
    });
    afterAll(() => owned[Symbol.dispose]());

    const refused = (args: readonly string[], refusal: Refusal, runner?: Runner) =>
      expectRefused(ground, args, refusal, runner);
    const load = () => ['load', fixture('pass'), '--name', 'new'];

    describe('without root', () => {
      let asUser: Runner;
      let object: string;

      beforeAll(() => {
        // The checkout may be where only root can read.
        const copy = join(folder, 'copy');
        for (const path of [
          'bin',
          'dist',
          'schemas',
          'package.json',
          'node_modules/koffi',
          'node_modules/@koromix',
        ])
          cpSync(realpathSync(join(packageRoot(), path)), join(copy, path), { recursive: true });
        object = join(folder, 'pass.bpf.o');
        cpSync(fixture('pass'), object);
        asUser = through(asNobody, { HOME: '/', ...ground.bpffs.env }, copy);
      });

      it('nothing is loaded, attached, detached or unloaded', async () => {
        const refusal = { ...notPermitted, says: /./, hints: /root|CAP_/ };
        await refused(['load', object, '--name', 'new'], refusal, asUser);
        await refused(['attach', 'standing', 'lo', '--hook', 'tcx/ingress'], refusal, asUser);
        await refused(['unload', 'standing'], refusal, asUser);
        await refused(['detach', 'standing'], refusal, asUser);
      });

      it('maps and programs are not read', async () => {
        const refusal = { ...notPermitted, says: /./, hints: /root|CAP_/ };
        await refused(['map', 'dump', 'standing/counters'], refusal, asUser);
        await refused(['list'], refusal, asUser);
        await refused(['prog', 'list', '--all'], refusal, asUser);
      });

      it('nor is what lies in a folder that is closed to the user', async () => {
        const closed = join(folder, 'closed');
        mkdirSync(join(closed, 'bpf'), { recursive: true, mode: 0o700 });
        cpSync(object, join(closed, 'x.bpf.o'));
        const refusal = { ...notPermitted, says: /permission denied/ };
        await refused(['list', '--bpffs', join(closed, 'bpf')], refusal, asUser);
        await refused(['inspect', join(closed, 'x.bpf.o')], refusal, asUser);
      });

      it('but inspect works', () => {
        const { status, stdout, stderr } = asUser(['inspect', object]);
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
        expect(stdout).toContain('pass');
      });
    });

    describe('a bpf file system', () => {
      const state = () => ({ NETKIT_STATE_DIR: ground.bpffs.stateDir });

      it('that is not mounted, where a mount would vanish with the command', async () => {
        const without = through(mounted('while umount /sys/fs/bpf 2>/dev/null; do :; done'), state());
        await refused(
          load(),
          { ...notPermitted, says: /no bpf file system.*\/sys\/fs\/bpf/, hints: /--netns/ },
          without,
        );
        await refused(['list'], { ...notPermitted, says: /no bpf file system/, hints: /--netns/ }, without);
      });

      it('that is an ordinary directory, or nothing', async () => {
        await refused([...load(), '--bpffs', folder], {
          ...usage,
          says: /not in a bpf file system/,
          hints: /mount -t bpf/,
        });
        await refused([...load(), '--bpffs', '/nowhere'], {
          ...usage,
          says: /'\/nowhere' is not in a bpf file system/,
          hints: /no such directory/,
        });
        await refused(['list', '--bpffs', folder], { ...usage, says: /not in a bpf file system/ });
      });

      it('that is read-only', async () => {
        const path = ground.bpffs.root.path;
        const readOnly = through(mounted(`mount -o remount,bind,ro '${path}'`), ground.bpffs.env);
        await refused(load(), { ...failed, says: /read-only/ }, readOnly);
        await refused(['unload', 'standing'], { ...failed, says: /read-only/ }, readOnly);
      });
    });

    describe('a state directory', () => {
      const on = (stateDir: string, ...args: string[]) => [...args, '--state-dir', stateDir];

      it('that is a file, or below one', async () => {
        const file = join(folder, 'file');
        writeFileSync(file, '');
        for (const path of [file, join(file, 'below')]) {
          await refused(on(path, ...load()), { status: 2, code: 'usage', says: /state directory.*file/ });
        }
      });

      it('that is read-only', async () => {
        const path = ground.bpffs.stateDir;
        const readOnly = through(
          mounted(`mount --bind '${path}' '${path}'; mount -o remount,bind,ro '${path}'`),
          ground.bpffs.env,
        );
        await refused(load(), { ...failed, says: /read-only/ }, readOnly);
        await refused(['unload', 'standing'], { ...failed, says: /read-only/ }, readOnly);
      });

      it('that is full', async () => {
        const full = join(folder, 'full');
        mkdirSync(full);
        const fill = `mount -t tmpfs -o size=4k,mode=700 none '${full}'; head -c 4096 /dev/zero > '${full}/.filler'`;
        const runner = through(mounted(fill), { ...ground.bpffs.env, NETKIT_STATE_DIR: full });
        await refused(load(), { ...failed, says: /no space/ }, runner);
      });
    });

    it('a compiler that is not installed', async () => {
      const source = join(packageRoot(), 'test/fixtures/pass.bpf.c');
      const hide =
        'for each in /usr/bin/clang* /usr/local/bin/clang*; do [ ! -e "$each" ] || mount --bind /dev/null "$each"; done';
      const without = through(mounted(hide), ground.bpffs.env);
      const args = ['build', source, '-o', join(folder, 'never.bpf.o')];
      await refused(
        args,
        { status: 3, code: 'tool-missing', says: /'clang' is not installed/, hints: /apt-get install clang/ },
        without,
      );
    });

    it('a reader that goes away ends every command quietly', async () => {
      for (const args of [
        ['list'],
        ['map', 'list', '--all'],
        ['--help'],
        ['prog', 'list', '--all', '--json'],
      ]) {
        const child = spawn(process.execPath, [join(packageRoot(), 'bin/netkit.js'), ...args], {
          env: { PATH: process.env.PATH ?? '', ...ground.bpffs.env },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        child.stdout.destroy();
        let said = '';
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
        const status = await new Promise((resolve) => child.on('close', resolve));
        expect({ args, status, said }).toEqual({ args, status: 0, said: '' });
      }
    });

    it('after all of it, what was loaded still is', () => {
      expect(listPins(ground.bpffs.root.path)).toEqual(ground.bpffs.pins());
      expect(ground.list().map(({ name }) => name)).toEqual(['standing']);
    });
  },
  { tools: ['setpriv', 'unshare', 'mount', 'clang'] },
);
